//! Layers as they were written put together to a network: what each reads, where slots go, and
//! whether it all fits. Knows no YAML but the places of faults.

import Diagnostics
import Networks
import Specs

/// A network in the making, from steps.
///
/// With `slots: auto` a slot follows the input and every layer that makes new values: convolutions,
/// depthwise ones and dense layers behind their activation, sums, products, pools, and activations
/// of their own. A ReLU or ReLU6 that comes next takes the slot behind itself; flatten, dropout and
/// softmax need none. Swish and sigmoid have one before them, too. So every kernel reads quantized
/// values, and the last layer's are quantized.
struct NetworkAssembly {
  private let slots: OwnNetworkReader.Slots
  private let faults: FaultCollector
  private var builder = NetworkBuilder()
  private var nodes: [Node] = []
  private var labels: [String: LayerID] = [:]
  /// By written name, where it was written and how often it was used.
  private var names: [String: (place: SourceLocation, count: Int)] = [:]
  private var current = LayerID(0)
  /// By layer, whether a slot stands between it and whatever makes its values.
  private var isQuantized: [Bool] = []
  /// The slot that was put behind a layer.
  private var slotBehind: [LayerID: LayerID] = [:]

  init(slots: OwnNetworkReader.Slots, faults: FaultCollector) {
    self.slots = slots
    self.faults = faults
  }

  private struct Stopped: Error {}

  mutating func network(
    of steps: [LayerStep], input: (shape: [Int], node: Node), list: Node, isNonNegative: Bool,
    countsSoftmax: Bool
  ) -> (network: Network, nodes: [Node])? {
    do {
      let id = try located(input.node) { builder throws(LayerError) in
        try builder.appendInput(input.shape)
      }
      current = try settle(id, before: steps.first, at: input.node)
      labels["input"] = current
      for (index, step) in steps.enumerated() {
        let next = index + 1 < steps.count ? steps[index + 1] : nil
        if step.kind == .softmax, next != nil {
          faults.add(step.node.diagnostic("softmax is the last layer of a network"))
          return nil
        }
        try add(step, before: next)
      }
    } catch {
      return nil
    }
    let network = Network(
      name: Network.ownName, layers: builder.layers, inputIsNonNegative: isNonNegative,
      countsSoftmax: countsSoftmax)
    return check(network, at: list) ? (network, nodes) : nil
  }

  /// Layers whose output nobody reads, and a network without weights.
  private func check(_ network: Network, at list: Node) -> Bool {
    var isRead = [Bool](repeating: false, count: network.layers.count)
    for layer in network.layers {
      for input in layer.inputs { isRead[input.index] = true }
    }
    var isRight = true
    for index in network.layers.indices.dropLast() where !isRead[index] {
      faults.add(nodes[index].diagnostic("nothing reads what this layer gives"))
      isRight = false
    }
    if network.weights.isEmpty {
      faults.add(list.diagnostic("no layer has weights: there is nothing to train or to quantize"))
      isRight = false
    }
    return isRight
  }

  // MARK: Layers

  private mutating func add(_ step: LayerStep, before next: LayerStep?) throws(Stopped) {
    var operands = try operands(of: step)
    let name = try step.name.map { name throws(Stopped) in try unique(name) }
    switch step.content {
    case .plain(let operation, let keepsExtents):
      if case .multiply = operation, operands.count == 2,
        builder.shape(operands[0]).prefix(2) == [1, 1],
        builder.shape(operands[1]).prefix(2) != [1, 1]
      {
        // The gate may be written first.
        operands.swapAt(0, 1)
      }
      current = try append(operation, operands, name: name, keepsExtents, at: step.node)
      switch operation {
      case .quantize: isQuantized[current.index] = true
      case .flatten, .dropout, .softmax: isQuantized[current.index] = isQuantized[operands[0].index]
      default: current = try settle(current, before: next, at: step.node)
      }
    case .weighted(var layer, let normalization, let activation):
      switch normalization {
      case .none: break
      case .automatic: layer.batchNormalization = builder.batchNormalizationName()
      case .named(let name): layer.batchNormalization = try unique(name)
      }
      if layer.kind == .depthwiseConv2D {
        layer.filters = builder.shape(operands[0]).last ?? 1
      }
      current = try append(.weighted(layer), operands, name: name, false, at: step.node)
      if let operation = activation.operation {
        if activation == .swish || activation == .sigmoid {
          current = try settle(current, before: nil, at: step.node)
        }
        current = try append(operation, [current], name: nil, false, at: step.node)
      }
      current = try settle(current, before: next, at: step.node)
    }
    for reference in [step.name, step.label] {
      if let reference { labels[reference.text] = current }
    }
  }

  /// What a step reads, behind slots where it needs them.
  private mutating func operands(of step: LayerStep) throws(Stopped) -> [LayerID] {
    var operands: [LayerID] = []
    for reference in step.inputs ?? [] {
      guard let id = labels[reference.text] else {
        let known = labels.keys.sorted()
        faults.add(
          reference.node.diagnostic(
            "no layer before this one is called `\(reference.text)`",
            suggestion: closest(to: reference.text, among: known).map { "did you mean `\($0)`?" }
              ?? "a layer gets a name to be read by with `as: \(reference.text)`"))
        throw Stopped()
      }
      operands.append(id)
    }
    if step.inputs == nil { operands = [current] }
    switch step.kind {
    case .quantize, .relu, .relu6, .flatten, .dropout: return operands
    default: break
    }
    for index in operands.indices { operands[index] = try slotted(operands[index], at: step.node) }
    return operands
  }

  private mutating func append(
    _ operation: Operation, _ inputs: [LayerID], name: String?, _ keepsExtents: Bool, at node: Node
  ) throws(Stopped) -> LayerID {
    try located(node) { builder throws(LayerError) in
      try builder.append(operation, inputs, name: name, keepsExtents: keepsExtents)
    }
  }

  private mutating func located(
    _ node: Node, _ body: (inout NetworkBuilder) throws(LayerError) -> LayerID
  ) throws(Stopped) -> LayerID {
    do {
      let id = try body(&builder)
      nodes.append(node)
      isQuantized.append(false)
      return id
    } catch {
      faults.add(node.diagnostic("\(error)", suggestion: Self.advice(on: node)))
      throw Stopped()
    }
  }

  private static func advice(on node: Node) -> String? {
    node.text == LayerKind.multiply.rawValue
      ? "a gate comes from `global_average_pooling2d: {keepdims: true}`" : nil
  }

  /// A name in a repeat is given once for each repetition, and numbered as Keras numbers its own.
  private mutating func unique(_ name: LayerStep.Reference) throws(Stopped) -> String {
    let (place, count) = names[name.text] ?? (name.node.location, 0)
    guard place == name.node.location else {
      faults.add(
        name.node.diagnostic(
          "another layer is called `\(name.text)`",
          notes: [Diagnostic.Note("it is here", at: place)]))
      throw Stopped()
    }
    names[name.text] = (place, count + 1)
    return count == 0 ? name.text : "\(name.text)_\(count)"
  }

  // MARK: Slots

  /// The layer, or a slot behind it where one belongs there at once.
  private mutating func settle(
    _ id: LayerID, before next: LayerStep?, at node: Node
  ) throws(Stopped) -> LayerID {
    let takesOver = next.map { $0.isMask || $0.kind == .quantize && $0.inputs == nil } ?? false
    return takesOver ? id : try slotted(id, at: node)
  }

  /// The same values behind a slot.
  private mutating func slotted(_ id: LayerID, at node: Node) throws(Stopped) -> LayerID {
    if slots == .explicit || isQuantized[id.index] { return id }
    if let slot = slotBehind[id] { return slot }
    let slot = try append(.quantize, [id], name: nil, false, at: node)
    isQuantized[slot.index] = true
    slotBehind[id] = slot
    return slot
  }
}
