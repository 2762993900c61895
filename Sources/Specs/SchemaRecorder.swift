//! What readers ask of a document, noted while they read it: the schema cannot differ from what is
//! read. Knows no particular schema.

package import Diagnostics

/// A value that a reader takes.
package enum SchemaShape: Hashable, Sendable {
  case text
  case bool
  case int(ClosedRange<Int>)
  case number(ClosedRange<Double>)
  case choice([String])
}

/// Notes what is asked where, as readers go through documents that use every form.
package final class SchemaRecorder {
  /// One key of a mapping.
  package struct Field: Sendable {
    package var shapes: Set<SchemaShape> = []
    /// As YAML would have it.
    package var fallback: SchemaDefault?
  }

  /// Known keys by the place of their mapping.
  package private(set) var fields: [SourceLocation: [String: Field]] = [:]
  /// Mappings that take no other keys than those.
  package private(set) var closed: Set<SourceLocation> = []
  /// What a word at a place may be.
  package private(set) var words: [SourceLocation: [String]] = [:]

  package init() {}

  package func note(_ key: String, in mapping: Node) {
    if fields[mapping.location]?[key] != nil { return }
    fields[mapping.location, default: [:]][key] = Field()
  }

  package func note(
    _ key: String, in mapping: Node, as shape: SchemaShape, fallback: SchemaDefault?
  ) {
    fields[mapping.location, default: [:]][key, default: Field()].shapes.insert(shape)
    if let fallback { fields[mapping.location]?[key]?.fallback = fallback }
  }

  package func close(_ mapping: Node) { closed.insert(mapping.location) }

  /// - Parameter words: all that may stand at the node's place.
  package func note(_ words: [String], at node: Node) { self.words[node.location] = words }
}

/// A value that a field has where nothing is written.
package enum SchemaDefault: Hashable, Sendable {
  case text(String)
  case bool(Bool)
  case int(Int)
  case number(Double)
}
