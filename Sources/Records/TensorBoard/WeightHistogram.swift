//! Values counted into buckets, as TensorBoard shows a weight's distribution. Knows no file.

/// As many buckets of equal width as TensorFlow 2 makes, from the least to the largest value.
struct WeightHistogram {
  private static let bucketCount = 30

  private let least: Double
  private let largest: Double
  private let count: Int
  private let sum: Double
  private let sumOfSquares: Double
  /// The upper end of each bucket, whose lower end is the one before.
  private let limits: [Double]
  private let counts: [Double]

  /// Nil where no value is a finite number; others are left out.
  init?(_ values: [Float]) {
    let finite = values.lazy.filter(\.isFinite).map { Double($0) }
    guard let least = finite.min(), let largest = finite.max() else { return nil }
    self.least = least
    self.largest = largest
    count = finite.count
    sum = finite.reduce(0, +)
    sumOfSquares = finite.reduce(0) { $0 + $1 * $1 }
    guard largest > least else {
      // One value alone stands in the middle of a bucket of width 1.
      limits = [least - 0.5, least + 0.5]
      counts = [0, Double(count)]
      return
    }
    let width = (largest - least) / Double(Self.bucketCount)
    var counts = [Double](repeating: 0, count: Self.bucketCount)
    for value in finite {
      counts[min(Int((value - least) / width), Self.bucketCount - 1)] += 1
    }
    self.counts = counts
    limits = (1...Self.bucketCount).map { bucket in
      bucket == Self.bucketCount ? largest : least + width * Double(bucket)
    }
  }

  /// As summary.proto's HistogramProto: min, max, num, sum, sum_squares, bucket_limit, bucket.
  var message: WireMessage {
    var message = WireMessage()
    for (field, value) in [least, largest, Double(count), sum, sumOfSquares].enumerated() {
      message.add(UInt64(field + 1), value)
    }
    message.add(6, limits)
    message.add(7, counts)
    return message
  }
}
