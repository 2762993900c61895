//! A part of a stage's fields that many stages share: spelt and hashed once. Knows no stage.

import Files
import Pipeline

/// A value as JSON, with what it is told by.
final class FieldPart {
  let json: JSONValue
  private(set) lazy var digest = Manifest(kind: "", version: 0, fields: json).digest

  init(_ value: some Encodable) {
    do {
      json = try JSONValue(encoding: value)
    } catch {
      preconditionFailure("a field has no JSON: \(error)")
    }
  }
}
