//! A list of rows of a test set, from NumPy's .npy or from text. Knows no data set.

import Files

/// Row numbers from 0 in the file's order, as MLPerf Tiny's perf_samples_idxs.npy lists the 200
/// light test images of CIFAR-10.
package enum IndexFile {
  private static let fileLimit = 16 << 20
  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// - Parameter count: rows of the data set.
  /// - Throws: `FileError`; `IndexFileError` where the file is neither form, or names a row that does
  ///   not exist.
  package static func read(_ path: String, count: Int) throws -> [Int] {
    let bytes = try Files.read(path, limit: fileLimit)
    let rows = bytes.starts(with: magic) ? try numpy(bytes, path) : try text(bytes, path)
    guard !rows.isEmpty else { throw IndexFileError.empty(file: path) }
    if let place = rows.firstIndex(where: { !(0..<count).contains($0) }) {
      throw IndexFileError.range(file: path, place: place, row: rows[place], count: count)
    }
    return rows
  }

  // MARK: Text

  /// Whole numbers between white space or commas; a first line of words is a header.
  private static func text(_ bytes: [UInt8], _ path: String) throws -> [Int] {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw IndexFileError.noList(file: path, reason: "it is neither .npy nor text")
    }
    var rows: [Int] = []
    for (number, line) in text.split(
      omittingEmptySubsequences: false, whereSeparator: \.isNewline
    ).enumerated() {
      let words = line.split { $0 == "," || $0.isWhitespace }
      if number == 0, words.allSatisfy({ $0.first?.isLetter == true }) { continue }
      for word in words {
        guard let row = Int(word) else {
          let plain = word.unicodeScalars.prefix(40).map {
            (" "..."~").contains($0) ? Character($0) : "?"
          }
          throw IndexFileError.noList(
            file: path, reason: "line \(number + 1) has `\(String(plain))`, expected whole numbers")
        }
        rows.append(row)
      }
    }
    return rows
  }

  // MARK: NumPy

  /// NumPy's format (versions 1 to 3): magic, version, length of a header in Python's spelling of a
  /// dictionary, values.
  private static func numpy(_ bytes: [UInt8], _ path: String) throws -> [Int] {
    func fault(_ reason: String) -> IndexFileError { .noList(file: path, reason: reason) }
    guard bytes.count >= 12, (1...3).contains(bytes[6]) else {
      throw fault("its .npy version is not 1, 2 or 3, or it is cut off")
    }
    let wide = bytes[6] > 1
    let start = wide ? 12 : 10
    let length = (0..<(wide ? 4 : 2)).reduce(0) { $0 | Int(bytes[8 + $1]) << (8 * $1) }
    guard length <= bytes.count - start else { throw fault("its header is cut off") }
    let header = String(decoding: bytes[start..<start + length], as: UTF8.self)
    guard let type = value(of: "descr", in: header),
      let order = value(of: "fortran_order", in: header),
      let shape = value(of: "shape", in: header)
    else { throw fault("its header lacks `descr`, `fortran_order` or `shape`") }
    // Of one dimension, either order is the same.
    guard order == "False" || order == "True", let element = Element(type) else {
      throw fault("its values are \(type.prefix(20)), expected whole numbers of up to 8 bytes")
    }
    let extents = shape.drop { $0 == "(" }.prefix { $0 != ")" }.split { $0 == "," || $0 == " " }
    guard extents.count == 1, let count = Int(extents[0]), (0...(1 << 24)).contains(count) else {
      throw fault("its shape is \(shape.prefix(40)), expected one dimension")
    }
    let body = bytes[(start + length)...]
    guard body.count == count * element.size else {
      throw fault("\(body.count) bytes of values, \(count) of \(element.size) are promised")
    }
    return try (0..<count).map { place in
      let first = start + length + place * element.size
      guard let row = element.value(bytes[first..<first + element.size]) else {
        throw fault("value \(place) is beyond 2^63")
      }
      return row
    }
  }

  /// What follows a key: a quoted word, a bare word, or a tuple.
  private static func value(of key: String, in header: String) -> String? {
    let parts = header.split(separator: "'", omittingEmptySubsequences: false)
    guard let place = parts.firstIndex(where: { $0 == key }), place + 1 < parts.count else {
      return nil
    }
    let rest = parts[place + 1].drop { $0 == ":" || $0 == " " }
    if rest.isEmpty { return place + 2 < parts.count ? String(parts[place + 2]) : nil }
    if rest.hasPrefix("(") { return String(rest.prefix { $0 != ")" }) + ")" }
    return String(rest.prefix { $0 != "," && $0 != "}" && $0 != " " })
  }

  private struct Element {
    var size: Int
    var isSigned: Bool
    var isBig: Bool

    init?(_ type: String) {
      let letters = Array(type.utf8)
      guard letters.count == 3, let order = type.first, "<>|=".contains(order),
        let size = [1, 2, 4, 8].first(where: { letters[2] == 48 + UInt8($0) }),
        letters[1] == UInt8(ascii: "i") || letters[1] == UInt8(ascii: "u")
      else { return nil }
      self.size = size
      isSigned = letters[1] == UInt8(ascii: "i")
      isBig = order == ">"
    }

    func value(_ bytes: ArraySlice<UInt8>) -> Int? {
      let ordered = isBig ? Array(bytes) : Array(bytes.reversed())
      let word = ordered.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      guard isSigned else { return Int(exactly: word) }
      let shift = 64 - 8 * size
      return Int(Int64(bitPattern: word << UInt64(shift)) >> Int64(shift))
    }
  }
}

/// What is wrong with a list of rows.
package enum IndexFileError: Error, Hashable, Sendable, CustomStringConvertible {
  case noList(file: String, reason: String)
  case empty(file: String)
  case range(file: String, place: Int, row: Int, count: Int)

  package var description: String {
    switch self {
    case .noList(let file, let reason): "\(file): no list of rows: \(reason)"
    case .empty(let file): "\(file): the list has no rows"
    case .range(let file, let place, let row, let count):
      "\(file): entry \(place) is row \(row), the test set has rows 0 to \(count - 1)"
    }
  }
}
