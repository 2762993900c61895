//! A fit's log as TensorBoard's event files, laid out as Keras's callback does it. Knows no training.

import Experiments
import Networks
import Records
import Tensors
import Training

/// One event file for each of the fit's sets, in folders that TensorBoard shows as runs: `train`
/// with `epoch_loss`, `epoch_lr` and the weights' histograms, `validation` and `test` with the same
/// tags. Folders of sets that are not measured are not made.
struct TensorBoardLog {
  static let runs = ["train", "validation", "test"]

  private let fields: TensorBoardFields
  private let folder: String
  private var files: [String: EventFile] = [:]

  init(_ fields: TensorBoardFields, folder: String) {
    self.fields = fields
    self.folder = folder
  }

  /// - Parameter weights: as they are after the epoch.
  mutating func append(_ epoch: EpochLog, weights: WeightStore) throws {
    var runs: [String: [String: Double]] = [:]
    for (name, value) in epoch.values {
      let (run, column) =
        name.hasPrefix("val_")
        ? ("validation", name.dropFirst(4))
        : name.hasPrefix("test_") ? ("test", name.dropFirst(5)) : ("train", name[...])
      runs[run, default: [:]]["epoch_\(column)"] = value
    }
    let showsWeights = fields.histogramFreq > 0 && epoch.epoch % fields.histogramFreq == 0
    for (run, scalars) in runs {
      let file = try files[run] ?? EventFile(folder: "\(folder)/\(run)")
      files[run] = file
      try file.append(
        epoch: epoch.epoch, scalars: scalars,
        histograms: showsWeights && run == "train" ? Self.histograms(of: weights) : [])
    }
  }

  /// Keras's tags: a weight's name with its `:0`, which may not stand in a tag.
  private static func histograms(
    of weights: WeightStore
  ) -> [(tag: String, values: [Float])] {
    let tensors = weights.tensors
    return weights.specs.map { ("\($0.name)_0/histogram", tensors[$0.name]?.values ?? []) }
  }
}
