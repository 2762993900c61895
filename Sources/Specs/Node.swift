//! A YAML value with its place in the text. Knows no schema.

package import Diagnostics

/// A value that a user wrote, and where.
package struct Node: Sendable {
  package enum Value: Sendable {
    case null
    case bool(Bool)
    case int(Int)
    case float(Double)
    case string(String)
    case sequence([Node])
    case mapping([Entry])
  }

  /// A key with its value. The key's node is the string as it was written.
  package struct Entry: Sendable {
    package var key: Node
    package var value: Node

    package init(key: Node, value: Node) {
      self.key = key
      self.value = value
    }

    /// The key's text.
    package var name: String { key.text ?? "" }
  }

  /// Nodes are handed on far more often than they are changed: a copy is one reference.
  private final class Storage: Sendable {
    let value: Value
    let location: SourceLocation
    let length: Int
    let text: String?
    let source: SourceText

    init(
      _ value: Value, _ location: SourceLocation, _ length: Int, _ text: String?,
      _ source: SourceText
    ) {
      self.value = value
      self.location = location
      self.length = length
      self.text = text
      self.source = source
    }
  }

  private var storage: Storage

  package var value: Value {
    get { storage.value }
    set { storage = Storage(newValue, location, length, text, source) }
  }
  package var location: SourceLocation {
    get { storage.location }
    set { storage = Storage(value, newValue, length, text, source) }
  }
  /// Characters that a caret line underlines.
  package var length: Int {
    get { storage.length }
    set { storage = Storage(value, location, newValue, text, source) }
  }
  /// A scalar as written, without quotes.
  package var text: String? {
    get { storage.text }
    set { storage = Storage(value, location, length, newValue, source) }
  }
  /// Where it stands.
  package var source: SourceText { storage.source }

  package init(
    _ value: Value, at location: SourceLocation, length: Int = 1, text: String? = nil,
    source: SourceText
  ) {
    storage = Storage(value, location, length, text, source)
  }

  /// This node with what a text without quotes would mean.
  package func taking(plain text: String) -> Node {
    var result = self
    result.value = (try? Scalar.resolve(text).get()) ?? .string(text)
    result.text = text
    return result
  }

  /// The value of a key; nil where there is none, or no mapping.
  package subscript(key: String) -> Node? {
    guard case .mapping(let entries) = value else { return nil }
    return entries.first { $0.name == key }?.value
  }

  /// The node at the end of a path of keys.
  package func node(at path: [String]) -> Node? {
    path.reduce(self as Node?) { node, key in node?[key] }
  }

  /// A fault at this node.
  package func diagnostic(
    _ message: String, severity: Diagnostic.Severity = .error, suggestion: String? = nil,
    notes: [Diagnostic.Note] = []
  ) -> Diagnostic {
    Diagnostic(
      severity, message, at: location, length: length, sourceLine: source.line(location.line),
      suggestion: suggestion, notes: notes)
  }

  /// The same fault, `offset` characters (Unicode scalars) into this scalar.
  package func diagnostic(
    _ message: String, offset: Int, length: Int, suggestion: String? = nil
  ) -> Diagnostic {
    var diagnostic = diagnostic(message, suggestion: suggestion)
    let line = diagnostic.sourceLine?.unicodeScalars.dropFirst(location.column - 1)
    let isQuoted = line?.first == "'" || line?.first == "\""
    let written = (text ?? "").unicodeScalars.prefix(offset + length)
    // Escapes and folded lines stand otherwise in the source: then the whole scalar is meant.
    guard let line, line.dropFirst(isQuoted ? 1 : 0).starts(with: written) else {
      return diagnostic
    }
    diagnostic.location?.column += offset + (isQuoted ? 1 : 0)
    diagnostic.length = length
    return diagnostic
  }

  /// What the value is, for messages: "the text `abc`", "a mapping".
  package var found: String {
    switch value {
    case .null: "nothing"
    case .bool(let flag): "\(flag)"
    case .int(let number): "\(number)"
    case .float: "the number \(text ?? "")"
    case .string(let string):
      string.count <= 40 ? "the text `\(string)`" : "the text `\(string.prefix(40))...`"
    case .sequence: "a list"
    case .mapping: "a mapping"
    }
  }
}
