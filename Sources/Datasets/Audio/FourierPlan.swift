//! The tables of a real Fourier transform, which `CKernels` runs on eight frames at once. Knows no
//! sound.

internal import CKernels
internal import Tensors

/// A windowed transform of `length` samples; what `ck_spectra` wants, never changed.
final class FourierPlan: @unchecked Sendable {
  let length: Int
  /// Points at the buffers below.
  let tables: ck_fourier
  private let window: Buffer<Double>
  private let twiddles: Buffer<Double>
  private let split: Buffer<Double>
  private let places: Buffer<UInt32>

  /// - Parameters:
  ///   - length: samples of the transform, a power of two of at least 32.
  ///   - window: its factors; samples beyond them count as 0.
  init(length: Int, window: [Double]) {
    precondition(length >= 32 && length.nonzeroBitCount == 1, "a transform of \(length)")
    precondition((1...length).contains(window.count), "a window of \(window.count)")
    self.length = length
    let points = length / 2
    let first = points.trailingZeroBitCount.isMultiple(of: 2) ? 4 : 8
    self.window = Buffer(window)
    split = Buffer((0...length / 4).flatMap { Self.turn($0, of: length) })
    twiddles = Buffer(Self.passTwiddles(points: points, first: first))
    places = Buffer(Self.places(points: points, first: first))
    tables = ck_fourier(
      length: length, window_length: window.count, window: self.window.pointer,
      places: places.pointer, twiddles: twiddles.pointer, split: split.pointer)
  }

  /// Cosine and sine of a share of a full turn.
  private static func turn(_ part: Int, of whole: Int) -> [Double] {
    let (sine, cosine) = sineAndCosine(degrees: 360 * Double(part) / Double(whole))
    return [cosine, sine]
  }

  private static func passTwiddles(points: Int, first: Int) -> [Double] {
    var values: [Double] = []
    var part = first
    while part < points {
      for value in 0..<part {
        for input in 1...3 { values += turn(value * input, of: 4 * part) }
      }
      part *= 4
    }
    return values
  }

  /// Each pass joins parts, of which part q holds every radix-th value from the q-th on.
  private static func places(points: Int, first: Int) -> [UInt32] {
    var places = [UInt32](repeating: 0, count: points / first)
    for place in stride(from: 0, to: points, by: first) {
      var value = 0
      var stride = 1
      var rest = place
      var size = points
      while size > 1 {
        let radix = size == first ? first : 4
        size /= radix
        value += stride * (rest / size)
        rest %= size
        stride *= radix
      }
      places[value] = UInt32(place)
    }
    return places
  }
}
