//! An event file of TensorBoard: scalars and histograms by epoch. Knows no training.

import Files
import SwiftProtobuf

/// Records that TensorBoard's own readers take: each is its length, the data, and masked CRC-32Cs of
/// both.
///
/// An event's time is its epoch, counted as seconds: artifacts hold no time of day, so that the same
/// run gives the same bytes. TensorBoard's "relative" and "wall" axes therefore count epochs.
package struct EventFile: Sendable {
  /// What TensorBoard looks for in a file's name, and no more.
  package static let name = "events.out.tfevents.0000000000.shiftwork"

  package let path: String

  /// Starts the file in `folder`, which is made where it is missing.
  package init(folder: String) throws {
    path = folder + "/" + Self.name
    try Files.createDirectories(folder)
    var first = TensorBoardEvent()
    first.fileVersion = "brain.Event:2"
    try Files.writeAtomically(Self.record(first), to: path)
  }

  /// Appends one epoch, from 0.
  ///
  /// - Parameters:
  ///   - scalars: by tag: "epoch_loss".
  ///   - histograms: the values whose distribution is shown, by tag, in this order.
  package func append(
    epoch: Int, scalars: [String: Double], histograms: [(tag: String, values: [Float])] = []
  ) throws {
    var event = TensorBoardEvent()
    event.wallTime = Double(epoch)
    event.step = Int64(epoch)
    event.summary.value = scalars.sorted { $0.key < $1.key }.map { tag, number in
      var value = TensorBoardSummary.Value()
      value.tag = tag
      value.simpleValue = Float(number)
      return value
    }
    for (tag, values) in histograms {
      guard let histogram = WeightHistogram(values) else { continue }
      var value = TensorBoardSummary.Value()
      value.tag = tag
      value.histo = histogram.message
      event.summary.value.append(value)
    }
    try AppendedFile.append(Self.record(event), to: path)
  }

  private static func record(_ event: TensorBoardEvent) throws -> [UInt8] {
    let data: [UInt8] = try event.serializedBytes()
    let length = bytes(UInt64(data.count))
    return length + bytes(CRC32C.masked(length)) + data + bytes(CRC32C.masked(data))
  }

  private static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }
}
