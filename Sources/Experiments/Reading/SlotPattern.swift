//! How a user names slots of a network: by name, by class, or by a regex of whole names.

import Diagnostics
import Networks
import Specs

/// Some slots of a network.
enum SlotPattern {
  case name(String)
  case layerClass(String)
  case regex(Regex<AnyRegexOutput>)

  /// Characters that no layer's name has and most regexes do.
  private static let signs = Set<Character>("^$.*+?()[]{}|\\")

  /// What `text` means for `network`; a fault where it means nothing.
  init?(_ text: String, at node: Node, for network: Network, faults: FaultCollector) {
    let slots = network.slots
    if slots.contains(where: { $0.name == text }) {
      self = .name(text)
    } else if slots.contains(where: { $0.layerClass == text }) {
      self = .layerClass(text)
    } else if text.contains(where: Self.signs.contains) {
      guard let regex = try? Regex(text) else {
        faults.add(node.diagnostic("`\(text)` is no regular expression"))
        return nil
      }
      guard slots.contains(where: { Self.regex(regex).matches($0) }) else {
        faults.add(
          node.diagnostic(
            "no layer of \(network.name) has a name that `\(text)` matches as a whole"))
        return nil
      }
      self = .regex(regex)
    } else {
      let names = Set(slots.map(\.layerClass)).sorted() + slots.map(\.name)
      faults.add(
        node.diagnostic(
          "\(network.name) has no layer or class `\(text)`",
          suggestion: closest(to: text, among: names).map { "did you mean `\($0)`?" }))
      return nil
    }
  }

  /// Whether `text` is a class that other networks have: one experiment may serve several.
  static func isClassOfOthers(_ text: String, than network: Network) -> Bool {
    let known = WeightedLayer.Kind.allCases.map(\.rawValue) + ["Activation"]
    return known.contains(text) && !network.slots.contains { $0.layerClass == text }
  }

  func matches(_ slot: Slot) -> Bool {
    switch self {
    case .name(let name): slot.name == name
    case .layerClass(let layerClass): slot.layerClass == layerClass
    case .regex(let regex): (try? regex.wholeMatch(in: slot.name)) != nil
    }
  }

  /// A name wins over a regex, a regex over a class.
  var rank: Int {
    switch self {
    case .name: 0
    case .regex: 1
    case .layerClass: 2
    }
  }
}
