//! The files that a fit's callbacks write, epoch by epoch: log.csv, layer_statistics.csv, event
//! files. Knows no training.

import Experiments
import Networks
import Quantization
import Records
import Training

/// The logs of one fit in one folder.
struct FitLogs {
  private let callbacks: CallbacksFields
  private let folder: String
  private var log: CSVLog?
  private var layers: CSVTable?
  private var events: TensorBoardLog?

  init(_ callbacks: CallbacksFields, folder: String) {
    self.callbacks = callbacks
    self.folder = folder
    events = callbacks.tensorboard.map { TensorBoardLog($0, folder: folder + "/tensorboard") }
  }

  /// - Parameter weights: as they are after the epoch.
  mutating func append(_ epoch: EpochLog, weights: WeightStore) throws {
    if callbacks.csvLogger {
      // The first epoch says which columns there are.
      let log = try log ?? CSVLog(path: folder + "/log.csv", metrics: Array(epoch.values.keys))
      self.log = log
      try log.append(epoch: epoch.epoch, epoch.values)
    }
    if callbacks.layerStatistics {
      let table =
        try layers
        ?? CSVTable(path: folder + "/layer_statistics.csv", columns: LayerStatistics.columns)
      layers = table
      try table.append(epoch.layers.map { $0.row(epoch: epoch.epoch) })
    }
    try events?.append(epoch, weights: weights)
  }
}

extension LayerStatistics {
  static let columns = [
    "epoch", "layer", "weight", "mean_absolute_update", "gradient_norm", "zero_share",
    "clipped_share", "scale_exponent_min", "scale_exponent_max", "sqnr_db",
  ]

  /// NA where nothing is quantized.
  func row(epoch: Int) -> [String] {
    func text(_ value: Double?) -> String { value.map(CSVLog.spelling) ?? "NA" }
    let exponents = quantization?.scaleExponents
    return ["\(epoch)", layer, role.rawValue]
      + [
        meanUpdate, gradientNorm, quantization?.zeroShare, quantization?.clippedShare,
        exponents?.min(), exponents?.max(), quantization?.signalToNoiseDecibels,
      ].map(text)
  }
}
