//! The fit loop on a tiny network: columns of the log, losses that are one, NaN, statistics, and SGD
//! against Keras's.

import CKernels
import Foundation
import Networks
import Quantization
import Tensors
import TestSupport
import Testing
import Training

/// Batches of hashed examples; one batch of one epoch may be not a number.
private struct Examples: BatchSource {
  let width: Int
  let count: Int
  let batchSize: Int
  let stream: UInt32
  var poisoned: (epoch: Int, batch: Int)?
  private var epoch = 0
  private var done = 0

  init(
    width: Int, count: Int, batchSize: Int, stream: UInt32 = 1,
    poisoned: (epoch: Int, batch: Int)? = nil
  ) {
    self.width = width
    self.count = count
    self.batchSize = batchSize
    self.stream = stream
    self.poisoned = poisoned
  }

  mutating func begin(epoch: Int) {
    self.epoch = epoch
    done = 0
  }

  mutating func next(
    into inputs: UnsafeMutablePointer<Float>, labels: UnsafeMutablePointer<Int32>
  ) -> Int {
    let size = min(batchSize, count - done)
    var values = hashed(size * width, stream: stream + UInt32(done))
    if let poisoned, poisoned.epoch == epoch, poisoned.batch == done / batchSize {
      values = values.map { _ in .nan }
    }
    for (index, value) in values.enumerated() { inputs[index] = value }
    for sample in 0..<size { labels[sample] = values[sample * width] > 0 ? 1 : 0 }
    done += size
    return size
  }
}

@Suite struct FitTests {
  /// `width` values to `classes`, through a softmax where there is one.
  private func network(_ width: Int, _ classes: Int, softmax: Bool = true) -> Network {
    var layers = [
      Layer(name: "input", operation: .input, inputs: [], shape: [width]),
      Layer(
        name: "dense",
        operation: .weighted(
          WeightedLayer(kind: .dense, filters: classes, batchNormalization: nil)),
        inputs: [LayerID(0)], shape: [classes]),
    ]
    if softmax {
      layers.append(
        Layer(name: "softmax", operation: .softmax, inputs: [LayerID(1)], shape: [classes]))
    }
    return Network(name: "tiny", layers: layers, inputIsNonNegative: false)
  }

  private func model(
    _ network: Network, _ quantizers: QuantizerMap = .float
  ) throws -> Model {
    let weights = WeightStore(network: network)
    weights.initialize(seed: 7)
    return Model(network, weights: weights, quantizers: quantizers, on: try OneDNN())
  }

  private func fit(
    _ model: Model, _ settings: FitSettings, examples: Int = 10,
    poisoned: (epoch: Int, batch: Int)? = nil
  ) throws -> (result: FitResult, batches: Int) {
    var trainer = Trainer(model, settings)
    let width = model.network.inputShape.reduce(1, *)
    var data = FitData(
      training: Examples(
        width: width, count: examples, batchSize: settings.batchSize, poisoned: poisoned),
      validation: Examples(width: width, count: 9, batchSize: settings.batchSize, stream: 40),
      test: Examples(width: width, count: 6, batchSize: settings.batchSize, stream: 80))
    var batches = 0
    let result = try trainer.fit(
      on: &data, progress: { _ in batches += 1 }, onEpoch: { _ in })
    return (result, batches)
  }

  @Test func columnsAreKerass() throws {
    let model = try model(network(4, 2))
    let settings = FitSettings(
      epochs: 2, batchSize: 4, loss: .sparseCategoricalCrossentropy,
      metrics: [.accuracy, .auc, .partialAUC(maxFPR: 0.5)], learningRate: .constant(0.01))
    let result = try fit(model, settings).result
    let names = ["loss", "accuracy", "auc", "p_auc"]
    let columns = ["", "val_", "test_"].flatMap { prefix in names.map { prefix + $0 } } + ["lr"]
    #expect(result.log.map { Set($0.values.keys) } == [Set(columns), Set(columns)])
    #expect(result.log.allSatisfy { $0.values.values.allSatisfy(\.isFinite) })
  }

  /// The autoencoder's layers are small products; steps that look which number is faster are among these.
  @Test(arguments: [4, 50]) func threadsChangeNoBitOfASmallNetwork(size: Int) throws {
    let usual = ck_threads()
    defer { OneDNN.use(threads: usual) }
    let network = try #require(Network.named("fc_autoencoder"))
    func quantizer(_ text: String) throws -> QuantizerSpec { try QuantizerSpec(parsing: text) }
    let quantizers = QuantizerMap.flat(
      kernel: try quantizer("quantized_bits(4,4,1,1,alpha='auto_po2')"),
      bias: try quantizer("quantized_bits(31,31,1,1,alpha='auto_po2')"),
      activation: try quantizer("quantized_bits_featuremap(8,8,1,1,alpha='auto_po2',scale_axis=0)"),
      for: network)
    let settings = FitSettings(
      epochs: 4, batchSize: size, loss: .meanSquaredError, learningRate: .constant(0.01))
    let fits = try [1, 2, 3].map { threads in
      OneDNN.use(threads: threads)
      let model = try model(network, quantizers)
      #expect(try model.program(batch: size, mode: .training).threadsChangeNoBit)
      _ = try fit(model, settings, examples: size * 3 / 2)
      return model.weights.snapshot()
    }
    #expect(fits[1] == fits[0] && fits[2] == fits[0])
  }

  @Test func bothCrossentropiesAreOne() throws {
    let logs = try [Loss.sparseCategoricalCrossentropy, .categoricalCrossentropy].map { loss in
      try fit(
        model(network(4, 3)),
        FitSettings(epochs: 2, batchSize: 4, loss: loss, learningRate: .constant(0.01))
      ).result.log
    }
    #expect(logs[0] == logs[1])
  }

  @Test func anAutoencoderIsMeasuredByItsErrors() throws {
    let model = try model(network(5, 5, softmax: false))
    let settings = FitSettings(
      epochs: 3, batchSize: 4, loss: .meanSquaredError, metrics: [.auc, .autoQKeras],
      optimizer: .sgd(.init(momentum: 0.9)), learningRate: .constant(0.05))
    let log = try fit(model, settings).result.log
    #expect(log.allSatisfy { $0.values["auc"] == nil && $0.values["val_auc"] != nil })
    for values in log.map(\.values) {
      let loss = try #require(values["loss"])
      #expect(values["autoqkeras"] == 1 / (1 + pow(loss, 10)))
    }
    let (first, last) = (log.first?.values["loss"], log.last?.values["loss"])
    #expect(try #require(last) < #require(first))
  }

  /// As Keras's TerminateOnNaN: the batch's step is taken, the epoch is logged, nothing follows.
  @Test func notANumberEndsTheFitOrFailsIt() throws {
    var settings = FitSettings(
      epochs: 3, batchSize: 4, loss: .sparseCategoricalCrossentropy, learningRate: .constant(0.01))
    #expect(throws: TrainingError.lossIsNotFinite(epoch: 1, batch: 1)) {
      try fit(model(network(4, 2)), settings, poisoned: (1, 1))
    }
    settings.callbacks.terminatesOnNaN = true
    let tiny = try model(network(4, 2))
    let (result, batches) = try fit(tiny, settings, poisoned: (1, 1))
    #expect(result.terminatedOnNaN && !result.stoppedEarly && batches == 5)
    #expect(result.log.count == 2 && result.bestEpoch == nil)
    #expect(result.log.last?.values["loss"]?.isNaN == true)
    #expect(tiny.weights.tensors["dense/kernel"]?.values.allSatisfy(\.isNaN) == true)
    // A checkpoint keeps the last epoch that was one.
    settings.callbacks.checkpoint = Monitor(column: "val_loss", wantsLess: true)
    let kept = try model(network(4, 2))
    #expect(try fit(kept, settings, poisoned: (1, 1)).result.bestEpoch == 0)
    #expect(kept.weights.tensors["dense/kernel"]?.values.allSatisfy(\.isFinite) == true)
    // Keras's own loop: as many batches and epochs.
    for test in try CallbackFixture.load().fits {
      let flat = test.losses.flatMap { $0 }
      let end = flat.firstIndex { !$0.isFinite }.map { $0 + 1 } ?? flat.count
      #expect(test.batches == end, "\(test.name)")
      let epochs = (end + 1) / test.losses[0].count
      #expect(test.csv.split(separator: "\r\n").count == 1 + epochs, "\(test.name)")
    }
  }

  @Test func reducingTheRateIsSeenInTheLog() throws {
    var settings = FitSettings(
      epochs: 4, batchSize: 4, loss: .sparseCategoricalCrossentropy, learningRate: .constant(0.01))
    settings.callbacks.reduceLROnPlateau = ReduceLROnPlateau(
      monitor: Monitor(column: "val_loss", wantsLess: true), factor: 0.5, patience: 1,
      minDelta: 1e9)
    let rates = try fit(model(network(4, 2)), settings).result.log.map { $0.values["lr"] }
    #expect(rates == [0.01, 0.01, 0.005, 0.0025])
  }

  @Test func statisticsTellWhatAnEpochDid() throws {
    let network = network(4, 2)
    let quantizers = QuantizerMap.flat(
      kernel: try QuantizerSpec(parsing: "quantized_bits(4,4,1,1,alpha='best_po2')"),
      bias: try QuantizerSpec(parsing: "quantized_bits(31,31,1,1,alpha='auto_po2')"),
      activation: nil, for: network)
    let model = try model(network, quantizers)
    var settings = FitSettings(
      epochs: 1, batchSize: 10, loss: .sparseCategoricalCrossentropy,
      optimizer: .sgd(.init()), learningRate: .constant(0.125))
    settings.callbacks.layerStatistics = true
    let before = model.weights.tensors
    let layers = try #require(try fit(model, settings).result.log.first).layers
    #expect(layers.map(\.layer) == ["dense", "dense"])
    #expect(layers.map(\.role) == [.kernel, .bias])
    for (statistics, name) in zip(layers, ["dense/kernel", "dense/bias"]) {
      let old = try #require(before[name]).values
      let new = try #require(model.weights.tensors[name]).values
      let gradient = model.weights.gradientTensor(name).values
      let update = zip(new, old).map { Double(abs($0 - $1)) }.reduce(0, +) / Double(old.count)
      #expect(abs(statistics.meanUpdate - update) < 1e-7)
      #expect(abs(statistics.gradientNorm - norm(gradient.map(Double.init))) < 1e-9)
    }
    // A 31-bit auto_po2 bias has a step of at least 2^8: every bias is 0.
    #expect(layers[1].quantization?.zeroShare == 1)
    #expect(try #require(layers[1].quantization?.scaleExponents.min()) >= 8)
    #expect(try #require(layers[0].quantization?.signalToNoiseDecibels) > 10)
  }

  @Test func sgdIsKerass() throws {
    for test in try CallbackFixture.load().optimizers {
      let weights = WeightStore(network: network(18, 1, softmax: false))
      let start = hashed(19, stream: 3)
      weights.tensors = [
        "dense/kernel": Tensor(shape: [18, 1], values: Array(start.prefix(18))),
        "dense/bias": Tensor(shape: [1], values: [start[18]]),
      ]
      let sgd = SGD(
        .init(momentum: test.momentum, nesterov: test.nesterov), count: weights.trainableCount)
      for (step, expected) in test.steps.enumerated() {
        let gradient = hashed(19, stream: UInt32(10 + step), scale: 2)
        for index in 0..<18 { weights.gradient("dense/kernel")[index] = gradient[index] }
        weights.gradient("dense/bias")[0] = gradient[18]
        sgd.update(weights, learningRate: Float(0.05 * pow(0.7, Double(step))))
        let tensors = weights.tensors
        let actual = ["dense/kernel", "dense/bias"].flatMap { tensors[$0]?.values ?? [] }
        #expect(actual == expected.map { Float($0) }, "\(test.momentum) \(test.nesterov) \(step)")
      }
    }
  }
}
