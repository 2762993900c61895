//! The mel-frequency cepstral coefficients of keyword spotting. Knows no file, no word and no noise.

internal import CKernels
import Glibc
internal import Tensors

/// MLPerf Tiny's features of spoken words, TensorFlow's `signal.stft`, `linear_to_mel_weight_matrix`,
/// ln(mel + 1e-6) and `mfccs_from_log_mel_spectrograms` (SEMANTICS: windows of 480 samples every 320,
/// transforms of 512, periodic Hann window, magnitudes, 40 HTK bands from 20 to 4,000 Hz).
///
/// Of 1,000 clips TensorFlow 2.12 and this give the same int8 codes in more than 990; what differs
/// are near-silent frames, where its transform's rounding stands above the 1e-6.
package struct MFCC: Sendable {
  package struct Parameters: Hashable, Sendable {
    /// Samples a second.
    package var sampleRate = 16_000
    /// Samples of a window; the transform has the next power of two.
    package var windowLength = 480
    /// Samples from one frame to the next.
    package var hop = 320
    package var melBins = 40
    package var lowestHertz: Float = 20
    package var highestHertz: Float = 4000
    package var coefficients = 10

    package init() {}
  }

  package let parameters: Parameters
  private let spectra: FrameSpectra
  /// (coefficients, mel bins).
  private let cosines: [Double]

  /// What TensorFlow 2.12's DCT of 40 values gives for 40 ones beside 0, coefficient by coefficient:
  /// the rounding of its transform (Eigen's). It decides whether digital silence is 83 or 82 in the
  /// benchmark's codes.
  private static let offsets40 = [
    0, 3.241e-7, 1.231e-7, -1.6361e-6, -1.45e-8, 9.879e-7, -1.3808e-6, -3.859e-7, -7.63e-8,
    -3.396e-7,
  ]

  package init(_ parameters: Parameters = Parameters()) {
    precondition((1...parameters.melBins).contains(parameters.coefficients))
    self.parameters = parameters
    let length = Self.transformLength(for: parameters.windowLength)
    spectra = FrameSpectra(
      fourier: FourierPlan(length: length, window: Self.window(parameters.windowLength)),
      bands: MelBands(
        rows: MelBands.htk(
          bands: parameters.melBins, length: length, sampleRate: parameters.sampleRate,
          lowest: parameters.lowestHertz, highest: parameters.highestHertz)),
      isPower: false)
    cosines = Self.cosines(parameters.coefficients, parameters.melBins)
  }

  private static func transformLength(for window: Int) -> Int {
    var length = 32
    while length < window { length *= 2 }
    return length
  }

  /// TensorFlow's `signal.hann_window`, periodic, in float32 in its order.
  private static func window(_ length: Int) -> [Double] {
    // An odd length is not periodic there.
    let period = length.isMultiple(of: 2) ? length : length - 1
    return (0..<length).map { sample in
      let angle = Float(2 * Double.pi) * Float(sample) / Float(max(period, 1))
      return length == 1 ? 1 : Double(0.5 - 0.5 * Float(cos(Double(angle))))
    }
  }

  /// The DCT-II times sqrt(2 / bins).
  private static func cosines(_ coefficients: Int, _ bins: Int) -> [Double] {
    (0..<coefficients).flatMap { coefficient in
      let offset =
        bins == 40 && coefficient < offsets40.count ? offsets40[coefficient] / 40 : 0
      return (0..<bins).map { bin in
        let eighths = coefficient * (2 * bin + 1) % (4 * bins)
        let (_, cosine) = sineAndCosine(degrees: 90 * Double(eighths) / Double(bins))
        return cosine * (2 / Double(bins)).squareRoot() + offset
      }
    }
  }

  /// Numbers of a frame.
  package var coefficients: Int { parameters.coefficients }

  /// Windows that lie in a recording whole: 49 in 16,000 samples.
  package func frameCount(samples: Int) -> Int {
    samples < parameters.windowLength
      ? 0 : 1 + (samples - parameters.windowLength) / parameters.hop
  }

  /// Buffers for one thread.
  package func makeScratch() -> AudioScratch { spectra.makeScratch(features: coefficients) }

  /// Writes (frames, coefficients).
  ///
  /// - Parameters:
  ///   - samples: a clip, made ready by `prepare` (and perhaps mixed with noise), finite.
  ///   - target: frameCount * coefficients values.
  package func write(
    _ samples: UnsafeBufferPointer<Float>, to target: UnsafeMutablePointer<Float>,
    scratch: AudioScratch
  ) {
    guard let base = samples.baseAddress else { return }
    let frames = 0..<frameCount(samples: samples.count)
    spectra.forEachGroup(of: frames, in: scratch) { frame, _ in
      base + frame * parameters.hop
    } body: { first, used in
      ck_logarithms(scratch.sums.pointer, parameters.melBins * FrameSpectra.lanes, 1e-6, 1)
      ck_frame_products(
        cosines, coefficients, parameters.melBins, scratch.sums.pointer, scratch.features.pointer)
      ck_store_frames(
        scratch.features.pointer, coefficients, used, target + first * coefficients, coefficients)
    }
  }

  /// Divides a clip by its largest sample, as MLPerf Tiny does, cuts it to `length` samples or fills
  /// it up with zeros. The largest is looked for before the cut; a clip without a sample other than
  /// 0 stays as it is, where the original divides 0 by 0.
  package static func prepare(
    _ samples: UnsafeBufferPointer<Float>, length: Int, to target: UnsafeMutablePointer<Float>
  ) {
    let used = min(samples.count, length)
    if let base = samples.baseAddress, !samples.isEmpty {
      let largest = ck_largest(base, samples.count)
      ck_divide(base, largest == 0 ? 1 : largest, target, used)
    }
    (target + used).update(repeating: 0, count: length - used)
  }
}
