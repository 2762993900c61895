//! JSON's text to values, strictly. Knows nothing of what they mean.

/// Why a text is no JSON.
package struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Bytes before the fault.
  package var offset: Int
  package var problem: String

  package var description: String { "it is no JSON: \(problem) at byte \(offset)" }
}

/// One reading of a text. Foundation's decoder makes an error of each type that a value is not, which
/// takes some twenty times as long.
struct JSONParser {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var place = 0
  private static let depthLimit = 512

  /// The value that the whole of `bytes` spells.
  static func parse(_ bytes: [UInt8]) throws -> JSONValue {
    try bytes.withUnsafeBufferPointer { buffer in
      var parser = JSONParser(buffer)
      // A mark of UTF-8, which editors on Windows write.
      if buffer.starts(with: [0xEF, 0xBB, 0xBF]) { parser.place = 3 }
      let value = try parser.value(depth: 0)
      parser.skipSpace()
      guard parser.place == buffer.count else { throw parser.error("text after the value") }
      return value
    }
  }

  private init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  private func error(_ problem: String) -> JSONError { JSONError(offset: place, problem: problem) }

  private mutating func skipSpace() {
    while place < bytes.count, [32, 10, 13, 9].contains(bytes[place]) { place += 1 }
  }

  private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    place += 1
    return true
  }

  private mutating func value(depth: Int) throws -> JSONValue {
    guard depth < Self.depthLimit else { throw error("values within values, too deeply") }
    skipSpace()
    switch next {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "-"): return try number()
    case let byte? where (48...57).contains(byte): return try number()
    case nil: throw error("the end where a value is due")
    default: throw error("no value")
    }
  }

  private mutating func word(_ word: StaticString, _ value: JSONValue) throws -> JSONValue {
    let count = word.utf8CodeUnitCount
    guard place + count <= bytes.count,
      (0..<count).allSatisfy({ bytes[place + $0] == word.utf8Start[$0] })
    else { throw error("no value") }
    place += count
    return value
  }

  private mutating func object(depth: Int) throws -> JSONValue {
    place += 1
    var members: [String: JSONValue] = [:]
    skipSpace()
    if take(UInt8(ascii: "}")) { return .object(members) }
    while true {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw error("no key in quotes") }
      let key = try string()
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw error("no colon after a key") }
      members[key] = try value(depth: depth + 1)
      skipSpace()
      if take(UInt8(ascii: "}")) { return .object(members) }
      guard take(UInt8(ascii: ",")) else { throw error("neither comma nor brace") }
    }
  }

  private mutating func array(depth: Int) throws -> JSONValue {
    place += 1
    var elements: [JSONValue] = []
    skipSpace()
    if take(UInt8(ascii: "]")) { return .array(elements) }
    while true {
      elements.append(try value(depth: depth + 1))
      skipSpace()
      if take(UInt8(ascii: "]")) { return .array(elements) }
      guard take(UInt8(ascii: ",")) else { throw error("neither comma nor bracket") }
    }
  }

  private mutating func digits() -> Bool {
    let start = place
    while let byte = next, (48...57).contains(byte) { place += 1 }
    return place > start
  }

  /// A number that is whole is an integer, however it is spelt.
  private mutating func number() throws -> JSONValue {
    let start = place
    _ = take(UInt8(ascii: "-"))
    let hasZero = take(UInt8(ascii: "0"))
    guard hasZero || digits() else { throw error("no digit") }
    if hasZero, let byte = next, (48...57).contains(byte) { throw error("a zero before a number") }
    var isWhole = true
    if take(UInt8(ascii: ".")) {
      isWhole = false
      guard digits() else { throw error("no digit") }
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      isWhole = false
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      guard digits() else { throw error("no digit") }
    }
    let text = String(decoding: bytes[start..<place], as: UTF8.self)
    if isWhole, let number = Int(text) { return .int(number) }
    guard let number = Double(text), number.isFinite else { throw error("too large a number") }
    return Int(exactly: number).map { .int($0) } ?? .double(number)
  }

  private mutating func string() throws -> String {
    place += 1
    let start = place
    while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 32 {
      place += 1
    }
    if next == UInt8(ascii: "\"") {
      defer { place += 1 }
      return try checked(bytes[start..<place])
    }
    var text = Array(bytes[start..<place])
    while true {
      guard let byte = next else { throw error("the end within a string") }
      place += 1
      switch byte {
      case UInt8(ascii: "\""): return try checked(text[...])
      case UInt8(ascii: "\\"): try escape(into: &text)
      case 0..<32: throw error("a control character within a string")
      default: text.append(byte)
      }
    }
  }

  private func checked(_ text: some Collection<UInt8>) throws -> String {
    guard let string = String(validating: text, as: UTF8.self) else { throw error("no UTF-8") }
    return string
  }

  private mutating func escape(into text: inout [UInt8]) throws {
    guard let byte = next else { throw error("the end within a string") }
    place += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(8)
    case UInt8(ascii: "f"): text.append(12)
    case UInt8(ascii: "n"): text.append(10)
    case UInt8(ascii: "r"): text.append(13)
    case UInt8(ascii: "t"): text.append(9)
    case UInt8(ascii: "u"):
      var code = try hex()
      if (0xD800..<0xDC00).contains(code) {
        guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw error("half a pair") }
        let low = try hex()
        guard (0xDC00..<0xE000).contains(low) else { throw error("half a pair") }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw error("half a pair") }
      text += UTF8.encode(scalar).map(Array.init) ?? []
    default: throw error("an escape that JSON has not")
    }
  }

  private mutating func hex() throws -> UInt32 {
    guard place + 4 <= bytes.count else { throw error("the end within a string") }
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = Character(Unicode.Scalar(bytes[place])).hexDigitValue,
        bytes[place] < 128
      else { throw error("no hexadecimal digit") }
      code = code << 4 | UInt32(digit)
      place += 1
    }
    return code
  }
}
