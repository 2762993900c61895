//! What `variables` and `environment` of both files declare. Knows no field.

import Diagnostics
import Specs

/// Names that texts may use besides fields.
struct VariableScope {
  /// What `${data}` stands for.
  private let data: String
  /// By name; the pipeline's before the experiment's of the same name.
  private(set) var node: Node?
  /// Names of the environment with their values where it has none.
  private var environment: [String: Node] = [:]
  private let variable: (String) -> String?

  /// - Parameter variable: a variable of the environment.
  init(data: String, variable: @escaping (String) -> String?) {
    self.data = data
    self.variable = variable
  }

  /// Reads a file's declarations; those that are there already stay.
  mutating func declare(in root: Node, faults: FaultCollector) {
    if let section = root["variables"] {
      if case .mapping(let entries) = section.value {
        for entry in entries { Self.check(entry.key, faults: faults) }
        node = node.map { $0.merged(with: section) } ?? section
      } else if case .null = section.value {
      } else {
        faults.add(section.diagnostic("variables holds names and values: `{bits: 8}`"))
      }
    }
    guard let section = root["environment"] else { return }
    guard case .mapping(let entries) = section.value else {
      faults.add(
        section.diagnostic("environment holds names and defaults: `{SCRATCH: /tmp, TOKEN: null}`"))
      return
    }
    for entry in entries {
      switch entry.value.value {
      case .sequence, .mapping:
        faults.add(
          entry.value.diagnostic(
            "the default of `\(entry.name)` is a single value, or null where it must be set"))
      default: if environment[entry.name] == nil { environment[entry.name] = entry.value }
      }
    }
  }

  /// Changes variables; what no file declares is a fault.
  mutating func apply(_ overrides: [Override], faults: FaultCollector) {
    for override in overrides {
      guard override.path.count > 1, declares(override.path[1]) else {
        let name = override.path.dropFirst().first ?? ""
        faults.add(Self.undeclared(name, at: override.key ?? override.node, among: declared))
        continue
      }
      let tail = Override(
        path: Array(override.path.dropFirst()), node: override.node, key: override.key)
      node = node?.applying([tail])
    }
  }

  static func undeclared(_ name: String, at node: Node, among names: [String]) -> Diagnostic {
    node.diagnostic(
      "no file declares a variable `\(name)`",
      suggestion: closest(to: name, among: names).map { "did you mean `variables.\($0)`?" }
        ?? (names.isEmpty ? nil : "the variables are \(names.joined(separator: ", "))"))
  }

  func declares(_ name: String) -> Bool { node?[name] != nil }

  var declared: [String] {
    guard case .mapping(let entries)? = node?.value else { return [] }
    return entries.map(\.name)
  }

  /// All that `${...}` may name.
  var names: [String] {
    ["data"] + declared.sorted() + environment.keys.sorted().map { "env.\($0)" }
  }

  /// The value of what no field changes: `${data}` and the environment. The inner nil after faults,
  /// the outer for other names.
  func fixed(_ name: String, in text: Node, offset: Int, faults: FaultCollector) -> Node?? {
    if name == "data" {
      var result = text
      result.value = .string(data)
      return .some(result)
    }
    guard name.hasPrefix("env.") else { return .none }
    let key = String(name.dropFirst("env.".count))
    func fault(_ message: String, suggestion: String) -> Node?? {
      faults.add(
        text.diagnostic(
          message, offset: offset, length: name.unicodeScalars.count + 3, suggestion: suggestion))
      return .some(nil)
    }
    guard let value = environment[key] else {
      return fault(
        "no file declares the environment's `\(key)`",
        suggestion: closest(to: key, among: environment.keys.sorted())
          .map { "did you mean `${env.\($0)}`?" } ?? "write `environment: {\(key): DEFAULT}`")
    }
    if let set = variable(key) { return .some(text.taking(plain: set)) }
    if case .null = value.value {
      return fault(
        "the environment has no `\(key)`, which has no default",
        suggestion: "set it, or write `environment: {\(key): DEFAULT}`")
    }
    return .some(value)
  }

  private static func check(_ key: Node, faults: FaultCollector) {
    let name = key.text ?? ""
    let isWord =
      !name.isEmpty
      && name.utf8.allSatisfy {
        (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
          || $0 == UInt8(ascii: "_")
      }
    if !isWord {
      faults.add(key.diagnostic("`\(name)` cannot name a variable: letters, digits and `_` can"))
    } else if ["data", "env", "inputs", "output", "params", "stages", "variables"].contains(name) {
      faults.add(key.diagnostic("`\(name)` is a name of shiftwork's own"))
    }
  }
}

extension Node {
  /// This mapping with the keys of another that it has not.
  fileprivate func merged(with other: Node) -> Node {
    guard case .mapping(let own) = value, case .mapping(let more) = other.value else { return self }
    var result = self
    let names = Set(own.map(\.name))
    result.value = .mapping(own + more.filter { !names.contains($0.name) })
    return result
  }
}
