//! The callbacks of a training section. Knows each one's options, not what they do.

import Diagnostics
import Specs

extension CallbacksFields {
  private enum Name: String, CaseIterable {
    case csvLogger = "csv_logger"
    case modelCheckpoint = "model_checkpoint"
    case earlyStopping = "early_stopping"
    case reduceLROnPlateau = "reduce_lr_on_plateau"
    case terminateOnNaN = "terminate_on_nan"
    case layerStatistics = "layer_statistics"
    case tensorboard
  }

  /// A list of names, or of mappings from one name to its options.
  ///
  /// - Parameter nodes: gets each callback's node, by the path of its field.
  init?(_ parent: inout Section, at key: String, nodes: inout [String: Node]) {
    guard let node = parent.node(key) else { return nil }
    guard case .sequence(let elements) = node.value else {
      parent.faults.add(
        node.diagnostic("callbacks is a list: `[csv_logger, {early_stopping: {patience: 10}}]`"))
      return nil
    }
    self.init()
    var seen: Set<Name> = []
    for element in elements where !Self.isSchedule(element, parent.faults) {
      guard
        let (name, options) = element.named(of: Name.self, named: "callback", parent.faults)
      else { continue }
      guard seen.insert(name).inserted else {
        parent.faults.add(element.diagnostic("`\(name.rawValue)` is listed twice"))
        continue
      }
      // Places are noted by field, whatever the callback's position in the list.
      parent.note("\(key).\(name.rawValue)", at: element.location)
      nodes["\(key).\(name.rawValue)"] = options?["monitor"] ?? element
      read(name, options, element, parent.faults)
    }
  }

  private mutating func read(
    _ name: Name, _ options: Node?, _ element: Node, _ faults: FaultCollector
  ) {
    switch name {
    case .csvLogger:
      csvLogger = true
      options?.expectNone(for: name.rawValue, faults)
    case .terminateOnNaN:
      terminateOnNaN = true
      options?.expectNone(for: name.rawValue, faults)
    case .layerStatistics:
      layerStatistics = true
      options?.expectNone(for: name.rawValue, faults)
    case .modelCheckpoint:
      modelCheckpoint = ModelCheckpointFields(options, faults)
    case .earlyStopping:
      earlyStopping = EarlyStoppingFields(options, element, faults)
    case .reduceLROnPlateau:
      reduceLROnPlateau = ReduceLROnPlateauFields(options, faults)
    case .tensorboard:
      tensorboard = TensorBoardFields(options, faults)
    }
  }

  /// Keras's callback for what is a field of its own here: two spellings would be one too many.
  private static func isSchedule(_ element: Node, _ faults: FaultCollector) -> Bool {
    let name = if case .mapping(let entries) = element.value { entries.first?.key } else { element }
    guard let name, ["learning_rate_schedule", "learning_rate_scheduler"].contains(name.text)
    else { return false }
    faults.add(
      name.diagnostic(
        "the schedule is no callback here but the field `learning_rate`",
        suggestion: "write `learning_rate: {kind: cosine, initial: 0.001, decay_epochs: 50}`"))
    return true
  }
}

extension Section {
  /// The column, and its direction: the column's own unless it is given.
  fileprivate mutating func watched() -> (MonitorKind, MonitorMode) {
    let monitor = choice("monitor", of: MonitorKind.self, default: .valLoss)
    return (monitor, choice("mode", of: MonitorMode.self, default: monitor.naturalMode))
  }
}

extension ModelCheckpointFields {
  fileprivate init?(_ options: Node?, _ faults: FaultCollector) {
    self.init(monitor: .valLoss, mode: .min)
    guard let options else { return }
    guard var section = Section.mapping(options, in: "model_checkpoint", faults: faults) else {
      return nil
    }
    (monitor, mode) = section.watched()
    section.rejectUnknownKeys()
  }
}

extension EarlyStoppingFields {
  fileprivate init?(_ options: Node?, _ element: Node, _ faults: FaultCollector) {
    guard let options else {
      faults.add(
        element.diagnostic(
          "early_stopping needs `patience`", suggestion: "write `{early_stopping: {patience: 10}}`")
      )
      return nil
    }
    guard var section = Section.mapping(options, in: "early_stopping", faults: faults) else {
      return nil
    }
    let (monitor, mode) = section.watched()
    self.init(
      monitor: monitor, mode: mode, patience: section.int("patience", in: 0...100_000),
      minDelta: section.double("min_delta", in: 0...1e9, default: 0),
      baseline: section.optionalDouble("baseline", in: -1e12...1e12),
      startFromEpoch: section.int("start_from_epoch", in: 0...100_000, default: 0),
      restoreBestWeights: section.bool("restore_best_weights", default: false))
    section.rejectUnknownKeys()
  }
}

extension ReduceLROnPlateauFields {
  /// With Keras's defaults.
  fileprivate init?(_ options: Node?, _ faults: FaultCollector) {
    self.init(
      monitor: .valLoss, mode: .min, factor: 0.1, patience: 10, minDelta: 1e-4, cooldown: 0,
      minLR: 0)
    guard let options else { return }
    guard var section = Section.mapping(options, in: "reduce_lr_on_plateau", faults: faults) else {
      return nil
    }
    (monitor, mode) = section.watched()
    factor = section.double("factor", in: 0...0.999_999, default: factor)
    patience = section.int("patience", in: 0...100_000, default: patience)
    minDelta = section.double("min_delta", in: 0...1e9, default: minDelta)
    cooldown = section.int("cooldown", in: 0...100_000, default: cooldown)
    minLR = section.double("min_lr", in: 0...1e3, default: minLR)
    section.rejectUnknownKeys()
  }
}

extension TensorBoardFields {
  fileprivate init?(_ options: Node?, _ faults: FaultCollector) {
    self.init(histogramFreq: 0)
    guard let options else { return }
    guard var section = Section.mapping(options, in: "tensorboard", faults: faults) else {
      return nil
    }
    histogramFreq = section.int("histogram_freq", in: 0...100_000, default: 0)
    section.rejectUnknownKeys()
  }
}
