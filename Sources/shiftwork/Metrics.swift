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

  var byName: [String: JSONValue] {
    Dictionary(values.map { ($0.name, $0.value) }) { first, _ in first }
  }

  var shown: [(name: String, value: JSONValue)] {
    let byName = byName
    return Self.shown(among: values.map(\.name)).compactMap { name in
      byName[name].map { (name, $0) }
    }
  }

  /// `accuracy 0.8810  loss 0.4312`
  var summary: String {
    shown.map { "\(Self.shortName($0.name)) \(Self.text($0.value))" }.joined(separator: "  ")
  }

  /// Those of `names` that a table shows, in its order: for each key the first that is called so.
  static func shown(among names: [String]) -> [String] {
    keys.compactMap { key in names.first { $0 == key || $0.hasSuffix("." + key) } }
  }

  /// `total_bits` of `cost.total_bits`.
  static func shortName(_ name: String) -> String {
    String(name.split(separator: ".").last ?? "")
  }

  /// A metric's number; nil where it is none. JSON cannot spell NaN, so it stands as a word.
  static func number(_ value: JSONValue) -> Double? {
    switch value {
    case .int(let number): Double(number)
    case .double(let number): number
    case .string("nan"): .nan
    case .string("inf"): .infinity
    case .string("-inf"): -.infinity
    default: nil
    }
  }

  /// In full, for programs.
  static func plain(_ value: JSONValue) -> String {
    switch value {
    case .string(let text): text
    case .null: ""
    default: value.canonicalText
    }
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
