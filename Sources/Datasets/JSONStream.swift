//! JSON read from a file piece by piece, for files of hundreds of megabytes of which little is
//! wanted. Knows no member's name.

import Files
import Glibc

/// A reader that is told what it should find next; what is not wanted is skipped without being
/// kept. The file may hold anything: depth and lengths are bounded, and a fault has its offset.
final class JSONStream {
  /// What is wrong, and where.
  struct Fault: Error, Hashable, Sendable, CustomStringConvertible {
    let file: String
    let offset: Int
    let reason: String

    var description: String { "\(file): offset \(offset): \(reason)" }
  }

  private static let depthLimit = 64
  private static let stringLimit = 1 << 16

  private let path: String
  private let descriptor: Int32
  private let buffer: UnsafeMutableBufferPointer<UInt8>
  private var place = 0
  private var end = 0
  /// Bytes of the file before the buffer.
  private var base = 0
  private var depth = 0

  init(path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw FileError.system(operation: "open", path: path, code: errno)
    }
    self.path = path
    self.descriptor = descriptor
    buffer = .allocate(capacity: 1 << 20)
    if Files.isDirectory(path) { throw FileError.isDirectory(path: path) }
  }

  deinit {
    close(descriptor)
    buffer.deallocate()
  }

  var offset: Int { base + place }

  func fault(_ reason: String, at offset: Int? = nil) -> Fault {
    Fault(file: path, offset: offset ?? self.offset, reason: reason)
  }

  // MARK: Values

  /// An object's members in their order: `body` is called with each key and reads or skips the value.
  func members(_ body: (String) throws -> Void) throws {
    try expect("{", "an object")
    try enter()
    if try peekPastSpace() == UInt8(ascii: "}") {
      place += 1
    } else {
      while true {
        let key = try string()
        try expect(":", "`:` after `\(key)`")
        try body(key)
        if try isLast("}", "an object") { break }
      }
    }
    depth -= 1
  }

  /// An array's elements: `body` is called for each and reads or skips it.
  func elements(_ body: () throws -> Void) throws {
    try expect("[", "an array")
    try enter()
    if try peekPastSpace() == UInt8(ascii: "]") {
      place += 1
    } else {
      while true {
        try body()
        if try isLast("]", "an array") { break }
      }
    }
    depth -= 1
  }

  func string() throws -> String {
    try expect("\"", "a string")
    var bytes: [UInt8] = []
    while true {
      let byte = try next()
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: bytes, as: UTF8.self) else {
          throw fault("the string is not UTF-8")
        }
        return text
      case UInt8(ascii: "\\"): try escape(into: &bytes)
      case 0..<32: throw fault("a string has a control character", at: offset - 1)
      default: bytes.append(byte)
      }
      guard bytes.count <= Self.stringLimit else {
        throw fault("a string of more than \(Self.stringLimit) bytes")
      }
    }
  }

  func number() throws -> Double {
    _ = try peekPastSpace()
    let start = offset
    var text: [UInt8] = []
    while let byte = try peek(), Self.isOfNumber(byte) {
      text.append(byte)
      place += 1
      guard text.count <= 64 else { throw fault("a number of more than 64 digits", at: start) }
    }
    guard let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite else {
      throw fault("expected a number", at: start)
    }
    return value
  }

  /// A whole number from 0 to 2^53.
  func whole() throws -> Int {
    _ = try peekPastSpace()
    let start = offset
    let value = try number()
    guard value >= 0, value <= 0x1p53, value == value.rounded() else {
      throw fault("expected a whole number of at least 0", at: start)
    }
    return Int(value)
  }

  /// Whatever comes next, checked as far as its brackets and quotes.
  func skip() throws {
    switch try peekPastSpace() {
    case UInt8(ascii: "{"): try members { _ in try skip() }
    case UInt8(ascii: "["): try elements { try skip() }
    case UInt8(ascii: "\""): try skipString()
    case UInt8(ascii: "t"): try word("true")
    case UInt8(ascii: "f"): try word("false")
    case UInt8(ascii: "n"): try word("null")
    case UInt8(ascii: "-"), 48...57:
      while let byte = try peek(), Self.isOfNumber(byte) { place += 1 }
    default: throw fault("expected a value")
    }
  }

  /// Nothing but white space may follow.
  func finish() throws {
    while let byte = try peek() {
      guard Self.isSpace(byte) else { throw fault("text after the end of the value") }
      place += 1
    }
  }

  // MARK: Bytes

  private func enter() throws {
    depth += 1
    guard depth <= Self.depthLimit else {
      throw fault("more than \(Self.depthLimit) values inside each other")
    }
  }

  private func skipString() throws {
    place += 1
    while true {
      let byte = try next()
      if byte == UInt8(ascii: "\"") { return }
      if byte == UInt8(ascii: "\\") { _ = try next() }
    }
  }

  private func word(_ word: String) throws {
    for byte in word.utf8 {
      guard try next() == byte else { throw fault("expected `\(word)`", at: offset - 1) }
    }
  }

  private func isLast(_ closing: Unicode.Scalar, _ what: String) throws -> Bool {
    switch try peekPastSpace() {
    case UInt8(ascii: closing):
      place += 1
      return true
    case UInt8(ascii: ","):
      place += 1
      return false
    default: throw fault("expected `,` or `\(closing)` in \(what)")
    }
  }

  private func expect(_ scalar: Unicode.Scalar, _ what: String) throws {
    guard try peekPastSpace() == UInt8(ascii: scalar) else { throw fault("expected \(what)") }
    place += 1
  }

  private func escape(into bytes: inout [UInt8]) throws {
    let byte = try next()
    switch byte {
    case UInt8(ascii: "n"): bytes.append(10)
    case UInt8(ascii: "t"): bytes.append(9)
    case UInt8(ascii: "r"): bytes.append(13)
    case UInt8(ascii: "b"): bytes.append(8)
    case UInt8(ascii: "f"): bytes.append(12)
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(byte)
    case UInt8(ascii: "u"):
      var unit = try hexadecimal()
      if (0xD800..<0xDC00).contains(unit) {
        try word("\\u")
        let low = try hexadecimal()
        guard (0xDC00..<0xE000).contains(low) else { throw fault("half of a surrogate pair") }
        unit = 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(unit) else { throw fault("half of a surrogate pair") }
      bytes += Array(String(Character(scalar)).utf8)
    default: throw fault("an escape that JSON does not have", at: offset - 1)
    }
  }

  private func hexadecimal() throws -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      let byte = try next()
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw fault("expected four hexadecimal digits", at: offset - 1)
      }
      value = value << 4 | UInt32(digit)
    }
    return value
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 32 || byte == 10 || byte == 13 || byte == 9
  }

  private static func isOfNumber(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
      || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E")
  }

  private func peekPastSpace() throws -> UInt8 {
    while true {
      guard let byte = try peek() else { throw fault("the file ends inside a value") }
      guard Self.isSpace(byte) else { return byte }
      place += 1
    }
  }

  private func next() throws -> UInt8 {
    guard let byte = try peek() else { throw fault("the file ends inside a value") }
    place += 1
    return byte
  }

  private func peek() throws -> UInt8? {
    if place == end {
      base += end
      place = 0
      end = 0
      while true {
        let got = read(descriptor, buffer.baseAddress, buffer.count)
        if got < 0 && errno == EINTR { continue }
        guard got >= 0 else {
          throw FileError.system(operation: "read", path: path, code: errno)
        }
        end = got
        break
      }
      if end == 0 { return nil }
    }
    return buffer[place]
  }
}
