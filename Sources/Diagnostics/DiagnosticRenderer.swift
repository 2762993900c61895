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

  /// The part of `line` around the fault, the caret's column in it, and the carets' number.
  private func window(_ line: String, _ column: Int, _ length: Int) -> (String, Int, Int) {
    let characters = Array(printable(line))
    let column = min(max(0, column), characters.count)
    var first = 0
    if characters.count > Self.widthLimit {
      first = max(0, min(column - Self.widthLimit / 3, characters.count - Self.widthLimit))
    }
    let end = min(characters.count, first + Self.widthLimit)
    var shown = String(characters[first..<end])
    var caret = column - first
    if first > 0 {
      shown = "..." + shown
      caret += 3
    }
    if end < characters.count { shown += "..." }
    return (shown, caret, max(1, min(length, end - column)))
  }

  /// Tabs become single spaces, so that a column is a column; other control characters show as ?.
  private func printable(_ text: String) -> String {
    String(
      text.map { character in
        if character == "\t" { return " " }
        guard let scalar = character.unicodeScalars.first else { return character }
        return scalar.value < 32 || scalar.value == 127 ? "?" : character
      })
  }

  private func paint(_ text: String, _ code: String) -> String {
    color ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }
}
