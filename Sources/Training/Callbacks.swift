//! The callbacks of a fit together, in the order in which they act. Knows no data and no file.

/// What watches a fit; nil or false: does not.
package struct Callbacks: Hashable, Sendable {
  /// The model ends with the weights of the epoch that this likes best.
  package var checkpoint: Monitor?
  package var earlyStopping: EarlyStopping?
  package var reduceLROnPlateau: ReduceLROnPlateau?
  package var floor: Floor?
  /// A loss that is no longer finite ends training at its batch, as Keras's TerminateOnNaN does;
  /// else it is an error.
  package var terminatesOnNaN = false
  /// Each epoch logs what training did to each layer's weights.
  package var layerStatistics = false

  package init() {}
}

/// Ends a fit that is not as good as it should be by now. Not one of Keras's.
package struct Floor: Hashable, Sendable {
  /// More of it is better.
  package var column: String
  /// The first epoch, from 0, after which the fit may end.
  package var fromEpoch: Int
  /// What the best epoch so far must have reached after that epoch, the next, and so on.
  package var values: [Double]

  package init(column: String, fromEpoch: Int, values: [Double]) {
    self.column = column
    self.fromEpoch = fromEpoch
    self.values = values
  }

  /// Whether a fit whose best epoch had `best` goes on after `epoch`.
  func holds(_ best: Double?, after epoch: Int) -> Bool {
    let index = epoch - fromEpoch
    guard values.indices.contains(index) else { return true }
    return best.map { $0 >= values[index] } ?? false
  }
}

/// What callbacks remember from epoch to epoch: with the kept weights, all that going on takes.
package struct CallbackState: Hashable, Sendable, Codable {
  package var learningRate: Float
  package var checkpoint = CheckpointState()
  package var earlyStopping = EarlyStoppingState()
  package var plateau = PlateauState()
  /// The best value of the floor's column.
  package var best: Double?
  /// Whether training ends with the epoch that ended last.
  package var stops = false

  package init(learningRate: Float) { self.learningRate = learningRate }
}

/// Callbacks at work on one fit.
struct RunningCallbacks {
  private let callbacks: Callbacks
  private let schedule: LearningRateSchedule
  private(set) var state: CallbackState
  private(set) var checkpoint: FitState.Kept?
  private(set) var earlyStopping: FitState.Kept?
  /// The floor ends the fit.
  private(set) var fellShort = false

  init(_ callbacks: Callbacks, _ schedule: LearningRateSchedule) {
    self.callbacks = callbacks
    self.schedule = schedule
    state = CallbackState(learningRate: schedule.rate(epoch: 0))
  }

  /// Goes on where the callbacks stood in an earlier process.
  mutating func resume(_ fit: FitState) {
    state = fit.callbacks
    checkpoint = fit.checkpoint
    earlyStopping = fit.earlyStopping
  }

  mutating func beginEpoch(_ epoch: Int) {
    if schedule.setsEachEpoch { state.learningRate = schedule.rate(epoch: epoch) }
  }

  /// The checkpoint looks before early stopping, so that it sees the epoch's own weights; Keras has
  /// the user's order, in which one callback can hide something from the next.
  mutating func endEpoch(_ log: EpochLog, weights: WeightStore) {
    func value(_ monitor: Monitor) -> Double? { log.values[monitor.column] }
    if let monitor = callbacks.checkpoint, state.checkpoint.keeps(value(monitor), monitor) {
      checkpoint = FitState.Kept(epoch: log.epoch, weights: weights.snapshot())
    }
    if let settings = callbacks.earlyStopping {
      let verdict = state.earlyStopping.observe(
        value(settings.monitor), epoch: log.epoch, settings)
      if verdict.keepsWeights, settings.restoresBestWeights {
        earlyStopping = FitState.Kept(epoch: log.epoch, weights: weights.snapshot())
      }
      state.stops = verdict.stops
    }
    if let floor = callbacks.floor {
      if let value = log.values[floor.column], value > state.best ?? -.infinity {
        state.best = value
      }
      fellShort = !floor.holds(state.best, after: log.epoch)
      state.stops = state.stops || fellShort
    }
    if let settings = callbacks.reduceLROnPlateau {
      state.learningRate = state.plateau.rate(
        after: value(settings.monitor), at: state.learningRate, settings)
    }
  }

  /// Gives `weights` what the callbacks kept and returns its epoch; nil: they are the last epoch's.
  func restore(_ weights: WeightStore) -> Int? {
    // Keras restores the best weights only where early stopping has stopped.
    guard let kept = checkpoint ?? (state.stops ? earlyStopping : nil) else { return nil }
    weights.restore(kept.weights)
    return kept.epoch
  }
}
