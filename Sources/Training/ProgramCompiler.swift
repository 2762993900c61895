//! Turns a network into steps over buffers: which map lives where, which gradient overwrites and
//! which adds. Computes nothing.

import Networks
import Quantization
import Tensors

/// A program in the making.
struct ProgramCompiler {
  private let network: Network
  private let quantizers: QuantizerMap
  private let batch: Int
  private let mode: Program.Mode
  private let weights: WeightStore
  private let oneDNN: OneDNN

  /// Readers of each layer's map.
  private let readers: [Int]
  /// Whether weights stand before a layer or in it, so that gradients must reach it.
  private let needsGradient: [Bool]
  private var maps: [UnsafeMutablePointer<Float>?]
  private var gradients: [UnsafeMutablePointer<Float>?]
  /// The step of each layer that has one.
  private var steps: [ForwardStep?]

  private(set) var storages: [Storage] = []
  private(set) var backwardSteps: [BackwardStep] = []
  private(set) var lossGradient: UnsafeMutablePointer<Float>?

  var inputGradient: UnsafeMutablePointer<Float>? { gradients[0] }
  var forwardSteps: [ForwardStep] { steps.compactMap { $0 } }

  init(
    _ network: Network, quantizers: QuantizerMap, batch: Int, mode: Program.Mode,
    weights: WeightStore, withInputGradient: Bool, oneDNN: OneDNN
  ) {
    self.network = network
    self.quantizers = quantizers
    self.batch = batch
    self.mode = mode
    self.weights = weights
    self.oneDNN = oneDNN
    var readers = [Int](repeating: 0, count: network.layers.count)
    var needsGradient: [Bool] = []
    for layer in network.layers {
      for input in layer.inputs { readers[input.index] += 1 }
      var needs = layer.inputs.contains { needsGradient[$0.index] }
      switch layer.operation {
      case .weighted: needs = true
      case .input: needs = withInputGradient
      default: break
      }
      needsGradient.append(needs)
    }
    self.readers = readers
    self.needsGradient = needsGradient
    maps = Array(repeating: nil, count: network.layers.count)
    gradients = maps
    steps = Array(repeating: nil, count: network.layers.count)
  }

  func data(_ id: LayerID) -> UnsafeMutablePointer<Float> {
    guard let map = maps[id.index] else { preconditionFailure("\(network[id].name) has no map") }
    return map
  }

  private func count(_ id: LayerID) -> Int { batch * network[id].elements }

  private mutating func allocate(_ count: Int) -> UnsafeMutablePointer<Float> {
    let storage = Storage(count: count)
    storages.append(storage)
    return storage.pointer
  }

  // MARK: Forward

  /// Whether a layer's map is its own and nobody but its one reader looks at it: none of these
  /// layers needs its output for its gradient. The caller's input and shared maps stay whole.
  private func canOverwrite(_ id: LayerID) -> Bool {
    guard readers[id.index] == 1 else { return false }
    return switch network[id].operation {
    case .weighted, .add, .averagePool, .relu: true
    default: false
    }
  }

  mutating func compileForward() throws {
    let nonNegative = network.nonNegativeLayers
    for (index, layer) in network.layers.enumerated() {
      let id = LayerID(index)
      switch layer.operation {
      case .input: maps[index] = allocate(count(id))
      case .flatten, .dropout: maps[index] = data(layer.inputs[0])
      case .relu6, .swish, .sigmoid, .multiply, .globalAveragePool:
        preconditionFailure("\(layer.name) cannot be compiled")
      case .quantize:
        try compileSlot(id, isNonNegative: nonNegative[index])
      case .weighted: try compileWeighted(id)
      case .relu:
        let x = data(layer.inputs[0])
        let y = canOverwrite(layer.inputs[0]) ? x : allocate(count(id))
        maps[index] = y
        steps[index] = .relu(ReLUStep(x: x, y: y, count: count(id)))
      case .add:
        let y = allocate(count(id))
        maps[index] = y
        steps[index] = .add(
          AddStep(a: data(layer.inputs[0]), b: data(layer.inputs[1]), y: y, count: count(id)))
      case .averagePool(let height, let width):
        let input = network[layer.inputs[0]].shape
        let y = allocate(count(id))
        maps[index] = y
        steps[index] = .averagePool(
          AveragePoolStep(
            x: data(layer.inputs[0]), y: y, samples: batch, height: input[0], width: input[1],
            channels: input[2], window: (height, width)))
      case .softmax:
        let y = allocate(count(id))
        maps[index] = y
        steps[index] = .softmax(
          SoftmaxStep(
            x: data(layer.inputs[0]), y: y, samples: batch, classes: layer.shape.last ?? 1))
      }
    }
  }

  private mutating func compileSlot(_ id: LayerID, isNonNegative: Bool) throws {
    let layer = network[id]
    let x = data(layer.inputs[0])
    guard let spec = quantizers.activations[layer.name] else {
      maps[id.index] = x
      return
    }
    // Training keeps the unquantized map: its zeros decide where the gradient passes.
    let y = mode == .inference && canOverwrite(layer.inputs[0]) ? x : allocate(count(id))
    maps[id.index] = y
    steps[id.index] = .slot(
      SlotStep(
        try Quantizer(spec), x: x, y: y, samples: batch, elements: layer.elements,
        isNonNegative: isNonNegative))
  }

  private mutating func compileWeighted(_ id: LayerID) throws {
    let layer = network[id]
    let bound = try BoundLayer(
      id, in: network, batch: batch, weights: weights, quantizers: quantizers)
    let x = data(layer.inputs[0])
    let y = allocate(count(id))
    maps[id.index] = y
    let step: any LayerStep =
      if mode == .inference {
        try InferenceStep(bound, on: oneDNN, x: x, y: y)
      } else if let normalization = bound.normalization {
        try FoldedStep(bound, normalization, on: oneDNN, x: x, y: y)
      } else {
        try PlainStep(bound, on: oneDNN, x: x, y: y)
      }
    steps[id.index] = .weighted(step)
  }

  // MARK: Backward

  mutating func compileBackward() throws {
    let scratch = backwardScratch()
    var end = network.layers.count - 1
    if case .softmax = network.layers[end].operation { end = network.layers[end].inputs[0].index }
    assignGradients(upTo: end)
    lossGradient = gradients[end]
    // The loss writes the last layer's gradient; every other layer's first reader, seen from the
    // end, overwrites and the further ones add.
    var isWritten = [Bool](repeating: false, count: network.layers.count)
    for index in stride(from: end, through: 0, by: -1) where needsGradient[index] {
      let layer = network.layers[index]
      var targets: [GradientTarget?] = []
      for input in layer.inputs {
        guard needsGradient[input.index], let pointer = gradients[input.index] else {
          targets.append(nil)
          continue
        }
        targets.append(GradientTarget(pointer: pointer, accumulates: isWritten[input.index]))
        isWritten[input.index] = true
      }
      try compileBackward(LayerID(index), targets: targets, scratch: scratch)
    }
  }

  private mutating func compileBackward(
    _ id: LayerID, targets: [GradientTarget?], scratch: BackwardScratch
  ) throws {
    let layer = network[id]
    guard let gradient = gradients[id.index] else {
      preconditionFailure("\(layer.name) has no gradient")
    }
    func route(_ target: GradientTarget, _ input: LayerID) -> BackwardStep.Route {
      BackwardStep.Route(
        from: gradient, to: target, count: count(input), scratch: scratch.input.pointer)
    }
    if case .input = layer.operation { return }
    switch steps[id.index] {
    case .weighted(let step):
      guard let step = step as? any TrainingStep else { return }
      try step.prepareBackward(
        outputGradient: gradient, inputGradient: targets[0], scratch: scratch, on: oneDNN)
      backwardSteps.append(.weighted(step))
    case .slot(let step):
      if let target = targets[0] {
        backwardSteps.append(.slot(step, route(target, layer.inputs[0])))
      }
    case .relu(let step):
      if let target = targets[0] {
        backwardSteps.append(.relu(step, route(target, layer.inputs[0])))
      }
    case .averagePool(let step):
      if let target = targets[0] {
        backwardSteps.append(.averagePool(step, route(target, layer.inputs[0])))
      }
    case .add, nil:
      for (target, input) in zip(targets, layer.inputs) {
        if let target { backwardSteps.append(.identity(route(target, input))) }
      }
    case .softmax: preconditionFailure("a softmax inside a network has no gradient here")
    }
  }

  /// A gradient buffer for every layer that needs one. A layer that masks or passes on its output's
  /// gradient shares it with its input where it is the only reader.
  private mutating func assignGradients(upTo end: Int) {
    for index in stride(from: end, through: 0, by: -1) where needsGradient[index] {
      if gradients[index] == nil { gradients[index] = allocate(count(LayerID(index))) }
      let layer = network.layers[index]
      switch layer.operation {
      case .quantize, .relu, .flatten, .dropout:
        let input = layer.inputs[0].index
        if readers[input] == 1 { gradients[input] = gradients[index] }
      default: break
      }
    }
  }

  private mutating func backwardScratch() -> BackwardScratch {
    var output = 0
    var input = 0
    for (index, layer) in network.layers.enumerated() {
      for source in layer.inputs { input = max(input, count(source)) }
      if case .weighted = layer.operation { output = max(output, count(LayerID(index))) }
    }
    let scratch = BackwardScratch(
      first: Storage(count: output), second: Storage(count: output), input: Storage(count: input))
    storages += [scratch.first, scratch.second, scratch.input]
    return scratch
  }
}
