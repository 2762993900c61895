//! Everything between two convolutions as one step: batch normalization's affine map, sums, gates,
//! activation functions, quantization slots. Forward and backward side by side.

import CKernels
import Networks
import Quantization
import Tensors

/// A chain of segments over one map (CKernels' chains.h): each an activation function and then a
/// quantizer, either of which may be missing.
final class ChainStep: TrainingStep {
  /// Where the values come from.
  enum Source {
    case map(MapNode)
    /// A folded layer's convolution, before its correction and bias.
    case folded(FoldedStep)
    case sum(MapNode, MapNode)
    /// A map, and a gate of one value per sample and channel.
    case product(MapNode, MapNode)
  }

  struct Segment {
    var function: ck_function = ck_identity
    var quantizer: Quantizer?
    var isNonNegative = false
    /// Of dropout.
    var rate: Float = 0
  }

  /// Values from which a result is written past the caches, which would not keep it: 16 MB.
  private static let leastStreamed = 1 << 22

  let name: String
  let kind = "chain"
  let output: MapNode
  private let source: Source
  private let samples: Int
  private let elements: Int
  private let channels: Int
  private let segments: UnsafeMutablePointer<ck_segment>
  private let scratch: PlannedBuffer
  /// The same chain as the backward pass runs it, with scratch of its own.
  private var backwardScratch: PlannedBuffer?
  private var chain: ck_chain
  private var backwardChain = ck_chain()
  private var gradient = ck_chain_gradient()
  private var targets: (a: GradientTarget?, b: GradientTarget?)
  /// Sums of each group of samples.
  private var partialSums: Buffer<Double>?

  /// - Parameters:
  ///   - shape: of one sample's map.
  ///   - dropoutKey: what dropout's choice hangs on; the caller changes it from step to step.
  init(
    name: String, source: Source, segments: [Segment], shape: [Int], samples: Int,
    output: MapNode, dropoutKey: UnsafePointer<UInt64>, plan: inout MemoryPlan
  ) {
    self.name = name
    self.source = source
    self.output = output
    self.samples = samples
    elements = shape.reduce(1, *)
    channels = shape.last ?? 1
    let segments = segments.isEmpty ? [Segment()] : segments
    self.segments = .allocate(capacity: segments.count)
    for (index, segment) in segments.enumerated() {
      self.segments[index] = ck_segment(
        function: segment.function,
        quantizer: segment.quantizer?.mapQuantizer(isNonNegative: segment.isNonNegative)
          ?? ck_map_quantizer(),
        rate: segment.rate, key: dropoutKey)
    }
    chain = ck_chain()
    chain.source =
      switch source {
      case .map: ck_from_map
      case .folded: ck_from_affine
      case .sum: ck_from_sum
      case .product: ck_from_product
      }
    chain.samples = samples
    chain.elements = elements
    chain.channels = channels
    chain.period = ck_period(channels)
    chain.segments = UnsafePointer(self.segments)
    chain.segment_count = segments.count
    if case .folded(let step) = source, step.isRemade { chain.remakes = 1 }
    scratch = plan.buffer(count: ck_threads() * ck_chain_scratch(&chain))
    if segments.last?.quantizer?.fitsBytes == true {
      output.grids = Storage(count: 2 * samples)
      chain.grids = output.grids?.pointer
    }
  }

  deinit { segments.deallocate() }

  /// The maps that it reads.
  private var inputs: [PlannedBuffer] {
    switch source {
    case .map(let a): [a.buffer]
    case .folded(let step): step.chainInputs
    case .sum(let a, let b), .product(let a, let b): [a.buffer, b.buffer]
    }
  }

  func planForward(_ plan: inout MemoryPlan, at moment: Int) {
    for buffer in inputs + [output.buffer, scratch] { plan.use(buffer, at: moment) }
  }

  var needsBackward: Bool { output.needsGradient }

  func planBackward(_ plan: inout MemoryPlan, at moment: Int) {
    guard let gradient = output.gradient else { preconditionFailure("\(name) has no gradient") }
    switch source {
    case .map(let a): targets.a = a.target(&plan, reusing: gradient)
    case .folded(let step):
      // The folded layer goes on from where the chain leaves the gradient.
      targets.a = GradientTarget(buffer: gradient, accumulates: false)
      step.outputGradient = gradient
      partialSums = Buffer(count: ck_chain_partial_sums(&chain))
    case .sum(let a, let b):
      targets.a = a.target(&plan, reusing: gradient)
      let isSpent = targets.a?.buffer === gradient
      targets.b = b.target(&plan, reusing: isSpent ? nil : gradient)
    case .product(let a, let b):
      targets.a = a.target(&plan, reusing: gradient)
      targets.b = b.target(&plan)
    }
    let scratch = plan.buffer(count: scratch.count)
    backwardScratch = scratch
    let written = [targets.a?.buffer, targets.b?.buffer].compactMap { $0 }
    for buffer in inputs + written + [gradient, scratch] { plan.use(buffer, at: moment) }
  }

  func bind(on oneDNN: OneDNN) {
    chain.y = output.buffer.pointer
    chain.streams = samples * elements >= Self.leastStreamed ? 1 : 0
    chain.scratch = scratch.pointer
    switch source {
    case .map(let a): chain.a = UnsafePointer(a.buffer.pointer)
    case .folded(let step): step.bind(&chain)
    case .sum(let a, let b), .product(let a, let b):
      chain.a = UnsafePointer(a.buffer.pointer)
      chain.b = UnsafePointer(b.buffer.pointer)
    }
    guard let outputGradient = output.gradient, let backwardScratch else { return }
    backwardChain = chain
    backwardChain.scratch = backwardScratch.pointer
    gradient.g = UnsafePointer(outputGradient.pointer)
    gradient.da = targets.a?.buffer.pointer
    gradient.da_adds = targets.a?.accumulates == true ? 1 : 0
    gradient.db = targets.b?.buffer.pointer
    gradient.db_adds = targets.b?.accumulates == true ? 1 : 0
    gradient.partial_sums = partialSums?.pointer
    if case .folded(let step) = source { step.bind(&gradient) }
  }

  func forward() { ck_chain_forward(&chain) }

  func backward() { ck_chain_backward(&backwardChain, &gradient) }
}
