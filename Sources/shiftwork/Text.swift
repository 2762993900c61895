//! Numbers and columns for people. Knows no stage.

enum Text {
  static func padded(_ text: String, to width: Int) -> String {
    var text = text
    for _ in 0..<max(0, width - text.count) { text += " " }
    return text
  }

  /// Aligned columns; those after the first that hold numbers stand right.
  static func table(_ rows: [[String]], numeric: Set<Int> = []) -> [String] {
    let count = rows.map(\.count).max() ?? 0
    let widths = (0..<count).map { column in
      rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      let cells = row.enumerated().map { column, text in
        let space = String(repeating: " ", count: max(0, widths[column] - text.count))
        return numeric.contains(column) ? space + text : text + space
      }
      let line = cells.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed())
    }
  }

  static func markdownRow(_ cells: [String]) -> String {
    "| " + cells.map { $0.contains("|") ? escapedBars($0) : $0 }.joined(separator: " | ") + " |"
  }

  private static func escapedBars(_ text: String) -> String {
    text.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
  }

  /// Lines of a CSV file; cells that hold commas, quotes or line ends are quoted.
  static func csv(_ rows: [[String]]) -> String {
    rows.map { $0.map(csvCell).joined(separator: ",") + "\n" }.joined()
  }

  private static func csvCell(_ text: String) -> String {
    guard text.utf8.contains(where: { [0x2C, 0x22, 0x0A, 0x0D].contains($0) }) else { return text }
    let doubled = text.split(separator: "\"", omittingEmptySubsequences: false)
    return "\"" + doubled.joined(separator: "\"\"") + "\""
  }

  /// With so many digits after the point, in the C locale.
  static func fixed(_ number: Double, _ digits: Int) -> String {
    guard number.isFinite, number.magnitude < 1e9, digits < 7 else { return "\(number)" }
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let rounded = (number.magnitude * scale).rounded()
    let whole = Int(rounded / scale)
    let sign = number < 0 && rounded > 0 ? "-" : ""
    guard digits > 0 else { return "\(sign)\(whole)" }
    let part = String(Int(rounded - Double(whole) * scale))
    return "\(sign)\(whole)." + String(repeating: "0", count: digits - part.count) + part
  }

  /// 3.2 s, 4 min 05 s, 2 h 07 min.
  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "?" }
    if seconds < 60 { return fixed(seconds, seconds < 10 ? 1 : 0) + " s" }
    let whole = Int(seconds.rounded())
    if whole < 3600 { return "\(whole / 60) min \(twoDigits(whole % 60)) s" }
    return "\(whole / 3600) h \(twoDigits(whole % 3600 / 60)) min"
  }

  /// 5 min, 3 h, 12 d: how long ago something was, roughly.
  static func age(_ seconds: Double) -> String {
    if seconds < 3600 { return "\(Int(seconds / 60)) min" }
    if seconds < 2 * 86400 { return "\(Int(seconds / 3600)) h" }
    return "\(Int(min(seconds, 1e12) / 86400)) d"
  }

  private static func twoDigits(_ number: Int) -> String {
    number < 10 ? "0\(number)" : "\(number)"
  }
}
