//! Metrics of a stage as named numbers. Knows no stage.

import Files

/// What a stage measured, flattened: `cost.total_bits`.
struct Metrics {
  private(set) var values: [(name: String, value: JSONValue)] = []

  init(_ json: JSONValue) { flatten(json, at: "") }

  /// Those that a table shows, in this order.
  private static let keys = [
    "accuracy", "auc", "p_auc", "loss", "val_accuracy", "val_loss", "score", "total_bits", "bits",
  ]

  var shown: [(name: String, value: JSONValue)] {
    Self.keys.compactMap { key in
      values.first { $0.name == key || $0.name.hasSuffix("." + key) }
    }
  }

  /// `accuracy 0.8810  loss 0.4312`
  var summary: String {
    shown.map { metric in
      let name = metric.name.split(separator: ".").last ?? ""
      return "\(name) \(Self.text(metric.value))"
    }.joined(separator: "  ")
  }

  /// Rounded, for people.
  static func text(_ value: JSONValue) -> String {
    switch value {
    case .double(let number):
      number.magnitude < 1e-3 && number != 0 || number.magnitude >= 1e6
        ? "\(Float(number))" : Text.fixed(number, 4)
    case .string(let text): text
    default: value.canonicalText
    }
  }

  private mutating func flatten(_ value: JSONValue, at path: String) {
    switch value {
    case .object(let members):
      for (key, member) in members.sorted(by: { $0.key < $1.key }) {
        flatten(member, at: path.isEmpty ? key : "\(path).\(key)")
      }
    // Tables and lists are for files, not for columns.
    case .array: break
    default: if !path.isEmpty { values.append((path, value)) }
    }
  }
}
