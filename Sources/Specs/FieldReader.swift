//! Fields out of a mapping: types, ranges, choices, unknown keys. Faults are collected, and reading
//! goes on with a default, so that one pass finds them all. Knows no particular schema.

package import Diagnostics

/// Reads one mapping field by field; `rejectUnknownKeys` comes last.
package struct FieldReader {
  private let node: Node
  private let context: String
  private let faults: FaultCollector
  private var known: [String] = []
  /// Missing keys that may stand there misspelt, with the fault that says they are missing.
  private var suspects: [(misspelt: String, fault: Diagnostic)] = []

  /// - Parameter context: the mapping's name in messages: "fine_tune".
  package init(_ node: Node, in context: String, faults: FaultCollector) {
    self.node = node
    self.context = context
    self.faults = faults
    if case .mapping = node.value { return }
    faults.add(node.diagnostic("\(context) wants a mapping of keys to values, not \(node.found)"))
  }

  /// The value's place; nil where the field is not written.
  package func location(of key: String) -> SourceLocation? { node[key]?.location }

  /// The value at `key`, whatever it is.
  package mutating func node(_ key: String) -> Node? {
    known.append(key)
    faults.recorder?.note(key, in: node)
    return node[key]
  }

  package mutating func string(_ key: String, default value: String? = nil) -> String {
    note(key, as: .text, value.map { .text($0) })
    guard let node = required(key, hasDefault: value != nil) else { return value ?? "" }
    if case .string(let string) = node.value { return string }
    return wrong(node, key, "text", value ?? "", suggestion: Self.quoted(node))
  }

  package mutating func int(
    _ key: String, in range: ClosedRange<Int>, default value: Int? = nil
  ) -> Int {
    let fallback = value ?? range.lowerBound
    note(key, as: .int(range), value.map { .int($0) })
    guard let node = required(key, hasDefault: value != nil) else { return fallback }
    guard case .int(let number) = node.value else {
      return wrong(node, key, "a whole number", fallback, suggestion: Self.whole(node))
    }
    guard range.contains(number) else {
      return outside(node, key, Self.text(range), "\(number)", fallback)
    }
    return number
  }

  package mutating func double(
    _ key: String, in range: ClosedRange<Double>, default value: Double? = nil
  ) -> Double {
    let fallback = value ?? range.lowerBound
    note(key, as: .number(range), value.map { .number($0) })
    guard let node = required(key, hasDefault: value != nil) else { return fallback }
    let number: Double
    switch node.value {
    case .int(let whole): number = Double(whole)
    case .float(let float): number = float
    default: return wrong(node, key, "a number", fallback, suggestion: Self.plainNumber(node))
    }
    guard range.contains(number) else {
      return outside(
        node, key, "\(Self.text(range.lowerBound))...\(Self.text(range.upperBound))",
        node.text ?? "\(number)", fallback)
    }
    return number
  }

  package mutating func bool(_ key: String, default value: Bool? = nil) -> Bool {
    note(key, as: .bool, value.map { .bool($0) })
    guard let node = required(key, hasDefault: value != nil) else { return value ?? false }
    if case .bool(let flag) = node.value { return flag }
    return wrong(node, key, "true or false", value ?? false, suggestion: Self.truth(node))
  }

  /// One of an enumeration's spellings.
  package mutating func choice<Choice: RawRepresentable & CaseIterable>(
    _ key: String, of type: Choice.Type, default value: Choice? = nil
  ) -> Choice where Choice.RawValue == String {
    // Nearly always nobody wants to know all of them.
    func spellings() -> [String] { type.allCases.map(\.rawValue) }
    if faults.recorder != nil {
      note(key, as: .choice(spellings()), value.map { .text($0.rawValue) })
    }
    guard let fallback = value ?? type.allCases.first else {
      preconditionFailure("a choice of nothing")
    }
    guard let node = required(key, hasDefault: value != nil) else { return fallback }
    guard case .string(let string) = node.value else {
      return wrong(node, key, "one of \(spellings().joined(separator: ", "))", fallback)
    }
    if let choice = type.init(rawValue: string) { return choice }
    let nearest = closest(to: string, among: spellings())
    faults.add(
      node.diagnostic(
        "`\(key)` cannot be `\(string)`",
        suggestion: nearest.map { "did you mean `\($0)`?" }
          ?? "it is one of \(spellings().joined(separator: ", "))"))
    return fallback
  }

  /// A list of texts; nothing written is an empty one.
  package mutating func strings(_ key: String) -> [String] {
    guard let node = node(key) else { return [] }
    guard case .sequence(let elements) = node.value else {
      return wrong(node, key, "a list of texts", [])
    }
    return elements.compactMap { element in
      if case .string(let string) = element.value { return string }
      faults.add(
        element.diagnostic(
          "`\(key)` wants texts, not \(element.found)", suggestion: Self.quoted(element)))
      return nil
    }
  }

  /// The mapping at `key` as a reader of its own; nil where nothing is written.
  package mutating func mapping(_ key: String) -> FieldReader? {
    node(key).map { FieldReader($0, in: key, faults: faults) }
  }

  /// A fault for every key that nobody asked for.
  package func rejectUnknownKeys() {
    guard case .mapping(let entries) = node.value else { return }
    faults.recorder?.close(node)
    // Once the key is known to be a misspelling, that fault and its suggestion are enough.
    for suspect in suspects where !known.contains(suspect.misspelt) {
      faults.withdraw(suspect.fault)
    }
    for entry in entries where !known.contains(entry.name) && !faults.isFull {
      let nearest = closest(to: entry.name, among: known)
      let list = Set(known).sorted().joined(separator: ", ")
      faults.add(
        entry.key.diagnostic(
          "unknown key `\(entry.name)` in \(context)",
          suggestion: nearest.map { "did you mean `\($0)`?" }
            ?? (known.isEmpty ? nil : "its keys are \(list)")))
    }
  }

  // MARK: Faults

  private func note(_ key: String, as shape: SchemaShape, _ fallback: SchemaDefault?) {
    faults.recorder?.note(key, in: node, as: shape, fallback: fallback)
  }

  private mutating func required(_ key: String, hasDefault: Bool) -> Node? {
    if let node = node(key) { return node }
    if !hasDefault, case .mapping(let entries) = node.value {
      let nearest = closest(to: key, among: entries.map(\.name).filter { !known.contains($0) })
      let fault = node.diagnostic("\(context) needs `\(key)`")
      faults.add(fault)
      if let nearest { suspects.append((nearest, fault)) }
    }
    return nil
  }

  private func wrong<Value>(
    _ node: Node, _ key: String, _ wanted: String, _ value: Value, suggestion: String? = nil
  ) -> Value {
    faults.add(
      node.diagnostic("`\(key)` wants \(wanted), not \(node.found)", suggestion: suggestion))
    return value
  }

  private func outside<Value>(
    _ node: Node, _ key: String, _ range: String, _ found: String, _ value: Value
  ) -> Value {
    faults.add(node.diagnostic("`\(key)` must lie in \(range), not be \(found)"))
    return value
  }

  private static func text(_ range: ClosedRange<Int>) -> String {
    range.upperBound == .max
      ? "\(range.lowerBound) and above" : "\(range.lowerBound)...\(range.upperBound)"
  }

  private static func text(_ bound: Double) -> String {
    if let whole = Int(exactly: bound), abs(whole) < 1_000_000 { return "\(whole)" }
    return "\(bound)"
  }
}
