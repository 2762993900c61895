//! Everything that can be wrong with a folder of prepared data, as facts with their prose.

/// Why prepared data were refused.
package enum PreparedFault: Error, Hashable, Sendable {
  case noJSON(reason: String)
  case format(found: Int, expected: Int)
  case badBlock(name: String, reason: String)
  case noBlock(name: String, found: [String])
  case blockShape(name: String, found: String, expected: String)
  /// The samples' file has another size than its rows have.
  case size(bytes: Int, rows: Int, rowBytes: Int)
  case header(found: String, expected: String)
  case badLine(Int, reason: String)
  case lineCount(found: Int, expected: Int)
  case noClips

  var prose: String {
    switch self {
    case .noJSON(let reason): "describes no prepared data: \(reason)"
    case .format(let found, let expected):
      "its format is \(found), this program reads \(expected)"
    case .badBlock(let name, let reason): "its block `\(name)` cannot be: \(reason)"
    case .noBlock(let name, let found):
      "has no block `\(name)`, only "
        + (found.isEmpty ? "none" : found.map { "`\($0)`" }.joined(separator: ", "))
    case .blockShape(let name, let found, let expected):
      "its block `\(name)` has rows of \(found), expected \(expected)"
    case .size(let bytes, let rows, let rowBytes):
      "\(bytes) bytes, and \(rows) rows of \(rowBytes) bytes are promised"
    case .header(let found, let expected): "begins with `\(found)`, expected `\(expected)`"
    case .badLine(let line, let reason): "line \(line): \(reason)"
    case .lineCount(let found, let expected): "\(found) clips, and \(expected) are promised"
    case .noClips: "no clip is in it"
    }
  }
}
