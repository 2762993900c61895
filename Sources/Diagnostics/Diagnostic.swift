//! One fault in a text that a user wrote, as facts; how it is shown is `DiagnosticRenderer`'s.

/// A fault, where it is, and what would mend it.
package struct Diagnostic: Hashable, Sendable, Codable {
  package enum Severity: String, Hashable, Sendable, Codable {
    case error
    case warning
  }

  /// A further place or remark that belongs to the fault.
  package struct Note: Hashable, Sendable, Codable {
    package var message: String
    package var location: SourceLocation?

    package init(_ message: String, at location: SourceLocation? = nil) {
      self.message = message
      self.location = location
    }
  }

  package var severity: Severity
  package var message: String
  package var location: SourceLocation?
  /// Number of characters that the caret line underlines, from `location`.
  package var length: Int
  /// The whole source line at `location`, without its newline.
  package var sourceLine: String?
  /// What to write instead, as a phrase: "did you mean `learning_rate`?".
  package var suggestion: String?
  package var notes: [Note]

  /// An error.
  package init(
    _ message: String, at location: SourceLocation? = nil, length: Int = 1,
    sourceLine: String? = nil, suggestion: String? = nil, notes: [Note] = []
  ) {
    self.init(
      .error, message, at: location, length: length, sourceLine: sourceLine,
      suggestion: suggestion, notes: notes)
  }

  package init(
    _ severity: Severity, _ message: String, at location: SourceLocation? = nil,
    length: Int = 1, sourceLine: String? = nil, suggestion: String? = nil, notes: [Note] = []
  ) {
    self.severity = severity
    self.message = message
    self.location = location
    self.length = length
    self.sourceLine = sourceLine
    self.suggestion = suggestion
    self.notes = notes
  }
}

/// All faults that one reading of the user's texts found, thrown once.
package struct InvalidSpec: Error, Hashable, Sendable {
  package var diagnostics: [Diagnostic]

  package init(_ diagnostics: [Diagnostic]) { self.diagnostics = diagnostics }
}
