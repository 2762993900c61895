"""TensorFlow's and librosa's half of `Benchmarks features`.

    python features_speed.py mfcc|log_mel FOLDER [--threads N] [--seconds S]

Times passes over all WAV files of a folder, reading included, after a pass that warms up, in several
forms, and prints the fastest form's median: mfcc us_per_file=.. form=.. passes=.. files=...
mfcc: TensorFlow; forms 0 (each file alone), 32, 100, 256 (files of a batch together), all through
tf.data with N parallel calls. log_mel: librosa in N processes; forms 1 (feature.melspectrogram, as
the benchmark's own script calls it) and 2 (its stft, and a mel matrix that is made once).
"""

import argparse
import glob
import statistics
import time

parser = argparse.ArgumentParser()
parser.add_argument("task", choices=["mfcc", "log_mel"])
parser.add_argument("folder")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--seconds", type=float, default=4.0)
options = parser.parse_args()
files = sorted(glob.glob(options.folder + "/*.wav"))


def measure(passes):
    """The seconds of calls, for a share of the time."""
    times = []
    while len(times) < 3 or sum(times) < options.seconds:
        begin = time.perf_counter()
        passes()
        times.append(time.perf_counter() - begin)
    return times


def mfcc_forms():
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    tf.config.threading.set_inter_op_parallelism_threads(options.threads)
    weights = tf.signal.linear_to_mel_weight_matrix(40, 257, 16000, 20.0, 4000.0)

    def load(path):
        return tf.reshape(tf.audio.decode_wav(tf.io.read_file(path), 1, 16000)[0], [16000])

    def features(x):
        x = x / tf.reduce_max(x, -1, keepdims=True)
        spectra = tf.abs(tf.signal.stft(x, 480, 320, 512, tf.signal.hann_window))
        logs = tf.math.log(tf.tensordot(spectra, weights, 1) + 1e-6)
        return tf.signal.mfccs_from_log_mel_spectrograms(logs)[..., :10]

    for batch in (0, 32, 100, 256):
        data = tf.data.Dataset.from_tensor_slices(files)
        if batch:
            data = data.map(load, options.threads).batch(batch).map(features, options.threads)
        else:
            data = data.map(lambda path: features(load(path)), options.threads).batch(100)
        data = data.prefetch(2)
        yield batch, lambda: sum(1 for _ in data)


def whole(path):
    import librosa
    import numpy as np

    y, rate = librosa.load(path, sr=None)
    power = librosa.feature.melspectrogram(
        y=y, sr=rate, n_fft=1024, hop_length=512, n_mels=128, power=2.0
    )
    return 10 * np.log10(power + np.finfo(float).eps)


matrix = None


def lean(path):
    global matrix
    import librosa
    import numpy as np

    if matrix is None:
        matrix = librosa.filters.mel(sr=16000, n_fft=1024, n_mels=128)
    y, _ = librosa.load(path, sr=None)
    spectra = np.abs(librosa.stft(y, n_fft=1024, hop_length=512))
    return 10 * np.log10(matrix @ (spectra * spectra) + np.float32(np.finfo(float).eps))


def share(work):
    """A process's part; the features stay where they were made."""
    function, paths = work
    return sum(float(function(path)[0, 0]) for path in paths)


def log_mel_forms():
    import multiprocessing

    pool = multiprocessing.Pool(options.threads)
    shares = [files[i :: options.threads] for i in range(options.threads)]
    for form, function in ((1, whole), (2, lean)):
        yield form, lambda: pool.map(share, [(function, paths) for paths in shares], chunksize=1)


best = None
for form, passes in mfcc_forms() if options.task == "mfcc" else log_mel_forms():
    passes()
    times = measure(passes)
    micros = statistics.median(times) / len(files) * 1e6
    if best is None or micros < best[0]:
        best = (micros, form, len(times))
print(f"{options.task} us_per_file={best[0]} form={best[1]} passes={best[2]} files={len(files)}")
