//! What a folder of prepared data says about itself: prepared.json. Knows neither how data are
//! prepared nor what is done with them.

/// The parts of a prepared data set and the classes that their labels count.
package struct PreparedContents: Hashable, Sendable, Codable {
  /// What each value of a row is, little endian.
  package enum Element: String, Hashable, Sendable, Codable, CaseIterable {
    case uint8, int16, float32

    package var size: Int {
      switch self {
      case .uint8: 1
      case .int16: 2
      case .float32: 4
      }
    }
  }

  /// Rows of one shape: NAME.samples has their values, NAME.csv says what they are of.
  package struct Block: Hashable, Sendable, Codable {
    package enum CodingKeys: String, CodingKey {
      case name, element, rows, clips
      case rowShape = "row_shape"
    }

    package var name: String
    package var element: Element
    /// Extents of one row, the innermost last.
    package var rowShape: [Int]
    package var rows: Int
    /// Lines of NAME.csv.
    package var clips: Int

    package var rowCount: Int { rowShape.reduce(1, *) }
    package var rowBytes: Int { rowCount * element.size }
  }

  /// Of this layout.
  package static let format = 1
  package static let file = "prepared.json"

  package var format = PreparedContents.format
  package var classes: [String]
  package var blocks: [Block]

  package init(classes: [String], blocks: [Block] = []) {
    self.classes = classes
    self.blocks = blocks
  }
}

/// One line of NAME.csv: consecutive rows that come from one file.
package struct PreparedClip: Hashable, Sendable {
  package var firstRow: Int
  package var rows: Int
  /// The file's path below the data set's folder, or the made clip's name.
  package var file: String
  /// An index into `classes`.
  package var label: Int32
  /// What scores are gathered by, such as a machine's id; "" where there is nothing.
  package var group: String

  package init(firstRow: Int = 0, rows: Int = 1, file: String, label: Int32, group: String = "") {
    self.firstRow = firstRow
    self.rows = rows
    self.file = file
    self.label = label
    self.group = group
  }

  static let header = "first_row,rows,file,label,group"

  /// The line, without its end.
  var line: String {
    "\(firstRow),\(rows),\(CSVText.field(file)),\(label),\(CSVText.field(group))"
  }
}

/// Fields of comma-separated values (RFC 4180), without line ends in them.
package enum CSVText {
  /// A field as it stands in a line: in quotes where it must be.
  package static func field(_ text: String) -> String {
    text.utf8.contains { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\"") }
      ? "\""
        + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
        + "\"" : text
  }

  /// The fields of a line; nil where its quotes are at odds.
  package static func fields(_ line: Substring) -> [String]? {
    var fields: [String] = []
    var field: [UInt8] = []
    var isQuoted = false
    var bytes = line.utf8.makeIterator()
    var byte = bytes.next()
    while let current = byte {
      byte = bytes.next()
      switch current {
      case UInt8(ascii: "\"") where isQuoted:
        if byte == UInt8(ascii: "\"") {
          field.append(current)
          byte = bytes.next()
        } else {
          isQuoted = false
        }
      case UInt8(ascii: "\"") where field.isEmpty: isQuoted = true
      case UInt8(ascii: ",") where !isQuoted:
        fields.append(String(decoding: field, as: UTF8.self))
        field = []
      default: field.append(current)
      }
    }
    if isQuoted { return nil }
    fields.append(String(decoding: field, as: UTF8.self))
    return fields
  }
}
