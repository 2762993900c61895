//! A fit on a network of a few hundred weights that still has everything a checkpoint must keep.

import Networks
import Stages
import Tensors
import TestSupport
import Training

/// Batches of hashed examples, others in each epoch.
struct TinyExamples: BatchSource {
  let count: Int
  let batchSize: Int
  let stream: UInt32
  let varies: Bool
  private var epoch = 0
  private var done = 0

  init(count: Int, batchSize: Int, stream: UInt32, varies: Bool = false) {
    self.count = count
    self.batchSize = batchSize
    self.stream = stream
    self.varies = varies
  }

  mutating func begin(epoch: Int) {
    self.epoch = varies ? epoch : 0
    done = 0
  }

  mutating func next(
    into inputs: UnsafeMutablePointer<Float>, labels: UnsafeMutablePointer<Int32>
  ) -> Int {
    let size = min(batchSize, count - done)
    let width = TinyFit.inputShape.reduce(1, *)
    let values = hashed(size * width, stream: stream + UInt32(1000 * epoch + done))
    for (index, value) in values.enumerated() { inputs[index] = value }
    for sample in 0..<size { labels[sample] = Int32(abs(values[sample * width]) * 100) % 3 }
    done += size
    return size
  }
}

/// The fit under some settings.
struct TinyFit {
  static let inputShape = [6, 6, 2]

  var settings: FitSettings
  var isQuantized: Bool

  /// A convolution with batch normalization folded in, dropout, and a dense layer.
  static let network = Network(
    name: "tiny",
    layers: [
      Layer(name: "input", operation: .input, inputs: [], shape: inputShape),
      Layer(
        name: "conv2d",
        operation: .weighted(
          WeightedLayer(
            kind: .conv2D, filters: 4, kernelHeight: 3, kernelWidth: 3,
            batchNormalization: "batch_normalization", l2: 1e-4)),
        inputs: [LayerID(0)], shape: [6, 6, 4]),
      Layer(name: "re_lu", operation: .relu, inputs: [LayerID(1)], shape: [6, 6, 4]),
      Layer(name: "activation", operation: .quantize, inputs: [LayerID(2)], shape: [6, 6, 4]),
      Layer(name: "flatten", operation: .flatten, inputs: [LayerID(3)], shape: [144]),
      Layer(name: "dropout", operation: .dropout(0.25), inputs: [LayerID(4)], shape: [144]),
      Layer(
        name: "dense",
        operation: .weighted(WeightedLayer(kind: .dense, filters: 3, batchNormalization: nil)),
        inputs: [LayerID(5)], shape: [3]),
      Layer(name: "softmax", operation: .softmax, inputs: [LayerID(6)], shape: [3]),
    ], inputIsNonNegative: false)

  struct Outcome {
    /// Trainable weights, then the moving statistics, bit by bit.
    var weights: [UInt32]
    /// Described, so that NaN is equal to NaN.
    var log: [String]
    var bestEpoch: Int?
    var stoppedEarly: Bool
    /// Where the fit stood, by the epoch that came next.
    var states: [Int: FitState]
  }

  /// - Parameter start: nil: from the weights of a seed.
  func run(from start: FitState? = nil) throws -> Outcome {
    let weights = WeightStore(network: Self.network)
    // What is resumed brings its weights: those that stand there must not matter.
    weights.initialize(seed: start == nil ? 7 : 8)
    let quantizers =
      isQuantized
      ? QuantizerMap.flat(
        kernel: try QuantizerSpec(parsing: "quantized_bits(4,4,1,1,alpha='auto_po2')"),
        bias: try QuantizerSpec(parsing: "quantized_bits(8,8,1,1,alpha='auto')"),
        activation: try QuantizerSpec(
          parsing: "quantized_bits_featuremap(8,8,1,1,alpha='auto',scale_axis=0)"),
        for: Self.network) : .float
    let model = Model(
      Self.network, weights: weights, quantizers: quantizers, dropoutSeed: isQuantized ? nil : 3,
      on: try OneDNN())
    var trainer = Trainer(model, settings)
    var data = FitData(
      training: TinyExamples(
        count: 22, batchSize: settings.batchSize, stream: 1, varies: true),
      validation: TinyExamples(count: 9, batchSize: settings.batchSize, stream: 500_000))
    var states: [Int: FitState] = [:]
    let result = try trainer.fit(
      on: &data, from: start, progress: { _ in }, onEpoch: { _ in },
      betweenEpochs: { state in
        let state = state()
        states[state.nextEpoch] = state
      })
    let end = weights.snapshot()
    return Outcome(
      weights: (end.trainable + end.statistics).map(\.bitPattern),
      log: result.log.map { "\($0.epoch) \($0.values.sorted { $0.key < $1.key })" },
      bestEpoch: result.bestEpoch, stoppedEarly: result.stoppedEarly, states: states)
  }
}
