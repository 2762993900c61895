//! Shows diagnostics as text: message, place, source line, caret, suggestion. Knows no terminal.

/// Diagnostics as people read them.
package struct DiagnosticRenderer: Sendable {
  /// Of a source line at most so many characters are shown, around the fault.
  private static let widthLimit = 120
  private let color: Bool

  package init(color: Bool) { self.color = color }

  /// All of them, an empty line between two.
  package func render(_ all: [Diagnostic]) -> String {
    all.map { render($0) }.joined(separator: "\n")
  }

  /// The lines of one diagnostic, each with its newline.
  package func render(_ diagnostic: Diagnostic) -> String {
    let word = diagnostic.severity.rawValue
    let tint = diagnostic.severity == .error ? "1;31" : "1;33"
    var text = "\(paint(word + ":", tint)) \(paint(printable(diagnostic.message), "1"))\n"
    let number = diagnostic.location.map { "\($0.line)" } ?? ""
    let gutter = String(repeating: " ", count: number.count)
    if let location = diagnostic.location {
      text += "\(gutter)\(paint("-->", "1;34")) \(printable(location.description))\n"
      if let line = diagnostic.sourceLine {
        let (shown, caret, length) = window(line, location.column - 1, diagnostic.length)
        let bar = paint("|", "1;34")
        text += "\(gutter) \(bar)\n"
        text += "\(paint(number, "1;34")) \(bar) \(shown)\n"
        let underline = String(repeating: "^", count: length)
        text +=
          "\(gutter) \(bar) \(String(repeating: " ", count: caret))\(paint(underline, tint))\n"
      }
    }
    if let suggestion = diagnostic.suggestion {
      text += "\(gutter) \(paint("=", "1;34")) \(printable(suggestion))\n"
    }
    for note in diagnostic.notes {
      let place = note.location.map { " (\($0))" } ?? ""
      text += "\(gutter) \(paint("=", "1;34")) note: \(printable(note.message + place))\n"
    }
    return text
  }

  /// The part of `line` around the fault, the cells before the carets, and the carets' number.
  private func window(_ line: String, _ column: Int, _ length: Int) -> (String, Int, Int) {
    let scalars = line.unicodeScalars
    let column = max(0, column)
    let lead = min(column, Self.widthLimit / 3)
    // Only what is shown is looked at: a line may have megabytes.
    let count = scalars.prefix(column + Self.widthLimit).count
    let first = max(0, count <= Self.widthLimit ? 0 : min(column, count) - lead)
    let part = Array(scalars.dropFirst(first).prefix(Self.widthLimit))
    let isCut = scalars.dropFirst(first + part.count).first != nil
    let start = min(column - first, part.count)
    let end = min(part.count, start + max(0, min(length, Self.widthLimit)))
    var shown = ""
    shown.unicodeScalars.append(contentsOf: part.map(\.shown))
    let caret = part[..<start].reduce(0) { $0 + $1.cells }
    let carets = part[start..<end].reduce(0) { $0 + $1.cells }
    let dots = first > 0 ? "..." : ""
    return (dots + shown + (isCut ? "..." : ""), dots.count + caret, max(1, carets))
  }

  private func printable(_ text: String) -> String {
    var shown = ""
    shown.unicodeScalars.append(contentsOf: text.unicodeScalars.map(\.shown))
    return shown
  }

  private func paint(_ text: String, _ code: String) -> String {
    color ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }
}

extension Unicode.Scalar {
  /// Itself where a terminal only draws it; a space for a tab, so that a column is a column; ? for
  /// what would steer the terminal or turn the line's direction.
  fileprivate var shown: Unicode.Scalar {
    if self == "\t" { return " " }
    switch properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: return "?"
    case .format: return self == "\u{200D}" ? self : "?"
    default: return self
    }
  }

  /// Cells of a terminal's line that it takes, near enough for a caret.
  fileprivate var cells: Int {
    if isASCII { return 1 }
    if self == "\u{200D}" { return 0 }
    switch properties.generalCategory {
    case .nonspacingMark, .enclosingMark: return 0
    default: break
    }
    switch value {
    case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
      0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x20000...0x3FFFD:
      return 2
    default: return properties.isEmojiPresentation ? 2 : 1
    }
  }
}
