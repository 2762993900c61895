//! A text that nodes come from, kept to show its lines. Knows no YAML.

/// A text and the name under which its user knows it.
package final class SourceText: Sendable {
  package let file: String
  private let bytes: [UInt8]

  package init(file: String, bytes: [UInt8]) {
    self.file = file
    self.bytes = bytes
  }

  /// Line `number`, from 1, without its end; nil beyond the last. Only faults ask, so nothing is
  /// indexed beforehand.
  package func line(_ number: Int) -> String? {
    var start = bytes.startIndex
    for _ in 1..<max(1, number) {
      guard let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) else { return nil }
      start = end + 1
    }
    var line = bytes[start...].prefix { $0 != UInt8(ascii: "\n") }
    if line.last == UInt8(ascii: "\r") { line.removeLast() }
    return String(decoding: line, as: UTF8.self)
  }
}
