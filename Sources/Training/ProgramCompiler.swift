//! Turns a network into steps over planned buffers: what runs in one pass, which map lives where
//! and how long, which gradient overwrites and which adds. Computes nothing.

import CKernels
import Networks
import Quantization
import Tensors

/// A program in the making.
struct ProgramCompiler {
  /// What stands for a layer's output while the network is walked.
  private enum Value {
    case map(MapNode)
    /// Not computed yet: what follows joins it in one pass.
    case pending(Draft)
  }

  /// A chain that can still grow.
  private struct Draft {
    var name: String
    var source: ChainStep.Source
    var segments: [ChainStep.Segment] = []
    var shape: [Int]
    /// Memory that the result may take: its source's, where nobody else reads that.
    var spare: PlannedBuffer?
    var needsGradient: Bool

    /// Puts a function behind what stands there.
    mutating func append(_ function: ck_function, rate: Float = 0) {
      if segments.isEmpty || segments[segments.count - 1].function != ck_identity
        || segments[segments.count - 1].quantizer != nil
      {
        segments.append(ChainStep.Segment())
      }
      segments[segments.count - 1].function = function
      segments[segments.count - 1].rate = rate
    }

    mutating func append(_ quantizer: Quantizer, isNonNegative: Bool) {
      if segments.isEmpty || segments[segments.count - 1].quantizer != nil {
        segments.append(ChainStep.Segment())
      }
      segments[segments.count - 1].quantizer = quantizer
      segments[segments.count - 1].isNonNegative = isNonNegative
    }
  }

  private let network: Network
  private let quantizers: QuantizerMap
  private let options: Program.Options
  private let weights: WeightStore
  private let dropoutKey: UnsafePointer<UInt64>
  private var batch: Int { options.batch }

  /// Readers of each layer's map.
  private let readers: [Int]
  private let nonNegative: [Bool]
  private var values: [Value] = []

  private(set) var plan = MemoryPlan()
  private(set) var steps: [any ProgramStep] = []
  private(set) var backwardSteps: [any TrainingStep] = []
  private(set) var input: MapNode
  private(set) var lossGradient: PlannedBuffer?

  init(
    _ network: Network, quantizers: QuantizerMap, options: Program.Options,
    weights: WeightStore, dropoutKey: UnsafePointer<UInt64>
  ) {
    self.network = network
    self.quantizers = quantizers
    self.options = options
    self.weights = weights
    self.dropoutKey = dropoutKey
    var readers = [Int](repeating: 0, count: network.layers.count)
    for layer in network.layers {
      for input in layer.inputs { readers[input.index] += 1 }
    }
    self.readers = readers
    nonNegative = network.nonNegativeLayers
    input = MapNode(
      plan.buffer(count: options.batch * network.inputShape.reduce(1, *)),
      needsGradient: options.withInputGradient)
  }

  /// Compiles everything; the output's map.
  mutating func compile() throws -> MapNode {
    for index in network.layers.indices { values.append(try value(of: LayerID(index))) }
    let output = map(of: LayerID(network.layers.count - 1))
    for (moment, step) in steps.enumerated() { step.planForward(&plan, at: moment) }
    for (buffer, moment) in [
      (input.buffer, MemoryPlan.always.start), (input.buffer, MemoryPlan.always.end),
      (output.buffer, MemoryPlan.always.end),
    ] { plan.use(buffer, at: moment) }
    if options.mode == .training { compileBackward() }
    return output
  }

  // MARK: Forward

  /// The map of a layer, computed from here on where it was pending.
  private mutating func map(of id: LayerID) -> MapNode {
    switch values[id.index] {
    case .map(let node): return node
    case .pending(let draft):
      let output = MapNode(
        draft.spare ?? plan.buffer(count: batch * draft.shape.reduce(1, *)),
        needsGradient: draft.needsGradient)
      steps.append(
        ChainStep(
          name: draft.name, source: draft.source, segments: draft.segments, shape: draft.shape,
          samples: batch, output: output, dropoutKey: dropoutKey, plan: &plan))
      values[id.index] = .map(output)
      return output
    }
  }

  /// The chain that goes on from a layer's output: its own, where nobody else reads it, else one
  /// that begins at its map.
  private mutating func draft(from id: LayerID, for layer: Layer) -> Draft {
    if case .pending(let draft) = values[id.index], readers[id.index] == 1 { return draft }
    let node = map(of: id)
    // An inference needs no map a second time, but the caller's input stays whole.
    let isSpare = options.mode == .inference && readers[id.index] == 1 && node !== input
    return Draft(
      name: layer.name, source: .map(node), shape: network[id].shape,
      spare: isSpare ? node.buffer : nil, needsGradient: node.needsGradient)
  }

  private mutating func value(of id: LayerID) throws -> Value {
    let layer = network[id]
    func appending(_ function: ck_function, _ draft: Draft) -> Value {
      var draft = draft
      draft.append(function)
      return .pending(draft)
    }
    switch layer.operation {
    case .input: return .map(input)
    case .weighted: return try weighted(id)
    case .relu: return appending(ck_relu, draft(from: layer.inputs[0], for: layer))
    case .relu6: return appending(ck_relu6, draft(from: layer.inputs[0], for: layer))
    case .swish: return appending(ck_swish, draft(from: layer.inputs[0], for: layer))
    case .sigmoid: return appending(ck_sigmoid, draft(from: layer.inputs[0], for: layer))
    case .dropout(let rate):
      guard options.dropsOut, options.mode == .training, rate > 0 else {
        return passingOn(layer)
      }
      var draft = draft(from: layer.inputs[0], for: layer)
      draft.append(ck_dropout, rate: rate)
      return .pending(draft)
    case .quantize:
      guard let spec = quantizers.activations[layer.name] else { return passingOn(layer) }
      var draft = draft(from: layer.inputs[0], for: layer)
      draft.append(try Quantizer(spec), isNonNegative: nonNegative[id.index])
      return .pending(draft)
    case .flatten: return passingOn(layer)
    case .add, .multiply: return joined(layer)
    case .averagePool(let height, let width): return pooled(layer, window: (height, width))
    case .globalAveragePool:
      let shape = network[layer.inputs[0]].shape
      return pooled(layer, window: (shape[0], shape[1]))
    case .softmax:
      let input = map(of: layer.inputs[0])
      let output = MapNode(
        plan.buffer(count: batch * layer.elements), needsGradient: input.needsGradient)
      steps.append(
        SoftmaxStep(
          name: layer.name, input: input, output: output, samples: batch,
          classes: layer.shape.last ?? 1))
      return .map(output)
    }
  }

  /// The input's own value, for a layer that computes nothing.
  private mutating func passingOn(_ layer: Layer) -> Value {
    let input = layer.inputs[0]
    if case .pending(var draft) = values[input.index], readers[input.index] == 1 {
      // Per-channel work keeps the channels that the chain began with.
      if draft.shape.last == layer.shape.last {
        draft.shape = layer.shape
        return .pending(draft)
      }
    }
    return .map(map(of: input))
  }

  private mutating func joined(_ layer: Layer) -> Value {
    let (a, b) = (map(of: layer.inputs[0]), map(of: layer.inputs[1]))
    return .pending(
      Draft(
        name: layer.name, source: layer.operation == .add ? .sum(a, b) : .product(a, b),
        shape: layer.shape, needsGradient: a.needsGradient || b.needsGradient))
  }

  private mutating func pooled(_ layer: Layer, window: (height: Int, width: Int)) -> Value {
    let input = map(of: layer.inputs[0])
    let output = MapNode(
      plan.buffer(count: batch * layer.elements), needsGradient: input.needsGradient)
    steps.append(
      PoolStep(
        name: layer.name, input: input, output: output, samples: batch,
        shape: network[layer.inputs[0]].shape, window: window))
    return .map(output)
  }

  private mutating func weighted(_ id: LayerID) throws -> Value {
    let layer = network[id]
    let bound = try BoundLayer(
      id, in: network, batch: batch, weights: weights, quantizers: quantizers)
    let input = map(of: layer.inputs[0])
    if options.mode == .training, let normalization = bound.normalization {
      let step = FoldedStep(bound, normalization, input: input, plan: &plan)
      steps.append(step)
      return .pending(
        Draft(
          name: layer.name, source: .folded(step), shape: layer.shape, needsGradient: true))
    }
    let output = MapNode(
      plan.buffer(count: batch * layer.elements), needsGradient: options.mode == .training)
    steps.append(
      options.mode == .inference
        ? InferenceStep(bound, input: input, output: output)
        : PlainStep(bound, input: input, output: output))
    return .map(output)
  }

  // MARK: Backward

  private mutating func compileBackward() {
    // The loss knows the gradient by a final softmax's input.
    var end = network.layers.count - 1
    if case .softmax = network.layers[end].operation { end = network.layers[end].inputs[0].index }
    lossGradient = map(of: LayerID(end)).target(&plan)?.buffer
    if let lossGradient { plan.use(lossGradient, at: steps.count) }
    for step in steps.reversed() {
      guard let step = step as? any TrainingStep, step.needsBackward else { continue }
      backwardSteps.append(step)
      step.planBackward(&plan, at: steps.count + backwardSteps.count)
    }
    // The caller reads it after the last step.
    if let gradient = input.gradient { plan.use(gradient, at: MemoryPlan.always.end) }
  }
}
