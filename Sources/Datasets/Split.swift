//! Which rows of a training set are held back for validation; knows no images.

import Tensors

/// What a random number is drawn for: the first key under the user's seed, so that the split, the
/// order of batches, the augmentation and the made images never share a sequence.
enum RandomPurpose {
  static let split: UInt64 = 1
  static let order: UInt64 = 2
  static let augmentation: UInt64 = 3
  static let synthetic: UInt64 = 4
  static let noise: UInt64 = 5
  static let words: UInt64 = 6
}

/// A split of rows by seed.
package struct Split {
  /// Draws the rows that validate: the first of a seeded shuffle (Fisher-Yates).
  ///
  /// - Parameters:
  ///   - count: rows in all.
  ///   - fraction: the validating share of them, 0...1; their number is rounded to the nearest.
  ///   - seed: equal seeds give equal splits.
  /// - Returns: two ascending lists that together hold each row once.
  package static func validation(
    count: Int, fraction: Double, seed: UInt64
  ) -> (training: [Int], validation: [Int]) {
    precondition(count >= 0 && (0...1).contains(fraction), "\(fraction) of \(count) rows")
    var rows = Array(0..<count)
    var random = SeededGenerator(seed: seed, RandomPurpose.split)
    random.shuffle(&rows)
    let held = Int((Double(count) * fraction).rounded())
    return (rows[held...].sorted(), rows[..<held].sorted())
  }
}
