//! Training's resolved fields as the engine's settings. Knows no data.

import Experiments
import Training

extension TrainingFields {
  var settings: FitSettings {
    FitSettings(
      epochs: epochs, batchSize: batchSize, loss: loss.loss, metrics: metrics.map(\.metric),
      optimizer: optimizer.optimizer, learningRate: learningRate.schedule,
      callbacks: callbacks.callbacks)
  }
}

extension LossKind {
  var loss: Loss {
    switch self {
    case .sparseCategoricalCrossentropy: .sparseCategoricalCrossentropy
    case .categoricalCrossentropy: .categoricalCrossentropy
    case .meanSquaredError: .meanSquaredError
    }
  }
}

extension MetricFields {
  var metric: Metric {
    switch self {
    case .accuracy: .accuracy
    case .auc: .auc
    case .partialAUC(let maxFPR): .partialAUC(maxFPR: maxFPR)
    case .autoQKeras: .autoQKeras
    }
  }
}

extension OptimizerFields {
  fileprivate var optimizer: Optimizer {
    switch self {
    case .adam(let beta1, let beta2, let epsilon):
      .adam(.init(beta1: beta1, beta2: beta2, epsilon: epsilon))
    case .sgd(let momentum, let nesterov): .sgd(.init(momentum: momentum, nesterov: nesterov))
    }
  }
}

extension LearningRateFields {
  fileprivate var schedule: LearningRateSchedule {
    switch self {
    case .constant(let rate): .constant(rate)
    case .exponential(let initial, let decay): .exponential(initial: initial, decay: decay)
    case .piecewise(let steps):
      .piecewise(steps.map { .init(fromEpoch: $0.fromEpoch, rate: $0.rate) })
    case .cosine(let initial, let alpha, let decayEpochs):
      .cosine(initial: initial, alpha: alpha, decayEpochs: decayEpochs)
    case .table(let rates): .table(rates)
    }
  }
}

extension CallbacksFields {
  fileprivate var callbacks: Callbacks {
    var callbacks = Callbacks()
    callbacks.checkpoint = modelCheckpoint.map { Monitor($0.monitor, $0.mode) }
    callbacks.earlyStopping = earlyStopping.map {
      EarlyStopping(
        monitor: Monitor($0.monitor, $0.mode), patience: $0.patience, minDelta: $0.minDelta,
        baseline: $0.baseline, startFromEpoch: $0.startFromEpoch,
        restoresBestWeights: $0.restoreBestWeights)
    }
    callbacks.reduceLROnPlateau = reduceLROnPlateau.map {
      ReduceLROnPlateau(
        monitor: Monitor($0.monitor, $0.mode), factor: $0.factor, patience: $0.patience,
        minDelta: $0.minDelta, cooldown: $0.cooldown, minLearningRate: $0.minLR)
    }
    callbacks.terminatesOnNaN = terminateOnNaN
    callbacks.layerStatistics = layerStatistics
    return callbacks
  }
}

extension Monitor {
  fileprivate init(_ monitor: MonitorKind, _ mode: MonitorMode) {
    self.init(column: monitor.rawValue, wantsLess: mode == .min)
  }
}
