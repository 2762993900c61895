//! The opcodes that push one value of their own: numbers, strings, names. Knows no stack.

extension PickleReader {
  /// The value that the opcode at hand writes out; nil where it is no literal.
  mutating func literal() throws(DatasetError) -> PickleValue? {
    switch opcode {
    case .none: return PickleValue.none
    case .newtrue: return .bool(true)
    case .newfalse: return .bool(false)
    case .binint: return .int(Int(Int32(truncatingIfNeeded: try unsigned(bytes: 4))))
    case .binint1: return .int(try unsigned(bytes: 1))
    case .binint2: return .int(try unsigned(bytes: 2))
    case .long1: return .int(try long(bytes: try unsigned(bytes: 1)))
    case .long4: return .int(try long(bytes: try unsigned(bytes: 4)))
    case .int, .long: return try integerLine()
    case .binstring, .binbytes: return .bytes(try counted(bytes: 4))
    case .shortBinstring, .shortBinbytes: return .bytes(try counted(bytes: 1))
    case .binunicode: return .text(try counted(bytes: 4))
    case .string: return try quotedLine()
    case .unicode: return try unicodeLine()
    case .global: return .global(try global())
    default: return nil
    }
  }

  /// A little-endian number of the opcode's own.
  mutating func unsigned(bytes count: Int) throws(DatasetError) -> Int {
    guard pickle.file.count - position >= count else { throw truncated() }
    var value = 0
    for shift in 0..<count { value |= Int(pickle.file[position + shift]) << (8 * shift) }
    position += count
    return value
  }

  private func truncated() -> DatasetError {
    fault(.truncated(opcode: opcode.name, end: pickle.file.count))
  }

  private mutating func long(bytes count: Int) throws(DatasetError) -> Int {
    let left = pickle.file.count - position
    if count > left {
      throw fault(.length(opcode: opcode.name, claimed: count, left: left))
    }
    if count > 8 { throw fault(.wideInteger(bytes: count)) }
    var value = 0
    for shift in 0..<count { value |= Int(pickle.file[position + shift]) << (8 * shift) }
    position += count
    let unused = 64 - 8 * count
    // Two's complement of `count` bytes: the shifts spread the sign.
    return count == 0 ? 0 : (value << unused) >> unused
  }

  /// A string with its length before it. A negative length reads as one beyond 2 GB.
  private mutating func counted(bytes width: Int) throws(DatasetError) -> PickleBytes {
    let count = try unsigned(bytes: width)
    let left = pickle.file.count - position
    if count > left {
      throw fault(.length(opcode: opcode.name, claimed: count, left: left))
    }
    position += count
    return PickleBytes(isDecoded: false, range: (position - count)..<position)
  }

  /// The rest of the line, without its newline: how protocol 0 writes everything.
  mutating func line() throws(DatasetError) -> Range<Int> {
    let first = position
    while position < pickle.file.count {
      position += 1
      if pickle.file[position - 1] == UInt8(ascii: "\n") { return first..<(position - 1) }
    }
    throw truncated()
  }

  mutating func decimal(_ line: Range<Int>) throws(DatasetError) -> Int {
    guard line.count <= 20, let value = Int(String(decoding: pickle.file[line], as: UTF8.self))
    else { throw unreadable(line) }
    return value
  }

  private func unreadable(_ line: Range<Int>) -> DatasetError {
    fault(.line(opcode: opcode.name, text: printable(pickle.file[line])))
  }

  private mutating func integerLine() throws(DatasetError) -> PickleValue {
    var line = try line()
    if opcode == .int {
      // Protocol 0 and 1 spell the booleans as these two integers.
      let text = pickle.file[line]
      if text.elementsEqual("01".utf8) { return .bool(true) }
      if text.elementsEqual("00".utf8) { return .bool(false) }
    } else if line.last.map({ pickle.file[$0] }) == UInt8(ascii: "L") {
      line = line.lowerBound..<(line.upperBound - 1)
    }
    return .int(try decimal(line))
  }

  /// Python 2's repr of a byte string.
  private mutating func quotedLine() throws(DatasetError) -> PickleValue {
    let line = try line()
    let file = pickle.file
    guard line.count >= 2, let quote = line.first.map({ file[$0] }),
      quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\""),
      file[line.upperBound - 1] == quote
    else { throw unreadable(line) }
    var decoded: [UInt8] = []
    var index = line.lowerBound + 1
    let end = line.upperBound - 1
    while index < end {
      let byte = file[index]
      index += 1
      guard byte == UInt8(ascii: "\\") else {
        decoded.append(byte)
        continue
      }
      guard index < end else { throw unreadable(line) }
      let escape = file[index]
      index += 1
      switch escape {
      case UInt8(ascii: "n"): decoded.append(UInt8(ascii: "\n"))
      case UInt8(ascii: "r"): decoded.append(UInt8(ascii: "\r"))
      case UInt8(ascii: "t"): decoded.append(UInt8(ascii: "\t"))
      case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""): decoded.append(escape)
      case UInt8(ascii: "x"):
        guard end - index >= 2, let value = hexadecimal(file[index..<(index + 2)]) else {
          throw unreadable(line)
        }
        decoded.append(UInt8(truncatingIfNeeded: value))
        index += 2
      default: throw unreadable(line)
      }
    }
    return .bytes(try keep(decoded))
  }

  /// Text in raw-unicode-escape: latin1, but for \uXXXX. Characters beyond that plane are refused.
  private mutating func unicodeLine() throws(DatasetError) -> PickleValue {
    let line = try line()
    let file = pickle.file
    var text = ""
    var index = line.lowerBound
    while index < line.upperBound {
      var value = UInt32(file[index])
      index += 1
      if value == UInt32(UInt8(ascii: "\\")), index < line.upperBound,
        file[index] == UInt8(ascii: "u")
      {
        guard line.upperBound - index >= 5,
          let digits = hexadecimal(file[(index + 1)..<(index + 5)])
        else { throw unreadable(line) }
        value = digits
        index += 5
      }
      guard let scalar = Unicode.Scalar(value) else { throw unreadable(line) }
      text.unicodeScalars.append(scalar)
    }
    return .text(try keep(Array(text.utf8)))
  }

  private func hexadecimal(_ digits: ArraySlice<UInt8>) -> UInt32? {
    var value: UInt32 = 0
    for digit in digits {
      guard let nibble = Character(Unicode.Scalar(digit)).hexDigitValue else { return nil }
      value = value << 4 | UInt32(nibble)
    }
    return value
  }

  /// Moves decoded bytes into the pickle. A byte of the file makes at most two of UTF-8 and those
  /// one of latin1, so more than this can only come from one string decoded over and over.
  mutating func keep(_ bytes: [UInt8]) throws(DatasetError) -> PickleBytes {
    let first = pickle.decoded.count
    if first + bytes.count > 4 * pickle.file.count { throw fault(.decodedBytes) }
    pickle.decoded += bytes
    return PickleBytes(isDecoded: true, range: first..<pickle.decoded.count)
  }

  /// Foreign bytes as one short line of printable ASCII, for messages.
  func printable(_ bytes: ArraySlice<UInt8>) -> String {
    let shown = bytes.prefix(60).map { byte in
      (0x20..<0x7F).contains(byte) ? String(Unicode.Scalar(byte)) : "?"
    }
    return shown.joined() + (bytes.count > 60 ? "..." : "")
  }
}
