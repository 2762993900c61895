//! A tensor's sketch: few numbers from which its distance to another tensor of the same shape can be
//! estimated. The golden script make_layer_shapes.py makes the same.

/// Sums over buckets with random signs, both from a hash of the element's place.
package struct Sketch: Sendable {
  package static let buckets = 256
  private static let stream: UInt32 = 77

  /// The tensor's Euclidean norm.
  package var norm: Double
  package var sums: [Double]

  package init(_ values: UnsafeBufferPointer<Float>, seed: UInt32) {
    var squares = 0.0
    sums = Array(repeating: 0, count: Self.buckets)
    for (k, value) in values.enumerated() {
      let h = hash(k, stream: Self.stream, seed: seed)
      let value = Double(value)
      sums[Int(h >> 1) % Self.buckets] += h & 1 == 0 ? value : -value
      squares += value * value
    }
    norm = squares.squareRoot()
  }

  /// As the golden script stores it: the norm, then the sums. nil for another number of numbers.
  package init?(stored numbers: [Double]) {
    guard numbers.count == Self.buckets + 1 else { return nil }
    norm = numbers[0]
    sums = Array(numbers.dropFirst())
  }

  /// An estimate of the distance of the two tensors, with a standard error of `relativeError`; its
  /// square is unbiased, as the sketch of a difference is the difference of the sketches.
  package func distance(to other: Sketch) -> Double {
    TestSupport.norm(zip(sums, other.sums).map { $0 - $1 })
  }

  /// Of `distance`, in parts of the distance: 4.4 %.
  package static let relativeError = 1 / (2 * Double(buckets)).squareRoot()
}
