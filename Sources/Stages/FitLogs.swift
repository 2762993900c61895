//! The files that a fit's callbacks write, epoch by epoch: log.csv, layer_statistics.csv, event
//! files. Knows no training.

import Experiments
import Files
import Networks
import Quantization
import Records
import Training

/// The logs of one fit in one folder.
struct FitLogs {
  private static let log = "log.csv"
  private static let layerStatistics = "layer_statistics.csv"
  private static let tensorBoard = "tensorboard"

  private let callbacks: CallbacksFields
  private let folder: String
  private var log: CSVLog?
  private var layers: CSVTable?
  private var events: TensorBoardLog?

  /// Starts the logs in `folder`, or goes on with those that stand there.
  init(_ callbacks: CallbacksFields, folder: String) {
    self.callbacks = callbacks
    self.folder = folder
    events = callbacks.tensorboard.map {
      TensorBoardLog($0, folder: "\(folder)/\(Self.tensorBoard)")
    }
  }

  /// Every path that a fit's logs may have in their folder.
  static let paths: Set<String> =
    Set(TensorBoardLog.runs.map { "\(tensorBoard)/\($0)/\(EventFile.name)" })
    .union([log, layerStatistics])

  /// The bytes of the logs so far, by their path in the folder.
  var files: [String: [UInt8]] {
    get throws {
      var files: [String: [UInt8]] = [:]
      for path in Self.paths where Files.exists("\(folder)/\(path)") {
        files[path] = try Files.read("\(folder)/\(path)", limit: 1 << 30)
      }
      return files
    }
  }

  /// Puts back what `files` were, for logs that are then gone on with.
  static func restore(_ files: [String: [UInt8]], to folder: String) throws {
    for (path, bytes) in files {
      let target = "\(folder)/\(path)"
      try Files.createDirectories(String(target[..<(target.lastIndex(of: "/") ?? target.endIndex)]))
      try Files.writeAtomically(bytes, to: target)
    }
  }

  /// - Parameter weights: as they are after the epoch.
  mutating func append(_ epoch: EpochLog, weights: WeightStore) throws {
    if callbacks.csvLogger {
      // The first epoch says which columns there are.
      let log = try log ?? CSVLog(path: "\(folder)/\(Self.log)", metrics: Array(epoch.values.keys))
      self.log = log
      try log.append(epoch: epoch.epoch, epoch.values)
    }
    if callbacks.layerStatistics {
      let table =
        try layers
        ?? CSVTable(path: "\(folder)/\(Self.layerStatistics)", columns: LayerStatistics.columns)
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
