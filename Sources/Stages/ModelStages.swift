//! The stages that hand on a network: load_pretrained, pretrain, quantize, switch_alpha, fine_tune.

import Experiments
import Files
import Glibc
import Networks
import Pipeline
import Quantization
import Tensors
import Training

extension NetworkFields {
  func network() throws -> Network {
    guard let network else { throw StageError.unknownNetwork("\(self)") }
    return network
  }
}

extension NumericsFields {
  /// Fixes the process's threads and instruction set, and opens oneDNN.
  func oneDNN() throws -> OneDNN {
    // Switches of oneDNN's own that would change numbers without being in any key.
    for name in ["ONEDNN_DEFAULT_FPMATH_MODE", "DNNL_DEFAULT_FPMATH_MODE"] { unsetenv(name) }
    try OneDNN.configure(threads: threads, instructionSet: isa.rawValue)
    return try OneDNN(isPortable: isa == .sse41)
  }
}

extension StageContext {
  func loadPretrained() throws {
    let network = try fields(LoadPretrainedFields.self).network.network()
    let weights = try ModelArtifact.checkedWeights(input(InputRole.pretrained), for: network)
    try ModelArtifact(weights: weights, quantizers: .float).write(to: task.output, for: network)
    try finish(with: BitCost(of: network, under: .float).metrics)
  }

  func pretrain() throws {
    let fields = try fields(PretrainFields.self)
    let network = try fields.network.network()
    let weights = WeightStore(network: network)
    weights.initialize(seed: UInt64(bitPattern: Int64(fields.seed)))
    try fit(
      weights, .float, network, fields.dataset, fields.training, seed: fields.seed,
      on: fields.numerics.oneDNN())
  }

  func fineTune() throws {
    let fields = try fields(FineTuneFields.self)
    let network = try fields.network.network()
    let model = try ModelArtifact(folder: input(InputRole.model), for: network)
    let weights = WeightStore(network: network)
    weights.tensors = model.weights
    try fit(
      weights, model.quantizers, network, fields.dataset, fields.training, seed: fields.seed,
      on: fields.numerics.oneDNN())
  }

  private func fit(
    _ weights: WeightStore, _ quantizers: QuantizerMap, _ network: Network,
    _ dataset: DatasetFields, _ training: TrainingFields, seed: Int, on oneDNN: OneDNN
  ) throws {
    let stage = FitStage(
      context: self, network: network, dataset: dataset, training: training, seed: seed)
    let data = try dataset.loadTraining(self, validates: training.callbacks.validates)
    let checkpoints = CheckpointFolder(
      path: task.checkpoint, kind: task.kind, version: task.version, note: note)
    let result = try stage.run(
      weights, quantizers: quantizers, data: data, folder: task.output, checkpoints: checkpoints,
      on: oneDNN)
    try ModelArtifact(weights: weights.tensors, quantizers: quantizers)
      .write(to: task.output, for: network)
    try finish(
      with: result.metrics.merging(BitCost(of: network, under: quantizers).metrics) { $1 })
  }

  func quantize() throws {
    let fields = try fields(QuantizeFields.self)
    let network = try fields.network.network()
    var model = try ModelArtifact(folder: input(InputRole.model), for: network)
    model.quantizers = fields.quantizers
    try handOn(model, network)
  }

  func switchAlpha() throws {
    let fields = try fields(SwitchAlphaFields.self)
    let network = try fields.network.network()
    var model = try ModelArtifact(folder: input(InputRole.model), for: network)
    let alpha: QuantizerSpec.Alpha =
      switch fields.to {
      case .auto: .auto
      case .autoPo2: .autoPo2
      case .bestPo2: .bestPo2
      }
    let chosen = fields.layers.map(Set.init)
    model.quantizers = model.quantizers.switching(to: alpha, in: network) { slot in
      chosen?.contains(slot.name) ?? true
    }
    try handOn(model, network)
  }

  /// Writes a network whose weights no training has touched.
  private func handOn(_ model: ModelArtifact, _ network: Network) throws {
    // A quantizer that the engine does not offer shall fail here, not in a later stage.
    for spec in model.quantizers.kernels.values { _ = try Quantizer(spec.effectiveKernelSpec()) }
    for spec in model.quantizers.biases.values { _ = try Quantizer(spec) }
    for spec in model.quantizers.activations.values { _ = try Quantizer(spec) }
    try model.write(to: task.output, for: network)
    try finish(with: BitCost(of: network, under: model.quantizers).metrics)
  }
}
