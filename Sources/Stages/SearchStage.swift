//! The search stage: trials from the tuner, each an artifact of its own, and the best one's network.

import Datasets
import Experiments
import Files
import Glibc
import Networks
import Pipeline
import Search
import Tensors
import Training

/// One trial as the search's log has it.
private struct Trial {
  var number: Int
  var quantizers: QuantizerMap
  var metric: Double
  var cost: BitCost
  var delta: Double
  var score: Double
  /// The folder of its artifact.
  var folder: String
}

/// What one trial is: its key is the digest of these and of its inputs.
private struct TrialFields: Codable {
  var network: NetworkFields
  var dataset: DatasetFields
  var training: TrainingFields
  var quantizers: QuantizerMap
  var seed: Int
  var numerics: NumericsFields
}

extension StageContext {
  func search() throws {
    let search = try SearchRun(self)
    try search.run()
  }
}

private struct SearchRun {
  /// Raised when the same fields give another trial.
  static let trialVersion = 5

  let context: StageContext
  let fields: SearchStageFields
  let network: Network
  let model: ModelArtifact
  let space: SearchSpace
  let store: Store
  let oneDNN: OneDNN
  let data: TrainingData
  let reference: BitCost
  let factor: ForgivingFactor
  /// The log's column that trials are scored by: "val_accuracy".
  let metric: String

  init(_ context: StageContext) throws {
    self.context = context
    fields = try context.fields(SearchStageFields.self)
    network = try fields.network.network()
    model = try ModelArtifact(folder: context.input(InputRole.model), for: network)
    space = SearchSpace(
      fields.search.choices.map { choice in
        let role: Slot.Role =
          switch choice.role {
          case .kernel: .kernel
          case .bias: .bias
          case .activation: .activation
          }
        return SearchSpace.Choice(role: role, slots: choice.slots, candidates: choice.candidates)
      })
    store = try Store(root: context.task.store)
    oneDNN = try fields.numerics.oneDNN()
    data = try fields.dataset.loadTraining(context, validates: true)
    reference = BitCost.reference(of: network)
    guard let scored = fields.training.scoreMetric else {
      throw StageError.wrongTask("a search without a metric")
    }
    metric = MonitorKind(validating: scored).rawValue
    factor = ForgivingFactor(fields.search.goal)
  }

  func run() throws {
    var tuner = RandomTuner(space)
    var generator = SeededGenerator(seed: UInt64(bitPattern: Int64(fields.seed)), 0x7452_6941)
    var trials: [Trial] = []
    while trials.count < fields.search.trials,
      let selection = tuner.propose(drawing: { generator.integer(below: $0) })
    {
      let trial = try trial(trials.count, space.quantizers(selection))
      trials.append(trial)
      context.report(
        StageEvent.Progress(
          message: "trial \(trial.number + 1) of \(fields.search.trials): score \(trial.score)"))
    }
    // The first of the best, so that a tie does not depend on how many follow.
    guard
      let best = trials.max(by: {
        $0.score < $1.score || $0.score == $1.score && $0.number > $1.number
      })
    else { throw StageError.wrongTask("a search of no trials") }
    try Files.writeAtomically(table(trials), to: context.output("trials.csv"))
    var result = try ModelArtifact(folder: best.folder, for: network)
    result.quantizers = best.quantizers
    try result.write(to: context.task.output, for: network, factor: factor)
    var metrics = best.cost.metrics
    metrics["trials"] = .int(trials.count)
    metrics["best_trial"] = .int(best.number)
    metrics[metric] = .double(best.metric)
    metrics["delta"] = .double(best.delta)
    metrics["score"] = .double(best.score)
    metrics["reference_bits"] = .int(reference.totalBits)
    try context.finish(with: metrics)
  }

  /// Runs a trial, or finds it done: a search that was killed goes on where it stood.
  private func trial(_ number: Int, _ quantizers: QuantizerMap) throws -> Trial {
    let manifest = try manifest(quantizers)
    let key = manifest.digest
    let record = try lockedRecord(key) { try compute(number, quantizers, manifest, key) }
    var metric = 0.0
    if case .double(let value)? = record.metrics[self.metric] { metric = value }
    if case .int(let value)? = record.metrics[self.metric] { metric = Double(value) }
    let cost = BitCost(of: network, under: quantizers)
    let delta = factor.delta(reference: reference, trial: cost)
    return Trial(
      number: number, quantizers: quantizers, metric: metric, cost: cost, delta: delta,
      score: metric * (1 + delta), folder: store.path(of: record.artifact))
  }

  /// The key's record: an earlier search's, or another one's that computes it just now, or our own.
  private func lockedRecord(_ key: Digest, orElse body: () throws -> Record) throws -> Record {
    while true {
      try store.refresh()
      if let record = store.record(for: key) { return record }
      if let lock = try store.tryLock(key) {
        defer { lock.release() }
        return try body()
      }
      usleep(100_000)
    }
  }

  private func manifest(_ quantizers: QuantizerMap) throws -> Manifest {
    var inputs: [String: InputReference] = [:]
    for (role, path) in context.task.inputs {
      if InputRole.isArtifact(role) {
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        guard let digest = Digest(hex: name) else {
          throw StageError.wrongTask("\(path) is no artifact of the store")
        }
        inputs[role] = .artifact(digest)
      } else if let digest = try store.digest(ofSource: path) {
        inputs[role] = .file(digest)
      }
    }
    let trial = TrialFields(
      network: fields.network, dataset: fields.dataset, training: fields.training,
      quantizers: quantizers, seed: fields.seed, numerics: fields.numerics)
    return Manifest(
      kind: "trial", version: Self.trialVersion, fields: try JSONValue(encoding: trial),
      inputs: inputs)
  }

  private func compute(
    _ number: Int, _ quantizers: QuantizerMap, _ manifest: Manifest, _ key: Digest
  ) throws -> Record {
    let folder = try store.temporaryDirectory()
    let weights = WeightStore(network: network)
    weights.tensors = model.weights
    var fit = FitStage(
      context: context, network: network, dataset: fields.dataset, training: fields.training,
      seed: fields.seed)
    fit.label = "trial \(number + 1) of \(fields.search.trials)"
    let checkpoints = CheckpointFolder(
      path: store.checkpointPath(for: key), kind: manifest.kind, version: manifest.version,
      note: context.note)
    let clock = ContinuousClock()
    let start = clock.now
    var metrics: [String: JSONValue]
    do {
      let result = try fit.run(
        weights, quantizers: quantizers, data: data, folder: folder, checkpoints: checkpoints,
        on: oneDNN)
      metrics = result.metrics
      // AutoQKeras's score of a trial is its best epoch's.
      let best = result.log.compactMap { $0.values[metric] }.filter { !$0.isNaN }.max()
      metrics[metric] = .double(best ?? 0)
    } catch let error as TrainingError {
      // Bits too few to train with are an answer too: the worst one.
      metrics = [metric: .double(0), "failure": .string("\(error)")]
    }
    try ModelArtifact(weights: weights.tensors, quantizers: quantizers)
      .write(to: folder, for: network)
    let record = try store.publish(
      directory: folder, keys: [key], manifest: manifest, metrics: .object(metrics),
      seconds: (clock.now - start) / .seconds(1), name: "\(context.task.name)/trial_\(number)")
    checkpoints.remove()
    return record
  }

  /// trials.csv: a row a trial, a column for each choice's bits.
  private func table(_ trials: [Trial]) -> String {
    let names = space.choices.map { choice in
      choice.slots.count == 1
        ? "\(choice.slots[0]).\(choice.role.rawValue)"
        : "\(choice.slots.joined(separator: "+")).\(choice.role.rawValue)"
    }
    var text =
      "trial,score,\(metric),delta,total_bits,parameter_bits,activation_bits,"
      + names.joined(separator: ",") + "\n"
    for trial in trials {
      var row = [
        "\(trial.number)", "\(trial.score)", "\(trial.metric)", "\(trial.delta)",
        "\(trial.cost.totalBits)", "\(trial.cost.parameterBits)", "\(trial.cost.activationBits)",
      ]
      for choice in space.choices {
        let map =
          switch choice.role {
          case .kernel: trial.quantizers.kernels
          case .bias: trial.quantizers.biases
          case .activation: trial.quantizers.activations
          }
        row.append(choice.slots.first.flatMap { map[$0] }.map { "\($0.bits)" } ?? "")
      }
      text += row.joined(separator: ",") + "\n"
    }
    return text
  }
}
