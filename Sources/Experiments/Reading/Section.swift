//! One mapping of a spec while it is read, remembering where each field was written. Knows no
//! particular key.

import Diagnostics
import Specs

/// A `FieldReader` that also gathers the places of the values that were there.
struct Section {
  let node: Node
  let faults: FaultCollector
  private(set) var locations: [String: SourceLocation] = [:]
  private var reader: FieldReader
  private let context: String

  init(_ node: Node, in context: String, faults: FaultCollector) {
    self.node = node
    self.faults = faults
    self.context = context
    reader = FieldReader(node, in: context, faults: faults)
  }

  /// Whether the user wrote the key, which is a known one from now on.
  mutating func has(_ key: String) -> Bool { reader.node(key) != nil }

  mutating func string(_ key: String, default value: String? = nil) -> String {
    note(key)
    return reader.string(key, default: value)
  }

  mutating func optionalString(_ key: String) -> String? { has(key) ? string(key) : nil }

  mutating func int(_ key: String, in range: ClosedRange<Int>, default value: Int? = nil) -> Int {
    note(key)
    return reader.int(key, in: range, default: value)
  }

  mutating func optionalInt(_ key: String, in range: ClosedRange<Int>) -> Int? {
    has(key) ? int(key, in: range) : nil
  }

  mutating func double(
    _ key: String, in range: ClosedRange<Double>, default value: Double? = nil
  ) -> Double {
    note(key)
    return reader.double(key, in: range, default: value)
  }

  mutating func optionalDouble(_ key: String, in range: ClosedRange<Double>) -> Double? {
    has(key) ? double(key, in: range) : nil
  }

  mutating func bool(_ key: String, default value: Bool) -> Bool {
    note(key)
    return reader.bool(key, default: value)
  }

  mutating func optionalBool(_ key: String) -> Bool? {
    has(key) ? bool(key, default: false) : nil
  }

  mutating func choice<Value: RawRepresentable & CaseIterable>(
    _ key: String, of type: Value.Type, default value: Value? = nil
  ) -> Value where Value.RawValue == String {
    note(key)
    return reader.choice(key, of: type, default: value)
  }

  mutating func node(_ key: String) -> Node? {
    note(key)
    return reader.node(key)
  }

  /// Says of a key that is read by its node that it holds a text.
  func takesText(_ key: String) {
    faults.recorder?.note(key, in: node, as: .text, fallback: nil)
  }

  mutating func strings(_ key: String) -> [String] {
    note(key)
    return reader.strings(key)
  }

  /// The mapping at `key`; an empty one where nothing was written after it, nil where the key is
  /// absent or (a fault) holds something else.
  mutating func section(_ key: String, in context: String? = nil) -> Section? {
    guard let child = node(key) else { return nil }
    return Section.mapping(child, in: context ?? key, faults: faults)
  }

  /// `node` as a section; null counts as empty, another value is a fault.
  static func mapping(_ node: Node, in context: String, faults: FaultCollector) -> Section? {
    switch node.value {
    case .mapping: return Section(node, in: context, faults: faults)
    case .null:
      var empty = node
      empty.value = .mapping([])
      return Section(empty, in: context, faults: faults)
    default:
      faults.add(node.diagnostic("\(context) holds fields: `{key: value}`"))
      return nil
    }
  }

  /// Keeps the places of a section that was read from `key`.
  mutating func adopt(_ child: Section, at key: String) {
    for (path, location) in child.locations { locations["\(key).\(path)"] = location }
  }

  mutating func note(_ path: String, at location: SourceLocation) { locations[path] = location }

  /// Warns of fields that were written and mean nothing beside the others.
  func warnIdle(_ keys: [String], why: String) {
    for key in keys {
      guard let place = node[key] else { continue }
      faults.add(
        place.diagnostic("`\(key)` has no effect here: \(why)", severity: .warning))
    }
  }

  mutating func rejectUnknownKeys() { reader.rejectUnknownKeys() }

  private mutating func note(_ key: String) {
    if let child = node[key] { locations[key] = child.location }
  }
}

extension Node {
  /// Whether the mapping has a key that may be `key` misspelt: that is then a fault of its own, and
  /// one is enough.
  func hasMisspelt(_ key: String) -> Bool {
    guard case .mapping(let entries) = value else { return false }
    let known: Set<String> = [
      "experiment", "dataset", "network", "pretrained", "training", "pretrain", "quantizers",
      "search", "fine_tune", "evaluate", "seed", "numerics", "pipeline", "stages", "set",
    ]
    return closest(to: key, among: entries.map(\.name).filter { !known.contains($0) }) != nil
  }
}

extension [String: SourceLocation] {
  /// The same places, a level deeper.
  func nested(under key: String) -> [String: SourceLocation] {
    var nested: [String: SourceLocation] = [:]
    for (path, location) in self { nested["\(key).\(path)"] = location }
    return nested
  }
}
