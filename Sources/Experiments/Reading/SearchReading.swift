//! The `search` section of an experiment: its choices become lists of slots and candidates. Knows
//! how slots are chosen, not how the tuner chooses.

import Diagnostics
import Networks
import Specs

/// The experiment's search, resolved against its network.
struct SearchSpec {
  var fields: SearchFields
  /// What a trial trains differently from `training`.
  var training: TrainingSection
  /// Of each trial.
  var threads: Int
  private(set) var threadsLocation: SourceLocation?
  var locations: [String: SourceLocation] = [:]

  init(_ section: inout Section, for network: Network) {
    training = TrainingSection(&section)
    let space = SearchSpace(&section, for: network)
    threads = section.int("threads", in: 1...256, default: 1)
    fields = SearchFields(
      tuner: section.choice("tuner", of: SearchFields.Tuner.self, default: .random),
      trials: section.int("trials", in: 1...1_000_000),
      initialTrials: section.optionalInt("initial_trials", in: 1...1_000_000),
      batch: section.int("batch", in: 1...1024, default: 4),
      maxConsecutiveFailedTrials: section.int(
        "max_consecutive_failed_trials", in: 1...1_000_000, default: 3),
      goal: .autoQKeras,
      choices: space.choices)
    if fields.tuner != .bayesian, let node = section.node["initial_trials"] {
      section.faults.add(
        node.diagnostic(
          "only the tuner `bayesian` begins with random trials, not `\(fields.tuner.rawValue)`"))
    }
    if var child = section.section("goal", in: "search.goal") {
      fields.goal = GoalFields(
        kind: child.choice("kind", of: GoalFields.Kind.self, default: .bits),
        deltaP: child.double("delta_p", in: 0...100, default: 5),
        deltaN: child.double("delta_n", in: 0...100, default: 5),
        rate: child.double("rate", in: 1.000_001...1e6, default: 2),
        stress: child.double("stress", in: 1e-6...1e6, default: 1))
      child.rejectUnknownKeys()
      section.adopt(child, at: "goal")
    }
    section.rejectUnknownKeys()
    let written = section.locations
    for key in [
      "tuner", "trials", "initial_trials", "batch", "max_consecutive_failed_trials", "goal",
    ] {
      for (path, location) in written where path == key || path.hasPrefix(key + ".") {
        locations[path] = location
      }
    }
    threadsLocation = written["threads"]
    locations["choices"] = written["choices"] ?? written["limit"]
  }
}

/// Candidates by role, and the limits that thin them out.
private struct SearchSpace {
  var choices: [ChoiceFields] = []

  /// One entry of `limit`: at most so many bits.
  private struct Limit {
    var pattern: SlotPattern
    /// Regexes make their slots share one choice; classes do not.
    var isShared: Bool
    var bits: [Slot.Role: Int]
    var node: Node
  }

  init(_ section: inout Section, for network: Network) {
    let faults = section.faults
    let candidates = Self.candidates(&section)
    let limitNode = section.node("limit")
    let limits = limitNode.map { Self.limits($0, for: network, faults: faults) }
    var groups: [String: Int] = [:]
    var unlimited: [String] = []
    let slots =
      network.slots.filter { $0.role == .kernel } + network.slots.filter { $0.role != .kernel }
    for slot in slots {
      guard var allowed = candidates[slot.role] else { continue }
      var group: String?
      if let limits {
        guard let (index, limit) = Self.limit(of: slot, among: limits) else {
          if !unlimited.contains(slot.name) { unlimited.append(slot.name) }
          continue
        }
        if let bits = limit.bits[slot.role] {
          allowed.removeAll { $0.bits > bits }
          if allowed.isEmpty {
            faults.add(
              limit.node.diagnostic("no \(slot.role.rawValue) candidate has at most \(bits) bits"))
            continue
          }
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
        let bits = bits(entry.value, of: pattern, in: network, faults: faults)
      else { return nil }
      let isShared = if case .layerClass = pattern { false } else { true }
      return Limit(pattern: pattern, isShared: isShared, bits: bits, node: entry.value)
    }
  }

  /// [kernel, bias, activation]; for activations the last counts.
  private static func bits(
    _ node: Node, of pattern: SlotPattern, in network: Network, faults: FaultCollector
  ) -> [Slot.Role: Int]? {
    let isWeighted = network.slots.contains { $0.role != .activation && pattern.matches($0) }
    let shape = isWeighted ? "[kernel, bias, activation]" : "[activation]"
    var widths: [Int] = []
    if case .sequence(let elements) = node.value {
      for element in elements {
        guard case .int(let bits) = element.value, (1...32).contains(bits) else {
          faults.add(element.diagnostic("a number of bits lies in 1...32"))
          return nil
        }
        widths.append(bits)
      }
    }
    guard let last = widths.last, widths.count <= 3, !isWeighted || widths.count >= 2 else {
      faults.add(node.diagnostic("a limit is a list of bits, here \(shape)"))
      return nil
    }
    return isWeighted
      ? [.kernel: widths[0], .bias: widths[1], .activation: last] : [.activation: last]
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
