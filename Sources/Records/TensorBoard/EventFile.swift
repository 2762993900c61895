//! An event file of TensorBoard: scalars and histograms by epoch. Knows no training.

import Files

/// Records that TensorBoard's own readers take: each is its length, the data, and masked CRC-32Cs of
/// both; the data is an `Event` of TensorFlow's event.proto and summary.proto, whose field numbers
/// stand here.
///
/// An event's time is its epoch, counted as seconds: artifacts hold no time of day, so that the same
/// run gives the same bytes. TensorBoard's "relative" and "wall" axes therefore count epochs.
package struct EventFile: Sendable {
  /// What TensorBoard looks for in a file's name, and no more.
  package static let name = "events.out.tfevents.0000000000.shiftwork"

  package let path: String

  /// Starts the file in `folder`, which is made where it is missing, or goes on with the one that
  /// stands there.
  package init(folder: String) throws {
    path = folder + "/" + Self.name
    guard !Files.exists(path) else { return }
    try Files.createDirectories(folder)
    var first = WireMessage()
    first.add(3, "brain.Event:2".utf8)  // file_version
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
    var summary = WireMessage()
    for (tag, number) in scalars.sorted(by: { $0.key < $1.key }) {
      var value = WireMessage()
      value.add(1, tag.utf8)
      value.add(2, chosen: Float(number))  // simple_value
      summary.add(1, value.bytes)
    }
    for (tag, values) in histograms {
      guard let histogram = WeightHistogram(values) else { continue }
      var value = WireMessage()
      value.add(1, tag.utf8)
      value.add(5, histogram.message.bytes)  // histo
      summary.add(1, value.bytes)
    }
    var event = WireMessage()
    event.add(1, Double(epoch))  // wall_time
    event.add(2, Int64(epoch))  // step
    event.add(5, summary.bytes)
    try AppendedFile.append(Self.record(event), to: path)
  }

  private static func record(_ event: WireMessage) -> [UInt8] {
    let length = bytes(UInt64(event.bytes.count))
    return length + bytes(CRC32C.masked(length)) + event.bytes
      + bytes(CRC32C.masked(event.bytes))
  }

  private static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }
}
