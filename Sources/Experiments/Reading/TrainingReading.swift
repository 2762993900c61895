//! Sections that say how to train: `training` and those that override it, field by field.

import Diagnostics
import Specs

/// What one section says about training; nil: says nothing.
struct TrainingSection {
  var epochs: Int?
  var batchSize: Int?
  var optimizer: OptimizerFields?
  var learningRate: LearningRateFields?
  var loss: LossKind?
  var metrics: [MetricKind]?
  var l2: Double?
  var callbacks: CallbacksFields?
  /// Whether training images are augmented, where the data set says how.
  var augment: Bool?
  var subset: SubsetFields?
  /// By field path, and `augment` and `subset.training`.
  var locations: [String: SourceLocation] = [:]

  init() {}

  /// Reads the keys of training from `section`, and leaves its other keys to the caller.
  init(_ section: inout Section) {
    epochs = section.optionalInt("epochs", in: 1...100_000)
    batchSize = section.optionalInt("batch_size", in: 1...65_536)
    optimizer = OptimizerFields(&section, at: "optimizer")
    learningRate = LearningRateFields(&section, at: "learning_rate")
    if section.has("loss") { loss = section.choice("loss", of: LossKind.self) }
    metrics = Self.metrics(&section)
    l2 = section.optionalDouble("l2", in: 0...1e6)
    callbacks = CallbacksFields(&section, at: "callbacks")
    augment = section.optionalBool("augment")
    if var child = section.section("subset", in: "subset") {
      subset = SubsetFields(&child, withTest: false)
      section.adopt(child, at: "subset")
    }
    locations = section.locations
  }

  private static func metrics(_ section: inout Section) -> [MetricKind]? {
    guard let node = section.node("metrics") else { return nil }
    guard case .sequence(let elements) = node.value else {
      section.faults.add(node.diagnostic("metrics is a list: `[accuracy]`"))
      return nil
    }
    var metrics: [MetricKind] = []
    for element in elements {
      guard let metric = element.choice(of: MetricKind.self, named: "metric", section.faults)
      else { continue }
      if metrics.contains(metric) {
        section.faults.add(element.diagnostic("`\(metric.rawValue)` is listed twice"))
      } else {
        metrics.append(metric)
      }
    }
    return metrics
  }

  /// This section's fields, and `other`'s where this says nothing.
  func overriding(_ other: TrainingSection) -> TrainingSection {
    var merged = self
    merged.epochs = epochs ?? other.epochs
    merged.batchSize = batchSize ?? other.batchSize
    merged.optimizer = optimizer ?? other.optimizer
    merged.learningRate = learningRate ?? other.learningRate
    merged.loss = loss ?? other.loss
    merged.metrics = metrics ?? other.metrics
    merged.l2 = l2 ?? other.l2
    merged.callbacks = callbacks ?? other.callbacks
    merged.augment = augment ?? other.augment
    merged.subset = subset ?? other.subset
    // A place inside a field that was replaced as a whole no longer says anything.
    let replaced = Set(locations.keys.map(Self.head))
    merged.locations.merge(other.locations.filter { !replaced.contains(Self.head($0.key)) }) {
      mine, _ in mine
    }
    return merged
  }

  private static func head(_ path: String) -> Substring { path.prefix { $0 != "." && $0 != "[" } }

  /// The fields, with defaults for what nobody said; `epochs` has none.
  func fields(epochs: Int) -> TrainingFields {
    TrainingFields(
      epochs: epochs, batchSize: batchSize ?? 32,
      optimizer: optimizer ?? OptimizerFields(kind: .adam, beta1: 0.9, beta2: 0.999, epsilon: 1e-7),
      learningRate: learningRate ?? .constant(0.001),
      loss: loss ?? .sparseCategoricalCrossentropy, metrics: metrics ?? [.accuracy], l2: l2,
      callbacks: callbacks ?? CallbacksFields(csvLogger: true))
  }
}

extension Node {
  /// A string that spells one of `type`'s values, otherwise a fault.
  func choice<Value: RawRepresentable & CaseIterable>(
    of type: Value.Type, named noun: String, _ faults: FaultCollector
  ) -> Value? where Value.RawValue == String {
    if case .string(let text) = value, let choice = Value(rawValue: text) { return choice }
    let names = type.allCases.map(\.rawValue)
    let known = "known: " + names.joined(separator: ", ")
    let text = text ?? "this"
    faults.add(
      diagnostic(
        "there is no \(noun) `\(text)`",
        suggestion: closest(to: text, among: names).map { "did you mean `\($0)`?" } ?? known))
    return nil
  }
}

extension OptimizerFields {
  /// `adam`, or `{kind: adam, beta_1: 0.9}`.
  fileprivate init?(_ parent: inout Section, at key: String) {
    guard let node = parent.node(key) else { return nil }
    self.init(kind: .adam, beta1: 0.9, beta2: 0.999, epsilon: 1e-7)
    guard case .mapping = node.value else {
      guard let kind = node.choice(of: Kind.self, named: "optimizer", parent.faults) else {
        return nil
      }
      self.kind = kind
      return
    }
    guard var section = parent.section(key) else { return nil }
    kind = section.choice("kind", of: Kind.self)
    beta1 = section.double("beta_1", in: 0...0.999_999, default: 0.9)
    beta2 = section.double("beta_2", in: 0...0.999_999_9, default: 0.999)
    epsilon = section.double("epsilon", in: 1e-12...1, default: 1e-7)
    section.rejectUnknownKeys()
    parent.adopt(section, at: key)
  }
}

extension LearningRateFields {
  private static let rates = 1e-12...1e3

  /// A number, or `{kind: exponential, initial: 0.001, decay: 0.99}`.
  fileprivate init?(_ parent: inout Section, at key: String) {
    guard let node = parent.node(key) else { return nil }
    guard case .mapping = node.value else {
      self = .constant(parent.double(key, in: Self.rates))
      return
    }
    guard var section = parent.section(key) else { return nil }
    switch section.choice("kind", of: Kind.self) {
    case .constant:
      self = .constant(section.double("initial", in: Self.rates))
    case .exponential:
      let initial = section.double("initial", in: Self.rates)
      let decay = section.double("decay", in: 1e-6...1, default: 1)
      // A rate that never decays is constant: one spelling, one key.
      self = decay == 1 ? .constant(initial) : .exponential(initial: initial, decay: decay)
    case .piecewise:
      self = .piecewise(Self.steps(&section))
    }
    section.rejectUnknownKeys()
    parent.adopt(section, at: key)
  }

  private static func steps(_ section: inout Section) -> [Step] {
    guard let node = section.node("steps") else {
      section.faults.add(section.node.diagnostic("a piecewise learning rate needs `steps`"))
      return []
    }
    guard case .sequence(let elements) = node.value, !elements.isEmpty else {
      section.faults.add(node.diagnostic("steps is a list of `{from_epoch: 0, rate: 0.001}`"))
      return []
    }
    var steps: [Step] = []
    for element in elements {
      guard
        var child = Section.mapping(element, in: "learning_rate.steps", faults: section.faults)
      else { continue }
      let step = Step(
        fromEpoch: child.int("from_epoch", in: 0...100_000),
        rate: child.double("rate", in: rates))
      child.rejectUnknownKeys()
      let isNext = steps.last.map { $0.fromEpoch < step.fromEpoch } ?? (step.fromEpoch == 0)
      if !isNext {
        section.faults.add(
          element.diagnostic("steps start at epoch 0 and each at a later one than the step before"))
      }
      steps.append(step)
    }
    return steps
  }
}

extension CallbacksFields {
  private enum Name: String, CaseIterable {
    case csvLogger = "csv_logger"
    case modelCheckpoint = "model_checkpoint"
    case earlyStopping = "early_stopping"
  }

  /// A list of names, or of mappings from one name to its options.
  fileprivate init?(_ parent: inout Section, at key: String) {
    guard let node = parent.node(key) else { return nil }
    guard case .sequence(let elements) = node.value else {
      parent.faults.add(
        node.diagnostic("callbacks is a list: `[csv_logger, {early_stopping: {patience: 10}}]`"))
      return nil
    }
    self.init(csvLogger: false)
    var seen: Set<Name> = []
    for element in elements {
      guard let (name, options) = Self.named(element, faults: parent.faults) else { continue }
      guard seen.insert(name).inserted else {
        parent.faults.add(element.diagnostic("`\(name.rawValue)` is listed twice"))
        continue
      }
      // Places are noted by field, whatever the callback's position in the list.
      parent.note("\(key).\(name.rawValue)", at: element.location)
      switch name {
      case .csvLogger:
        csvLogger = true
        options?.expectNone(for: name.rawValue, parent.faults)
      case .modelCheckpoint:
        modelCheckpoint = Self.modelCheckpoint(options, element, parent.faults)
      case .earlyStopping:
        earlyStopping = Self.earlyStopping(options, element, parent.faults)
      }
    }
  }

  private static func named(_ node: Node, faults: FaultCollector) -> (Name, Node?)? {
    if case .mapping(let entries) = node.value {
      guard let entry = entries.first, entries.count == 1 else {
        faults.add(node.diagnostic("a callback with options is a mapping of one name to them"))
        return nil
      }
      return entry.key.choice(of: Name.self, named: "callback", faults).map { ($0, entry.value) }
    }
    return node.choice(of: Name.self, named: "callback", faults).map { ($0, nil) }
  }

  private static func modelCheckpoint(
    _ options: Node?, _ element: Node, _ faults: FaultCollector
  ) -> ModelCheckpointFields? {
    guard let options else { return ModelCheckpointFields(monitor: .valLoss, mode: .min) }
    guard var section = Section.mapping(options, in: "model_checkpoint", faults: faults) else {
      return nil
    }
    let (monitor, mode) = watched(&section)
    section.rejectUnknownKeys()
    return ModelCheckpointFields(monitor: monitor, mode: mode)
  }

  private static func earlyStopping(
    _ options: Node?, _ element: Node, _ faults: FaultCollector
  ) -> EarlyStoppingFields? {
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
    let (monitor, mode) = watched(&section)
    let fields = EarlyStoppingFields(
      monitor: monitor, mode: mode, patience: section.int("patience", in: 0...100_000),
      minDelta: section.double("min_delta", in: 0...1e9, default: 0),
      restoreBestWeights: section.bool("restore_best_weights", default: false))
    section.rejectUnknownKeys()
    return fields
  }

  /// The column, and its direction: what Keras infers unless it is given.
  private static func watched(_ section: inout Section) -> (MonitorKind, MonitorMode) {
    let monitor = section.choice("monitor", of: MonitorKind.self, default: .valLoss)
    let natural: MonitorMode =
      monitor == .accuracy || monitor == .valAccuracy ? .max : .min
    return (monitor, section.choice("mode", of: MonitorMode.self, default: natural))
  }
}

extension Node {
  fileprivate func expectNone(for name: String, _ faults: FaultCollector) {
    switch value {
    case .null: break
    case .mapping(let entries) where entries.isEmpty: break
    default: faults.add(diagnostic("`\(name)` takes no options"))
    }
  }
}
