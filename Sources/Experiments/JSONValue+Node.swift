//! A YAML value as JSON. Knows no schema.

import Files
import Specs

extension JSONValue {
  /// A value as YAML means it.
  init(_ node: Node) {
    switch node.value {
    case .null: self = .null
    case .bool(let flag): self = .bool(flag)
    case .int(let number): self = .int(number)
    case .float(let number):
      // JSON has no spelling for infinities.
      self = number.isFinite ? .double(number) : .string(node.text ?? "\(number)")
    case .string(let string): self = .string(string)
    case .sequence(let elements): self = .array(elements.map { JSONValue($0) })
    case .mapping(let entries):
      self = .object(
        Dictionary(entries.map { ($0.name, JSONValue($0.value)) }) { first, _ in first })
    }
  }
}
