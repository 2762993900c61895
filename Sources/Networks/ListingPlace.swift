//! A place in a listing with its line, and the cursor that walks over a line. Knows no layer.

import Diagnostics

/// Some characters of a listing's line.
struct ListingPlace: Sendable {
  var location: SourceLocation
  var length: Int
  var line: String

  func diagnostic(
    _ message: String, severity: Diagnostic.Severity = .error, suggestion: String? = nil,
    notes: [Diagnostic.Note] = []
  ) -> Diagnostic {
    Diagnostic(
      severity, message, at: location, length: length, sourceLine: line, suggestion: suggestion,
      notes: notes)
  }
}

/// A line while it is read, in Unicode scalars, as columns are counted.
struct ListingCursor {
  let scalars: [Unicode.Scalar]
  let file: String
  let number: Int
  private(set) var position = 0

  init(_ line: Substring.UnicodeScalarView, file: String, number: Int) {
    // What a page's typesetting makes of an apostrophe.
    scalars = line.map { $0 == "\u{2018}" || $0 == "\u{2019}" ? "'" : $0 }
    self.file = file
    self.number = number
  }

  var isAtEnd: Bool { position >= scalars.count }
  var next: Unicode.Scalar? { isAtEnd ? nil : scalars[position] }

  func text(_ range: Range<Int>) -> String {
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars[range])
    return String(text)
  }

  func place(_ range: Range<Int>) -> ListingPlace {
    ListingPlace(
      location: SourceLocation(file: file, line: number, column: range.lowerBound + 1),
      length: max(1, range.count), line: text(0..<scalars.count))
  }

  func starts(with word: String) -> Bool {
    scalars[position...].starts(with: word.unicodeScalars)
  }

  mutating func skipBlanks() {
    while let next, Self.isBlank(next) { position += 1 }
  }

  mutating func advance(by count: Int = 1) { position = min(scalars.count, position + count) }

  /// Up to the next blank.
  mutating func word() -> Range<Int> { take { !Self.isBlank($0) } }

  /// Letters, digits and underscores.
  mutating func name() -> Range<Int> {
    take { $0 == "_" || $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0)) }
  }

  mutating func take(while isWanted: (Unicode.Scalar) -> Bool) -> Range<Int> {
    let start = position
    while let next, isWanted(next) { position += 1 }
    return start..<position
  }

  /// What `body` reads, or nothing where it gives up.
  mutating func attempt<Value>(_ body: (inout ListingCursor) -> Value?) -> Value? {
    let start = position
    let value = body(&self)
    if value == nil { position = start }
    return value
  }

  static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
    scalar == " " || scalar == "\t" || scalar == "\u{A0}"
  }
}
