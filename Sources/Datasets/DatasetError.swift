//! Everything that can be wrong with a data set, as facts; the prose is in two switches here.

/// A fault in a data set's files: which file, where, what.
package enum DatasetError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file is no pickle of the kind that the reader accepts.
  case pickle(file: String, offset: Int, PickleFault)
  /// The pickle holds something else than a dictionary.
  case notADictionary(file: String, found: String)
  case missingKey(file: String, key: String, found: [String])
  /// A value, or one row of it, has the wrong type.
  case wrongType(file: String, key: String, row: Int?, expected: String, found: String)
  /// The array of pixels is not uint8, rows x `columns`.
  case wrongPixels(file: String, offset: Int, columns: Int, type: String, shape: [Int])
  /// The array of pixels has the right shape and another number of bytes.
  case pixelBytes(file: String, offset: Int, rows: Int, columns: Int, found: Int)
  case fortranOrder(file: String, offset: Int)
  case rowCount(file: String, labels: Int, rows: Int)
  case labelRange(file: String, row: Int, label: Int, classes: Int)
  case noRows(file: String)
  case noFiles
  /// A binary batch is no whole number of rows.
  case binaryBatch(file: String, bytes: Int, rowBytes: Int)
  /// The file is no JPEG that can be decoded.
  case jpeg(file: String, reason: String)
  /// The file is no recording that can be used.
  case sound(file: String, SoundFault)
  /// A file of a prepared data set is not what it should be.
  case prepared(file: String, PreparedFault)
  /// A folder does not hold what the data set is made of.
  case folder(path: String, FolderFault)
  /// A file's contents give no example: too short, or no ready-made features.
  case features(file: String, reason: String)

  package var description: String {
    switch self {
    case .pickle(let file, let offset, let fault):
      "\(file): \(fault.prose(at: offset))"
    case .notADictionary(let file, let found):
      "\(file): the pickle holds \(found), a CIFAR-10 batch is a dictionary"
    case .missingKey(let file, let key, let found):
      "\(file): no key `\(key)`; the batch has "
        + (found.isEmpty ? "no keys" : found.map { "`\($0)`" }.joined(separator: ", "))
    case .wrongType(let file, let key, let row, let expected, let found):
      "\(file): `\(key)`\(row.map { " row \($0)" } ?? "") is \(found), expected \(expected)"
    case .wrongPixels(let file, let offset, let columns, let type, let shape):
      "\(file): `data` at offset \(offset) is \(type) of shape "
        + "\(shape.map(String.init).joined(separator: " x ")), expected u1 of shape rows x \(columns)"
    case .pixelBytes(let file, let offset, let rows, let columns, let found):
      "\(file): `data` at offset \(offset) holds \(found) bytes, "
        + "\(rows) x \(columns) are \(rows * columns)"
    case .fortranOrder(let file, let offset):
      "\(file): `data` at offset \(offset) is in Fortran order, expected C order"
    case .rowCount(let file, let labels, let rows):
      "\(file): \(labels) labels for \(rows) rows of pixels"
    case .labelRange(let file, let row, let label, let classes):
      "\(file): row \(row) has the label \(label), expected 0...\(classes - 1)"
    case .noRows(let file):
      "\(file): the batch has no rows"
    case .noFiles:
      "no batch files were named"
    case .binaryBatch(let file, let bytes, let rowBytes):
      "\(file): \(bytes) bytes, a binary batch is rows of \(rowBytes)"
    case .jpeg(let file, let reason):
      "\(file): no usable JPEG: \(reason)"
    case .sound(let file, let fault):
      "\(file): \(fault.prose)"
    case .prepared(let file, let fault):
      "\(file): \(fault.prose)"
    case .folder(let path, let fault): "\(path): \(fault.prose)"
    case .features(let file, let reason): "\(file): \(reason)"
    }
  }
}

/// Why a pickle was refused.
package enum PickleFault: Hashable, Sendable {
  /// A function or class outside the few that a numpy array needs.
  case global(String)
  /// A real opcode outside the subset.
  case opcode(String)
  case unknownOpcode(UInt8)
  case protocolVersion(Int)
  /// A length field beyond the bytes that are left.
  case length(opcode: String, claimed: Int, left: Int)
  /// The file ends inside an opcode.
  case truncated(opcode: String, end: Int)
  /// The file ends between two opcodes.
  case noStop
  case trailingBytes(Int)
  case emptyStack(opcode: String)
  case noMark(opcode: String)
  case unknownMemo(opcode: String, index: Int)
  case operand(opcode: String, expected: String, found: String)
  /// A line of protocol 0 that does not hold what its opcode wants.
  case line(opcode: String, text: String)
  case oddItems(opcode: String)
  case wideInteger(bytes: Int)
  case depth(limit: Int)
  case values(limit: Int)
  case decodedBytes

  static let holds = """
    a CIFAR-10 batch holds only numbers, strings, lists, tuples, dictionaries and numpy arrays
    """

  func prose(at offset: Int) -> String {
    switch self {
    case .global(let name):
      "refuses to call \(name) at offset \(offset): \(Self.holds)"
    case .opcode(let name):
      "refuses the opcode \(name) at offset \(offset): \(Self.holds)"
    case .unknownOpcode(let byte):
      "byte \(byte) at offset \(offset) is no pickle opcode"
    case .protocolVersion(let version):
      "pickle protocol \(version) at offset \(offset), expected at most 3; "
        + "in Python, pickle.dump(batch, file, protocol=2) writes one"
    case .length(let opcode, let claimed, let left):
      "\(opcode) at offset \(offset) claims \(claimed) bytes, the file has \(left) more"
    case .truncated(let opcode, let end):
      "truncated: the file ends at offset \(end), inside \(opcode) at offset \(offset)"
    case .noStop:
      "truncated: the file ends at offset \(offset) without STOP"
    case .trailingBytes(let count):
      "\(count) bytes follow the pickle's end at offset \(offset)"
    case .emptyStack(let opcode):
      "\(opcode) at offset \(offset) finds too few values"
    case .noMark(let opcode):
      "\(opcode) at offset \(offset) finds no MARK"
    case .unknownMemo(let opcode, let index):
      "\(opcode) at offset \(offset) asks for memo \(index), which nothing has put"
    case .operand(let opcode, let expected, let found):
      "\(opcode) at offset \(offset) finds \(found), expected \(expected)"
    case .line(let opcode, let text):
      "\(opcode) at offset \(offset) cannot read `\(text)`"
    case .oddItems(let opcode):
      "\(opcode) at offset \(offset) finds a key without a value"
    case .wideInteger(let bytes):
      "an integer of \(bytes) bytes at offset \(offset), expected at most 8"
    case .depth(let limit):
      "nested deeper than \(limit) levels at offset \(offset)"
    case .values(let limit):
      "more than \(limit) values at offset \(offset)"
    case .decodedBytes:
      "strings decode to more bytes than the file holds at offset \(offset)"
    }
  }
}
