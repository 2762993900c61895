//! The spelling of one line of the journal; knows nothing of the file that holds it.

import Files

/// A line of the journal: `CRC32 length header payload`, tab-separated, where the CRC covers the
/// header alone and the header holds the payload's, so that a start-up never reads the payloads.
enum JournalLine {
  case record(Record)
  /// A sync has covered everything in front of this offset of the journal.
  case sync(offset: Int)

  private static let tab = UInt8(ascii: "\t")

  /// The line with its newline.
  var bytes: [UInt8] {
    var fields: [String]
    var payload: ArraySlice<UInt8> = []
    switch self {
    case .record(let record):
      payload = record.payload
      fields = ["record", record.boot, String(record.keys.count)]
      fields += record.keys.map(\.hex)
      fields += [
        record.artifact.hex, String(record.kindTag, radix: 16), String(record.seconds),
        record.name, String(record.files.count),
      ]
      fields += record.files.map { "\($0.size) \($0.path)" }
      fields += [String(payload.count), String(CRC32.checksum(payload), radix: 16)]
    case .sync(let offset): fields = ["sync", String(offset)]
    }
    let header = Array(fields.joined(separator: "\t").utf8)
    let sum = String(CRC32.checksum(header), radix: 16)
    var line = Array("\(sum)\t\(header.count)\t".utf8)
    line += header
    line.append(Self.tab)
    line += payload
    line.append(UInt8(ascii: "\n"))
    return line
  }

  /// Nil for a torn or damaged line. `line` comes without its newline.
  init?(_ line: ArraySlice<UInt8>) {
    var outer = FieldScanner(line)
    guard let sum = outer.nextNumber(radix: 16, as: UInt32.self),
      let length = outer.nextNumber(as: Int.self), length >= 0, length < outer.rest.count
    else { return nil }
    let header = outer.rest.prefix(length)
    let after = outer.rest.dropFirst(length)
    guard after.first == Self.tab, CRC32.checksum(header) == sum else { return nil }
    var scanner = FieldScanner(header)
    switch scanner.next().map({ String(decoding: $0, as: UTF8.self) }) {
    case "sync":
      guard let offset = scanner.nextNumber(as: Int.self) else { return nil }
      self = .sync(offset: offset)
    case "record":
      guard let record = Self.record(from: &scanner, payload: after.dropFirst()) else { return nil }
      self = .record(record)
    default: return nil
    }
  }

  private static func record(
    from scanner: inout FieldScanner, payload: ArraySlice<UInt8>
  ) -> Record? {
    guard let boot = scanner.nextText(), let keyCount = scanner.nextNumber(as: Int.self),
      (0...64).contains(keyCount)
    else { return nil }
    var keys: [Digest] = []
    for _ in 0..<keyCount {
      guard let key = scanner.next().flatMap({ Digest(hex: $0) }) else { return nil }
      keys.append(key)
    }
    guard let artifact = scanner.next().flatMap({ Digest(hex: $0) }),
      let tag = scanner.nextNumber(radix: 16, as: UInt64.self),
      let seconds = scanner.nextText().flatMap(Double.init), let name = scanner.nextText(),
      let fileCount = scanner.nextNumber(as: Int.self), fileCount >= 0
    else { return nil }
    var files: [Record.File] = []
    for _ in 0..<fileCount {
      guard let field = scanner.next(), let space = field.firstIndex(of: UInt8(ascii: " ")),
        let size = Int64(String(decoding: field[..<space], as: UTF8.self))
      else { return nil }
      let path = String(decoding: field[(space + 1)...], as: UTF8.self)
      files.append(Record.File(path: path, size: size))
    }
    guard let length = scanner.nextNumber(as: Int.self), length == payload.count,
      let sum = scanner.nextNumber(radix: 16, as: UInt32.self),
      CRC32.checksum(payload) == sum
    else { return nil }
    return Record(
      artifact: artifact, keys: keys, name: name, seconds: seconds, files: files,
      kindTag: tag, boot: boot, payload: payload)
  }
}

/// Reads tab-separated fields one after another.
private struct FieldScanner {
  private(set) var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  mutating func next() -> ArraySlice<UInt8>? {
    guard !rest.isEmpty else { return nil }
    let end = rest.firstIndex(of: UInt8(ascii: "\t")) ?? rest.endIndex
    let field = rest[..<end]
    rest = end < rest.endIndex ? rest[(end + 1)...] : rest[end...]
    return field
  }

  mutating func nextText() -> String? { next().map { String(decoding: $0, as: UTF8.self) } }

  mutating func nextNumber<Number: FixedWidthInteger>(
    radix: Int = 10, as type: Number.Type
  ) -> Number? {
    nextText().flatMap { Number($0, radix: radix) }
  }
}
