//! What a search may choose, as the `search` section says it: candidates, limits and frozen layers
//! become lists of slots with candidates. Knows no tuner.

import Diagnostics
import Networks
import Specs

/// Candidates by role, the limits that thin them out, and layers that are not searched.
struct SearchSpace {
  private(set) var choices: [ChoiceFields] = []

  /// One entry of `limit`.
  private struct Limit {
    var pattern: SlotPattern
    /// Regexes make their slots share one choice; classes do not.
    var isShared: Bool
    var allowed: [Slot.Role: Allowed]
    var node: Node
  }

  /// Which candidates a limit leaves.
  private enum Allowed {
    case atMost(Int)
    case listed([Candidate])
  }

  private enum Candidate {
    /// All of a role that have so many bits.
    case bits(Int, Node)
    case quantizer(QuantizerSpec)
  }

  /// - Parameter quantizers: what frozen layers keep; nil where the experiment has none.
  init(_ section: inout Section, for network: Network, quantizers: () -> QuantizerMap?) {
    let faults = section.faults
    let candidates = Self.candidates(&section)
    let frozen = Self.frozen(&section, for: network)
    let kept = frozen.isEmpty ? nil : quantizers()
    if !frozen.isEmpty, kept == nil, let node = section.node["frozen"] {
      faults.add(
        node.diagnostic("frozen layers keep the experiment's `quantizers`, and it has none"))
    }
    let limitNode = section.node("limit")
    let limits = limitNode.map { Self.limits($0, for: network, faults: faults) }
    var groups: [String: Int] = [:]
    var unlimited: [String] = []
    let slots =
      network.slots.filter { $0.role == .kernel } + network.slots.filter { $0.role != .kernel }
    for slot in slots {
      if frozen.contains(where: { $0.matches(slot) }) {
        // What stays in float32 is no choice.
        guard let quantizer = kept?[slot] else { continue }
        choices.append(
          ChoiceFields(role: .init(slot.role), slots: [slot.name], candidates: [quantizer]))
        continue
      }
      guard var allowed = candidates[slot.role] else { continue }
      var group: String?
      if let limits {
        guard let (index, limit) = Self.limit(of: slot, among: limits) else {
          if !unlimited.contains(slot.name) { unlimited.append(slot.name) }
          continue
        }
        if let limited = limit.allowed[slot.role] {
          allowed = Self.thinned(allowed, limited, slot.role, limit.node, faults)
          if allowed.isEmpty { continue }
        }
        if limit.isShared { group = "\(index) \(slot.role.rawValue)" }
      }
      if let group, let position = groups[group] {
        choices[position].slots.append(slot.name)
        continue
      }
      if let group { groups[group] = choices.count }
      choices.append(
        ChoiceFields(role: .init(slot.role), slots: [slot.name], candidates: allowed))
    }
    if let limitNode, !unlimited.isEmpty {
      var warning = limitNode.diagnostic(
        "limit leaves these in float32: \(unlimited.joined(separator: ", "))")
      warning.severity = .warning
      faults.add(warning)
    }
  }

  private static func candidates(_ section: inout Section) -> [Slot.Role: [QuantizerSpec]] {
    var candidates = defaultCandidates
    guard var child = section.section("choices", in: "search.choices") else { return candidates }
    for role in [Slot.Role.kernel, .bias, .activation] {
      guard let node = child.node(role.rawValue) else { continue }
      guard case .sequence(let elements) = node.value, !elements.isEmpty else {
        section.faults.add(node.diagnostic("\(role.rawValue) is a list of quantizers"))
        continue
      }
      var specs: [QuantizerSpec] = []
      for element in elements {
        guard let choice = QuantizerChoice(element, role: role, faults: section.faults) else {
          continue
        }
        guard let spec = choice.spec else {
          section.faults.add(element.diagnostic("a search chooses among quantizers, not float"))
          continue
        }
        if specs.contains(spec) {
          section.faults.add(element.diagnostic("this quantizer is listed twice"))
        } else {
          specs.append(spec)
        }
      }
      candidates[role] = specs
    }
    child.rejectUnknownKeys()
    return candidates
  }

  /// The thesis's.
  private static var defaultCandidates: [Slot.Role: [QuantizerSpec]] {
    func specs(_ kind: QuantizerSpec.Kind, _ widths: [Int]) -> [QuantizerSpec] {
      widths.map {
        QuantizerSpec(
          kind: kind, bits: $0, integer: $0, symmetric: true, keepNegative: true, alpha: .auto,
          scaleAxis: kind == .featureMap ? 0 : nil)
      }
    }
    return [
      .kernel: specs(.quantizedBits, [4, 8, 16]), .bias: specs(.quantizedBits, [16, 31]),
      .activation: specs(.featureMap, [4, 8, 16]),
    ]
  }

  private static func limit(of slot: Slot, among limits: [Limit]) -> (Int, Limit)? {
    let matching = limits.enumerated().filter { $0.element.pattern.matches(slot) }
    let chosen = matching.first { $0.element.isShared } ?? matching.first
    return chosen.map { ($0.offset, $0.element) }
  }

  private static func limits(
    _ node: Node, for network: Network, faults: FaultCollector
  ) -> [Limit] {
    guard case .mapping(let entries) = node.value else {
      faults.add(node.diagnostic("limit maps regexes or classes to bits: `{Dense: [8, 16, 8]}`"))
      return []
    }
    return entries.compactMap { entry in
      guard case .string(let text) = entry.key.value,
        !SlotPattern.isClassOfOthers(text, than: network),
        let pattern = SlotPattern(text, at: entry.key, for: network, faults: faults),
        let allowed = allowed(entry.value, of: pattern, in: network, faults: faults)
      else { return nil }
      let isShared = if case .layerClass = pattern { false } else { true }
      return Limit(pattern: pattern, isShared: isShared, allowed: allowed, node: entry.value)
    }
  }

  /// [kernel, bias, activation]; for activations the last counts.
  private static func allowed(
    _ node: Node, of pattern: SlotPattern, in network: Network, faults: FaultCollector
  ) -> [Slot.Role: Allowed]? {
    let isWeighted = network.slots.contains { $0.role != .activation && pattern.matches($0) }
    let shape = isWeighted ? "[kernel, bias, activation]" : "[activation]"
    var elements: [Node] = []
    if case .sequence(let written) = node.value { elements = written }
    guard !elements.isEmpty, elements.count <= 3, !isWeighted || elements.count >= 2 else {
      faults.add(
        node.diagnostic("a limit is a list of bits, here \(shape), or of lists such as [4, 8]"))
      return nil
    }
    let roles: [Slot.Role] = isWeighted ? [.kernel, .bias, .activation] : [.activation]
    var allowed: [Slot.Role: Allowed] = [:]
    for (index, role) in roles.enumerated() {
      let element = role == .activation ? elements[elements.count - 1] : elements[index]
      // One fault a place: a layer's kernel and activation may share an element.
      guard let read = self.allowed(element, role: role, faults: faults) else { return nil }
      allowed[role] = read
    }
    return allowed
  }

  private static func allowed(
    _ node: Node, role: Slot.Role, faults: FaultCollector
  ) -> Allowed? {
    if case .sequence(let elements) = node.value, !elements.isEmpty {
      let candidates = elements.compactMap { candidate($0, role: role, faults: faults) }
      return candidates.count == elements.count ? .listed(candidates) : nil
    }
    return bits(node, faults: faults).map { .atMost($0) }
  }

  private static func candidate(
    _ node: Node, role: Slot.Role, faults: FaultCollector
  ) -> Candidate? {
    guard case .string = node.value else {
      return bits(node, faults: faults).map { .bits($0, node) }
    }
    guard let choice = QuantizerChoice(node, role: role, faults: faults) else { return nil }
    guard let spec = choice.spec else {
      faults.add(node.diagnostic("a search chooses among quantizers, not float"))
      return nil
    }
    return .quantizer(spec)
  }

  private static func bits(_ node: Node, faults: FaultCollector) -> Int? {
    if case .int(let bits) = node.value, (1...32).contains(bits) { return bits }
    faults.add(node.diagnostic("a number of bits lies in 1...32"))
    return nil
  }

  /// What a limit leaves of a role's candidates; empty after a fault.
  private static func thinned(
    _ candidates: [QuantizerSpec], _ allowed: Allowed, _ role: Slot.Role, _ node: Node,
    _ faults: FaultCollector
  ) -> [QuantizerSpec] {
    switch allowed {
    case .atMost(let bits):
      let left = candidates.filter { $0.bits <= bits }
      if left.isEmpty {
        faults.add(node.diagnostic("no \(role.rawValue) candidate has at most \(bits) bits"))
      }
      return left
    case .listed(let listed):
      var left: [QuantizerSpec] = []
      for candidate in listed {
        switch candidate {
        case .quantizer(let spec): if !left.contains(spec) { left.append(spec) }
        case .bits(let bits, let place):
          let found = candidates.filter { $0.bits == bits }
          if found.isEmpty {
            faults.add(place.diagnostic("no \(role.rawValue) candidate has \(bits) bits"))
            return []
          }
          left += found.filter { !left.contains($0) }
        }
      }
      return left
    }
  }

  /// The layers that keep the experiment's quantizers.
  private static func frozen(_ section: inout Section, for network: Network) -> [SlotPattern] {
    guard let node = section.node("frozen") else { return [] }
    guard case .sequence(let elements) = node.value else {
      section.faults.add(node.diagnostic("frozen is a list of names, classes and regexes"))
      return []
    }
    return elements.compactMap { element in
      guard case .string(let text) = element.value else {
        section.faults.add(element.diagnostic("a layer is a name, a class or a regex"))
        return nil
      }
      if SlotPattern.isClassOfOthers(text, than: network) { return nil }
      return SlotPattern(text, at: element, for: network, faults: section.faults)
    }
  }
}

extension ChoiceFields.Role {
  fileprivate init(_ role: Slot.Role) {
    switch role {
    case .kernel: self = .kernel
    case .bias: self = .bias
    case .activation: self = .activation
    }
  }
}
