//! Values counted into buckets, as TensorBoard shows a weight's distribution. Knows no file.

/// As many buckets of equal width as TensorFlow 2 makes, from the least to the largest value.
struct WeightHistogram {
  private static let bucketCount = 30

  private(set) var message = TensorBoardHistogram()

  /// Nil where no value is a finite number; others are left out.
  init?(_ values: [Float]) {
    let finite = values.lazy.filter(\.isFinite).map { Double($0) }
    guard let least = finite.min(), let largest = finite.max() else { return nil }
    message.min = least
    message.max = largest
    message.num = Double(finite.count)
    message.sum = finite.reduce(0, +)
    message.sumSquares = finite.reduce(0) { $0 + $1 * $1 }
    guard largest > least else {
      // One value alone stands in the middle of a bucket of width 1.
      message.bucketLimit = [least - 0.5, least + 0.5]
      message.bucket = [0, message.num]
      return
    }
    let width = (largest - least) / Double(Self.bucketCount)
    var counts = [Double](repeating: 0, count: Self.bucketCount)
    for value in finite {
      counts[min(Int((value - least) / width), Self.bucketCount - 1)] += 1
    }
    message.bucket = counts
    message.bucketLimit = (1...Self.bucketCount).map { bucket in
      bucket == Self.bucketCount ? largest : least + width * Double(bucket)
    }
  }
}
