//! What one trial of a search is: its fields, its key, its task. Knows no tuner.

import Experiments
import Files
import Networks
import Pipeline

/// Everything that decides a trial's result besides its inputs.
struct TrialFields: Codable {
  /// The kind in manifests and tasks; no stage of a pipeline is of it.
  static let kind = "trial"
  /// Raised when the same fields give another trial.
  static let version = 9

  enum CodingKeys: String, CodingKey {
    case network, dataset, training, quantizers, floor, seed, numerics
    case transfersWeights = "transfer_weights"
  }

  var network: NetworkFields
  var dataset: DatasetFields
  var training: TrainingFields
  var quantizers: QuantizerMap
  /// Whether it starts from the weights of its input.
  var transfersWeights: Bool
  /// Where it is hopeless; nil: nowhere.
  var floor: TrialFloor?
  var seed: Int
  var numerics: NumericsFields

  /// A trial of `search` with these quantizers.
  ///
  /// - Parameter epochs: altogether; nil: as many as the search says.
  init(
    _ search: SearchStageFields, quantizers: QuantizerMap, epochs: Int? = nil,
    floor: TrialFloor? = nil
  ) {
    network = search.network
    dataset = search.dataset
    training = search.training
    training.epochs = epochs ?? training.epochs
    self.quantizers = quantizers
    transfersWeights = search.search.transfersWeights
    self.floor = floor
    seed = search.seed
    numerics = search.numerics
  }

  /// - Parameter inputs: by role the digests of what the search was given.
  func manifest(inputs: [String: InputReference]) throws -> Manifest {
    var inputs = inputs
    if !transfersWeights { inputs[InputRole.model] = nil }
    return Manifest(
      kind: Self.kind, version: Self.version, fields: try JSONValue(encoding: self), inputs: inputs)
  }
}

/// What a trial's best epoch must have reached by when.
struct TrialFloor: Hashable, Codable {
  enum CodingKeys: String, CodingKey {
    case afterEpochs = "after_epochs"
    case values
  }

  /// Epochs after which the first value counts.
  var afterEpochs: Int
  /// Of the metric; the next value counts an epoch later.
  var values: [Double]
}
