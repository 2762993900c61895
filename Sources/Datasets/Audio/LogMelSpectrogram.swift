//! The log-mel spectrogram of anomaly detection. Knows no file and no window of frames.

internal import CKernels
import Glibc
internal import Tensors

/// MLPerf Tiny's features of machine sounds: librosa's `feature.melspectrogram` with power 2, then
/// 10 log10(mel + epsilon) (SEMANTICS: 16 kHz, transforms of 1,024 samples every 512, 128 Slaney
/// bands from 0 to 8 kHz, periodic Hann window, frames centred).
package struct LogMelSpectrogram: Sendable {
  /// What stands before and behind a recording, so that frame i has sample i * hop in its middle.
  package enum Padding: String, Hashable, Sendable {
    /// The recording mirrored, its outermost sample once: librosa up to 0.9.
    case reflect
    /// Zeros: librosa from 0.10 on.
    case constant
  }

  package struct Parameters: Hashable, Sendable {
    /// Samples a second.
    package var sampleRate = 16_000
    /// Samples of a transform and of its window, a power of two.
    package var length = 1024
    /// Samples from one frame to the next.
    package var hop = 512
    package var bands = 128
    package var lowestHertz = 0.0
    package var highestHertz = 8000.0
    package var padding = Padding.reflect

    package init() {}
  }

  package let parameters: Parameters
  private let spectra: FrameSpectra

  /// numpy's float64 epsilon, which keeps the logarithm finite.
  private static let epsilon: Float = 0x1p-52

  /// Frames of a ten-second clip that MLPerf Tiny keeps.
  package static let benchmarkFrames = 50..<250

  package init(_ parameters: Parameters = Parameters()) {
    self.parameters = parameters
    let length = parameters.length
    let window = (0..<length).map { sample in
      let (_, cosine) = sineAndCosine(degrees: 360 * Double(sample) / Double(length))
      return 0.5 - 0.5 * cosine
    }
    spectra = FrameSpectra(
      fourier: FourierPlan(length: length, window: window),
      bands: MelBands(
        rows: MelBands.slaney(
          bands: parameters.bands, length: length, sampleRate: parameters.sampleRate,
          lowest: parameters.lowestHertz, highest: parameters.highestHertz)),
      isPower: true)
  }

  /// Numbers of a frame.
  package var bands: Int { parameters.bands }

  /// Frames of a recording, one for each hop that begins in it and one more.
  package func frameCount(samples: Int) -> Int { samples > 0 ? 1 + samples / parameters.hop : 0 }

  /// Buffers for one thread.
  package func makeScratch() -> AudioScratch { spectra.makeScratch(features: 0) }

  /// Writes frames in decibels, (frames, bands).
  ///
  /// - Parameters:
  ///   - samples: a whole recording, finite.
  ///   - frames: which of its frames; nil for all.
  ///   - target: frames * bands values.
  package func write(
    _ samples: UnsafeBufferPointer<Float>, frames: Range<Int>? = nil,
    to target: UnsafeMutablePointer<Float>, scratch: AudioScratch
  ) {
    let all = 0..<frameCount(samples: samples.count)
    let frames = frames ?? all
    precondition(frames.clamped(to: all) == frames, "frames \(frames) of \(all)")
    guard let base = samples.baseAddress, !frames.isEmpty else { return }
    let length = parameters.length
    spectra.forEachGroup(of: frames, in: scratch) { frame, edge in
      let start = frame * parameters.hop - length / 2
      if start >= 0, start + length <= samples.count { return base + start }
      for index in 0..<length { edge[index] = sample(samples, start + index) }
      return UnsafePointer(edge)
    } body: { first, used in
      ck_logarithms(
        scratch.sums.pointer, bands * FrameSpectra.lanes, Self.epsilon, Float(10 / M_LN10))
      ck_store_frames(
        scratch.sums.pointer, bands, used, target + (first - frames.lowerBound) * bands, bands)
    }
  }

  /// A sample that may lie outside the recording.
  private func sample(_ samples: UnsafeBufferPointer<Float>, _ index: Int) -> Float {
    if samples.indices.contains(index) { return samples[index] }
    guard parameters.padding == .reflect, samples.count > 1 else { return 0 }
    // There and back is one period.
    let period = 2 * (samples.count - 1)
    let place = ((index % period) + period) % period
    return samples[min(place, period - place)]
  }
}
