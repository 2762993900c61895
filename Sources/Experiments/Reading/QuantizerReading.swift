//! Quantizers' strings in a spec, with faults that point into them, and the map of a network that
//! they make. Knows no tensor.

import Diagnostics
import Networks
import Specs

/// A quantizer as a spec gives it.
enum QuantizerChoice {
  /// Stays in float32: the word `float`.
  case float
  case spec(QuantizerSpec)

  var spec: QuantizerSpec? {
    switch self {
    case .float: nil
    case .spec(let spec): spec
    }
  }

  /// Nil after a fault.
  init?(_ node: Node, role: Slot.Role, faults: FaultCollector) {
    guard case .string(let text) = node.value else {
      faults.add(
        node.diagnostic(
          "a quantizer is a string such as quantized_bits(8,8,1,1,alpha='auto'), or float"))
      return nil
    }
    if text == "float" {
      self = .float
      return
    }
    do {
      let spec = try QuantizerSpec(parsing: text)
      if let reason = spec.refusal(as: role) {
        faults.add(node.diagnostic(reason))
        return nil
      }
      self = .spec(spec)
      if role == .kernel, spec.alpha == .none {
        faults.add(Self.silentAlpha(spec, at: node))
      }
    } catch {
      faults.add(Self.diagnostic(of: error, in: text, at: node))
      return nil
    }
  }

  private static func silentAlpha(_ spec: QuantizerSpec, at node: Node) -> Diagnostic {
    var explicit = spec
    explicit.alpha = .autoPo2
    var warning = node.diagnostic(
      "a kernel's quantizer without alpha becomes auto_po2, as in QKeras",
      suggestion: "say so: \(explicit)")
    warning.severity = .warning
    return warning
  }

  /// The fault at its own column where the string stands in the source as it is, otherwise at the
  /// string's start.
  private static func diagnostic(
    of error: QuantizerSyntaxError, in text: String, at node: Node
  ) -> Diagnostic {
    var diagnostic = node.diagnostic(error.message)
    guard var location = diagnostic.location, let line = diagnostic.sourceLine else {
      return diagnostic
    }
    let rest = line.dropFirst(location.column - 1)
    let isQuoted = rest.first == "'" || rest.first == "\""
    guard rest.dropFirst(isQuoted ? 1 : 0).hasPrefix(text) else { return diagnostic }
    location.column += error.offset + (isQuoted ? 1 : 0)
    diagnostic.location = location
    diagnostic.length = error.length
    return diagnostic
  }
}

/// The experiment's quantizers, attached to the slots of its network.
struct QuantizersSpec {
  var map = QuantizerMap()
  /// From `kernels.conv2d` to where its string was written.
  var locations: [String: SourceLocation] = [:]

  private struct Exception {
    var pattern: SlotPattern
    var choices: [(role: Slot.Role, choice: QuantizerChoice, location: SourceLocation)]
  }

  init(_ section: inout Section, for network: Network) {
    let faults = section.faults
    var flat: [(role: Slot.Role, choice: QuantizerChoice, location: SourceLocation)] = []
    for role in [Slot.Role.kernel, .bias, .activation] {
      guard let node = section.node(role.rawValue),
        let choice = QuantizerChoice(node, role: role, faults: faults)
      else { continue }
      flat.append((role, choice, node.location))
    }
    let exceptions = section.node("layers").map {
      Self.exceptions($0, for: network, faults: faults)
    }
    section.rejectUnknownKeys()

    let ranked = (exceptions ?? []).enumerated().sorted {
      ($0.element.pattern.rank, $0.offset) < ($1.element.pattern.rank, $1.offset)
    }
    for slot in network.slots {
      let exception = ranked.lazy
        .filter { $0.element.pattern.matches(slot) }
        .compactMap { $0.element.choices.first { $0.role == slot.role } }
        .first
      guard let chosen = exception ?? flat.first(where: { $0.role == slot.role }) else { continue }
      map[slot] = chosen.choice.spec
      locations["\(slot.role.mapKey).\(slot.name)"] = chosen.location
    }
  }

  private static func exceptions(
    _ node: Node, for network: Network, faults: FaultCollector
  ) -> [Exception] {
    guard case .mapping(let entries) = node.value else {
      faults.add(node.diagnostic("layers maps names, classes or regexes to quantizers"))
      return []
    }
    return entries.compactMap { entry in
      guard case .string(let text) = entry.key.value,
        let pattern = SlotPattern(text, at: entry.key, for: network, faults: faults)
      else { return nil }
      var choices: [(role: Slot.Role, choice: QuantizerChoice, location: SourceLocation)] = []
      func add(_ node: Node, for role: Slot.Role) {
        guard network.slots.contains(where: { $0.role == role && pattern.matches($0) }) else {
          faults.add(
            node.diagnostic("`\(text)` matches nothing that has the role \(role.rawValue)"))
          return
        }
        if let choice = QuantizerChoice(node, role: role, faults: faults) {
          choices.append((role, choice, node.location))
        }
      }
      if case .string = entry.value.value {
        // An activation has one quantizer, so its name is enough.
        add(entry.value, for: .activation)
      } else if var section = Section.mapping(entry.value, in: "layers.\(text)", faults: faults) {
        for role in [Slot.Role.kernel, .bias, .activation] {
          if let node = section.node(role.rawValue) { add(node, for: role) }
        }
        section.rejectUnknownKeys()
      }
      return Exception(pattern: pattern, choices: choices)
    }
  }
}

extension Slot.Role {
  /// The role's key in a `QuantizerMap`'s JSON.
  var mapKey: String {
    switch self {
    case .kernel: "kernels"
    case .bias: "biases"
    case .activation: "activations"
    }
  }
}
