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
  static let version = 5

  var network: NetworkFields
  var dataset: DatasetFields
  var training: TrainingFields
  var quantizers: QuantizerMap
  var seed: Int
  var numerics: NumericsFields

  /// A trial of `search` with these quantizers.
  init(_ search: SearchStageFields, quantizers: QuantizerMap) {
    network = search.network
    dataset = search.dataset
    training = search.training
    self.quantizers = quantizers
    seed = search.seed
    numerics = search.numerics
  }

  /// - Parameter inputs: by role the digests of what the search was given.
  func manifest(inputs: [String: InputReference]) throws -> Manifest {
    Manifest(
      kind: Self.kind, version: Self.version, fields: try JSONValue(encoding: self), inputs: inputs)
  }
}
