//! A network that an experiment spells out: its `layers`, with branches and repeats. Knows what users
//! write, not where slots go.

import Diagnostics
import Networks
import Specs

/// The `network` section with `layers`.
struct OwnNetworkReader {
  /// How layers get their activation slots.
  enum Slots: String, CaseIterable {
    /// Where the thesis places them.
    case auto
    /// Where the user writes `quantize`.
    case explicit
  }

  /// Of all layers with their repetitions; the engine's programs are not made for more.
  private static let stepLimit = 5000
  private static let depthLimit = 16

  private let faults: FaultCollector
  private var defaults: [LayerKind: Node] = [:]
  private var used: Set<LayerKind> = []

  /// The network and, by the places of its layers, what the user wrote; nil after faults.
  static func read(_ section: inout Section) -> (network: Network, nodes: [Node])? {
    var reader = OwnNetworkReader(faults: section.faults)
    return reader.read(&section)
  }

  private init(faults: FaultCollector) { self.faults = faults }

  private mutating func read(_ section: inout Section) -> (network: Network, nodes: [Node])? {
    let before = faults.diagnostics.count
    readDefaults(&section)
    let input = shape(&section)
    let slots = section.choice("slots", of: Slots.self, default: .auto)
    let isNonNegative = section.bool("non_negative_input", default: false)
    let countsSoftmax = section.bool("count_softmax", default: false)
    let list = section.node("layers")
    var steps: [LayerStep] = []
    if let list { steps = self.steps(list, depth: 0) }
    for (kind, node) in defaults where !used.contains(kind) {
      faults.add(node.diagnostic("`defaults` for \(kind.rawValue), and no layer is of that kind"))
    }
    if countsSoftmax, steps.last?.kind != .softmax, let node = section.node["count_softmax"] {
      faults.add(node.diagnostic("`count_softmax`, and the last layer is no softmax"))
    }
    section.rejectUnknownKeys()
    guard let list, let input, !hasErrors(since: before) else { return nil }
    var assembly = NetworkAssembly(slots: slots, faults: faults)
    return assembly.network(
      of: steps, input: input, list: list, isNonNegative: isNonNegative,
      countsSoftmax: countsSoftmax)
  }

  private func hasErrors(since count: Int) -> Bool {
    faults.diagnostics.dropFirst(count).contains { $0.severity == .error }
  }

  private func shape(_ section: inout Section) -> (shape: [Int], node: Node)? {
    guard let node = section.node("input") else {
      faults.add(
        section.node.diagnostic(
          "a network of layers needs `input`, its shape", suggestion: "write `input: [32, 32, 3]`"))
      return nil
    }
    var shape: [Int] = []
    if case .sequence(let elements) = node.value {
      for case .int(let extent) in elements.map(\.value) where (1...65_536).contains(extent) {
        shape.append(extent)
      }
      if shape.count == elements.count, shape.count == 1 || shape.count == 3 {
        return (shape, node)
      }
    }
    faults.add(
      node.diagnostic(
        "`input` is [height, width, channels] or [features], each in 1...65536"))
    return nil
  }

  private mutating func readDefaults(_ section: inout Section) {
    guard let child = section.section("defaults", in: "network.defaults"),
      case .mapping(let entries) = child.node.value
    else { return }
    for entry in entries {
      guard
        let kind = entry.key.choice(of: LayerKind.self, named: "kind of layer", faults)
      else { continue }
      guard case .mapping(let options) = entry.value.value else {
        faults.add(entry.value.diagnostic("the defaults of a kind are options: `{l2: 0.0001}`"))
        continue
      }
      for option in options where ["name", "as", "from", "inputs"].contains(option.name) {
        faults.add(option.key.diagnostic("`\(option.name)` is of one layer, not of all of a kind"))
      }
      var node = entry.key
      node.value = .mapping(options)
      defaults[kind] = node
    }
  }

  // MARK: Steps

  private mutating func steps(_ list: Node, depth: Int) -> [LayerStep] {
    guard case .sequence(let elements) = list.value, !elements.isEmpty else {
      faults.add(list.diagnostic("layers is a list: `[{conv2d: {filters: 16}}, flatten]`"))
      return []
    }
    guard depth < Self.depthLimit else {
      faults.add(list.diagnostic("repeats stand in each other at most \(Self.depthLimit) deep"))
      return []
    }
    var steps: [LayerStep] = []
    for element in elements {
      steps += self.steps(of: element, depth: depth)
      if steps.count > Self.stepLimit {
        faults.add(element.diagnostic("a network has at most \(Self.stepLimit) layers"))
        return []
      }
    }
    return steps
  }

  private mutating func steps(of element: Node, depth: Int) -> [LayerStep] {
    switch element.value {
    case .string: return step(element, options: nil)
    case .mapping(let entries):
      if element["repeat"] != nil { return repeated(element, depth: depth) }
      if element["kind"] != nil {
        let kind = element["kind"]?.text ?? "conv2d"
        faults.add(
          element.diagnostic(
            "a layer is its kind with its options behind", suggestion: "write `\(kind): {...}`"))
        return []
      }
      guard let entry = entries.first, entries.count == 1 else { break }
      return step(entry.key, options: entry.value)
    default: break
    }
    faults.add(
      element.diagnostic("a layer is its kind, or a mapping of its kind to its options"))
    return []
  }

  private mutating func step(_ key: Node, options: Node?) -> [LayerStep] {
    if let kind = key.text.flatMap(LayerKind.init(rawValue:)) { used.insert(kind) }
    return LayerStep(key, options: options, defaults: defaults, faults: faults).map { [$0] } ?? []
  }

  /// `{repeat: 4, layers: [...]}`.
  private mutating func repeated(_ element: Node, depth: Int) -> [LayerStep] {
    guard var section = Section.mapping(element, in: "repeat", faults: faults) else { return [] }
    let count = section.int("repeat", in: 1...1000)
    let body = section.node("layers")
    section.rejectUnknownKeys()
    guard let body else {
      faults.add(element.diagnostic("a repeat needs the `layers` to repeat"))
      return []
    }
    let steps = steps(body, depth: depth + 1)
    guard steps.count * count <= Self.stepLimit else {
      faults.add(element.diagnostic("a network has at most \(Self.stepLimit) layers"))
      return []
    }
    return (0..<count).flatMap { _ in steps }
  }
}
