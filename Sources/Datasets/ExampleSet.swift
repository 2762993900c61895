//! What batches are made of: examples that become floats one by one. Knows no file, no epoch's order
//! and no network.

/// Examples with a label each, in memory or on disk, that are written as floats in any order and
/// from any thread.
package protocol ExampleSet: Sendable {
  var count: Int { get }
  /// Floats of one example.
  var exampleSize: Int { get }
  func label(of row: Int) -> Int32
  /// What an example is a part of, such as the clip of a window: 0..<number of groups.
  func group(of row: Int) -> Int32
  /// Buffers and settings with which one thread writes examples of one epoch.
  func makeWriter(_ draw: ExampleDraw) -> any ExampleWriter
}

extension ExampleSet {
  package func group(of row: Int) -> Int32 { Int32(row) }
}

/// Writes examples; for one thread.
package protocol ExampleWriter {
  /// - Parameter output: room for `exampleSize` floats.
  /// - Throws: what reading the example's file throws.
  mutating func write(_ row: Int, to output: UnsafeMutablePointer<Float>) throws
}

/// What an example's random numbers come from, together with its row: nothing else may sway them.
package struct ExampleDraw: Hashable, Sendable {
  package var seed: UInt64
  /// From 0.
  package var epoch: Int
  /// Whether examples are varied at all.
  package var augments: Bool

  package init(seed: UInt64, epoch: Int, augments: Bool) {
    self.seed = seed
    self.epoch = epoch
    self.augments = augments
  }
}
