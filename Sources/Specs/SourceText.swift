//! A text that nodes come from, kept to show its lines. Knows no YAML.

import Diagnostics
import Synchronization

/// A text and the name under which its user knows it.
package final class SourceText: Sendable {
  package let file: String
  private let bytes: [UInt8]
  private let shown = Mutex(Shown())

  /// What was asked for. Only faults ask, so nothing is indexed beforehand; a text of one long line
  /// with many faults has that line once, not once a fault.
  private struct Shown {
    var starts: [Int]?
    var lines: [Int: String] = [:]
  }

  package init(file: String, bytes: [UInt8]) {
    self.file = file
    self.bytes = bytes
  }

  /// Line `number`, from 1, without its end; nil beyond the last.
  package func line(_ number: Int) -> String? {
    shown.withLock { shown in
      if let line = shown.lines[number] { return line }
      let starts = shown.starts ?? Self.starts(bytes)
      shown.starts = starts
      guard starts.indices.contains(number - 1) else { return nil }
      let end = number < starts.count ? starts[number] : bytes.count
      var slice = bytes[starts[number - 1]..<end]
      let ending = Self.ending(slice)
      slice.removeLast(ending)
      let line = String(decoding: slice, as: UTF8.self)
      shown.lines[number] = line
      return line
    }
  }

  /// The place behind the last character that is no blank; where a text ends too early.
  func end() -> SourceLocation {
    let blanks = Set(" \t\r\n".utf8)
    let count = (bytes.lastIndex { !blanks.contains($0) } ?? -1) + 1
    return place(ofByte: count)
  }

  /// The place of the byte at `offset`.
  func place(ofByte offset: Int) -> SourceLocation {
    let before = Array(bytes.prefix(max(0, offset)))
    let starts = Self.starts(before)
    let column = before[(starts.last ?? 0)...].count { $0 & 0xC0 != 0x80 }
    return SourceLocation(file: file, line: starts.count, column: column + 1)
  }

  /// Where lines begin, by libyaml's idea of a line, whose numbers are shown: \r, \n, NEL, LS, PS.
  private static func starts(_ bytes: [UInt8]) -> [Int] {
    var starts = [0]
    for (index, byte) in bytes.enumerated() {
      switch byte {
      case 0x0A: starts.append(index + 1)
      case 0x0D where index + 1 == bytes.count || bytes[index + 1] != 0x0A:
        starts.append(index + 1)
      case 0x85 where index > 0 && bytes[index - 1] == 0xC2: starts.append(index + 1)
      case 0xA8, 0xA9:
        if index > 1, bytes[index - 1] == 0x80, bytes[index - 2] == 0xE2 {
          starts.append(index + 1)
        }
      default: break
      }
    }
    return starts
  }

  /// How many bytes of a line are its end.
  private static func ending(_ line: ArraySlice<UInt8>) -> Int {
    let tail = Array(line.suffix(3))
    if tail.suffix(2) == [0x0D, 0x0A] || tail.suffix(2) == [0xC2, 0x85] { return 2 }
    if tail == [0xE2, 0x80, 0xA8] || tail == [0xE2, 0x80, 0xA9] { return 3 }
    return tail.last == 0x0A || tail.last == 0x0D ? 1 : 0
  }
}
