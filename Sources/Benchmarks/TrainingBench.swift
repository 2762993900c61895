//! A network set up for timing: the thesis's batch size, flat 8-bit quantizers, random data. Knows no
//! clock but for its profile.

import Files
import Networks
import Tensors
import Training

/// A quantization-aware training step as QKeras is timed with: 8-bit kernels and feature maps, 31-bit
/// biases, auto_po2, Adam.
struct TrainingBench {
  /// The thesis's batch sizes.
  private static let batches = [
    "fc_autoencoder": 100, "ds_cnn": 100, "resnet": 30, "mobilenet_v1": 32, "mobilenet_v2": 32,
    "efficientnet_b0": 32,
  ]
  /// Batches of data; each step copies the next one in, as a fit does.
  private static let batchesOfData = 4

  static func batch(of network: Network) -> Int { batches[network.name] ?? 32 }

  let batch: Int
  private let model: Model
  private let program: Program
  private let loss: Loss
  private let data: BenchData
  private var adam: Adam
  private let threads = ThreadChoice()
  private var steps = 0

  init(_ network: Network, on oneDNN: OneDNN) throws {
    batch = Self.batch(of: network)
    let weights = WeightStore(network: network)
    weights.initialize(seed: 1)
    model = Model(
      network, weights: weights, quantizers: try Self.quantizers(for: network), on: oneDNN)
    program = try model.program(batch: batch, mode: .training)
    let isAutoencoder = network.inputShape == network.outputShape
    loss = isAutoencoder ? .meanSquaredError : .sparseCategoricalCrossentropy
    data = BenchData(
      samples: batch * Self.batchesOfData, elements: network.layers[0].elements,
      classes: isAutoencoder ? 1 : network.outputShape.reduce(1, *))
    adam = Adam(.init(), count: weights.trainableCount)
  }

  static func quantizers(for network: Network) throws -> QuantizerMap {
    .flat(
      kernel: try QuantizerSpec(parsing: "quantized_bits(8,8,1,1,alpha='auto_po2')"),
      bias: try QuantizerSpec(parsing: "quantized_bits(31,31,1,1,alpha='auto_po2')"),
      activation: try QuantizerSpec(
        parsing: "quantized_bits_featuremap(8,8,1,1,alpha='auto_po2',scale_axis=0)"),
      for: network)
  }

  mutating func step() {
    threads.begin(program)
    defer { threads.end() }
    let first = loadBatch()
    data.labels.withUnsafeBufferPointer { labels in
      guard let labels = labels.baseAddress else { return }
      _ = model.computeGradients(program, loss: loss, labels: labels + first)
    }
    adam.update(model.weights, learningRate: 1e-3)
  }

  /// Copies the next batch in; returns the index of its first sample.
  private mutating func loadBatch() -> Int {
    let first = steps % Self.batchesOfData * batch
    steps += 1
    data.load(first, batch, into: program.input)
    return first
  }

  /// Of all weights and moving statistics, in the order of their names.
  var weightsDigest: Digest {
    var hash = SHA256()
    for (_, tensor) in model.weights.tensors.sorted(by: { $0.key < $1.key }) {
      tensor.values.withUnsafeBytes { hash.update($0) }
    }
    return hash.finish()
  }

  /// Seconds of each entry of a step, forward and then backward, each the median of runs.
  mutating func timings(seconds: Double) -> [Program.Timing] {
    let clock = ContinuousClock()
    for _ in 0..<3 { step() }
    var runs: [[Program.Timing]] = []
    let start = clock.now
    while runs.isEmpty || clock.now - start < .seconds(seconds) {
      step()
      runs.append(program.timings())
    }
    return runs[0].indices.map { place in
      var timing = runs[0][place]
      timing.seconds = runs.map { $0[place].seconds }.median
      return timing
    }
  }

  /// Seconds of a step by kind of operation ("Conv2D forward"), each the median of runs.
  mutating func profile(seconds: Double) -> [String: Double] {
    let clock = ContinuousClock()
    for _ in 0..<3 { step() }
    var runs: [String: [Double]] = [:]
    let start = clock.now
    while runs.isEmpty || clock.now - start < .seconds(seconds) {
      step()
      var run: [String: Double] = [:]
      for timing in program.timings() {
        run["\(timing.kind)_\(timing.isBackward ? "backward" : "forward")", default: 0] +=
          timing.seconds
      }
      run["optimizer"] =
        clock.measure { adam.update(model.weights, learningRate: 0) } / .seconds(1)
      for (kind, time) in run { runs[kind, default: []].append(time) }
    }
    return runs.mapValues(\.median)
  }
}

/// The same network at inference.
struct InferenceBench {
  let batch: Int
  private let program: Program
  private let model: Model

  init(_ network: Network, on oneDNN: OneDNN) throws {
    batch = TrainingBench.batch(of: network)
    let weights = WeightStore(network: network)
    weights.initialize(seed: 1)
    model = Model(
      network, weights: weights, quantizers: try TrainingBench.quantizers(for: network), on: oneDNN)
    program = try model.program(batch: batch, mode: .inference)
    program.prepare()
    let data = BenchData(samples: batch, elements: network.layers[0].elements, classes: 1)
    data.load(0, batch, into: program.input)
  }

  func run() { program.forward() }
}

/// Uniform samples in [0, 1) with random labels.
struct BenchData {
  let labels: [Int32]
  private let inputs: Storage
  private let elements: Int

  init(samples: Int, elements: Int, classes: Int) {
    var generator = SeededGenerator(seed: 1)
    inputs = Storage(count: samples * elements)
    for index in 0..<inputs.count { inputs.pointer[index] = generator.uniform(0, 1) }
    labels = (0..<samples).map { _ in Int32(generator.integer(below: classes)) }
    self.elements = elements
  }

  func load(_ first: Int, _ count: Int, into target: UnsafeMutablePointer<Float>) {
    target.update(from: inputs.pointer + first * elements, count: count * elements)
  }
}
