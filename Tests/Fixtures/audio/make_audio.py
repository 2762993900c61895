"""Sound files in many formats, and features by TensorFlow and librosa, for Tests/DatasetsTests.

    python make_audio.py sounds    # needs soundfile and librosa: sounds/, logmel_*.f32, slaney.f32
    python make_audio.py mfcc      # needs TensorFlow 2.12: mfcc.f32, htk.f32

Files *.f32 are float32, little endian. The committed ones come from librosa 0.11.0, soundfile 0.13
(libsndfile 1.2) and TensorFlow 2.12.1. Signals are whole numbers by `signal`, which the tests repeat.
"""

import os
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))


def signal(kind, count):
    """Samples of 16 bits. 0: a sweep with edges. 1: noise below a swell. 2: half of it silent.
    3: silence with one click. 4: a faint constant."""
    n = np.arange(count, dtype=np.int64)
    sweep = (n * n * 3) % 20011 - 10005
    noise = (n * 7919 + (n * n) % 10007 * 104729) % 65521 - 32760
    swell = np.minimum(n % 8000, 8000 - n % 8000)
    if kind == 0:
        x = sweep
    elif kind == 1:
        x = noise * swell // 4000
    elif kind == 2:
        x = np.where(n < count // 2, sweep // 3 + noise // 9, 0)
    elif kind == 3:
        x = np.where(n == 5000, 12000, 0)
    else:
        x = np.where(n == 100, 9000, -1)
    return x.astype(np.int16)


def save(name, values):
    np.ascontiguousarray(values, "<f4").tofile(os.path.join(HERE, name))


def sounds():
    import librosa
    import soundfile

    folder = os.path.join(HERE, "sounds")
    x = signal(1, 600)[::3].astype(np.float64) / 32768
    formats = [
        ("pcm_u8.wav", "WAV", "PCM_U8"),
        ("pcm_16.wav", "WAV", "PCM_16"),
        ("pcm_24.wav", "WAV", "PCM_24"),
        ("pcm_32.wav", "WAV", "PCM_32"),
        ("float.wav", "WAV", "FLOAT"),
        ("double.wav", "WAV", "DOUBLE"),
        ("ulaw.wav", "WAV", "ULAW"),
        ("alaw.wav", "WAV", "ALAW"),
        ("ima_adpcm.wav", "WAV", "IMA_ADPCM"),
        ("ms_adpcm.wav", "WAV", "MS_ADPCM"),
        ("extensible.wav", "WAVEX", "PCM_16"),
        ("rf64.wav", "RF64", "PCM_16"),
        ("aiff.aiff", "AIFF", "PCM_16"),
        ("flac.flac", "FLAC", "PCM_16"),
    ]
    for name, container, subtype in formats:
        soundfile.write(os.path.join(folder, name), x, 16000, subtype=subtype, format=container)
    both = np.stack([x, -x / 2], 1)
    soundfile.write(os.path.join(folder, "stereo.wav"), both, 16000, subtype="PCM_16")
    soundfile.write(os.path.join(folder, "big_endian.wav"), x, 16000, "PCM_16", "BIG", "WAV")

    frames = []
    for pad in ("reflect", "constant"):
        for kind, count in ((0, 5000), (1, 3001), (3, 5200)):
            y = signal(kind, count).astype(np.float32) / 32768
            power = librosa.feature.melspectrogram(
                y=y, sr=16000, n_fft=1024, hop_length=512, n_mels=128, power=2.0, pad_mode=pad
            )
            frames.append((10.0 * np.log10(power + sys.float_info.epsilon)).T)
    save("logmel.f32", np.concatenate(frames))
    weights = librosa.filters.mel(sr=16000, n_fft=1024, n_mels=128)
    save("slaney.f32", weights[weights != 0])


def mfcc():
    import tensorflow as tf

    weights = tf.signal.linear_to_mel_weight_matrix(40, 257, 16000, 20.0, 4000.0)
    features = []
    for kind in range(5):
        x = tf.constant(signal(kind, 16000), tf.int16)
        x = tf.cast(x, tf.float32)
        x = x / tf.reduce_max(x)
        spectra = tf.abs(tf.signal.stft(x, 480, 320, 512, tf.signal.hann_window))
        logs = tf.math.log(tf.tensordot(spectra, weights, 1) + 1e-6)
        features.append(tf.signal.mfccs_from_log_mel_spectrograms(logs)[..., :10].numpy())
    save("mfcc.f32", np.concatenate(features))
    dense = weights.numpy().T
    save("htk.f32", dense[dense != 0])


{"sounds": sounds, "mfcc": mfcc}[sys.argv[1]]()
