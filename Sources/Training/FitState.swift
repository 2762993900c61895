//! Where a fit stands between two epochs: with its settings and its data, all that going on takes.
//! Knows no file.

package import Networks

/// A fit after some of its epochs. What an epoch draws at random (its order, its augmentation, what
/// dropout drops) is a function of seed and epoch, so no generator's state belongs to it.
package struct FitState: Hashable, Sendable {
  /// Weights that a callback keeps, and their epoch.
  package struct Kept: Hashable, Sendable {
    package var epoch: Int
    package var weights: WeightStore.Snapshot

    package init(epoch: Int, weights: WeightStore.Snapshot) {
      self.epoch = epoch
      self.weights = weights
    }
  }

  /// What the epochs that are done logged, without their layers' statistics.
  package var log: [EpochLog]
  package var weights: WeightStore.Snapshot
  package var optimizer: OptimizerState
  package var callbacks: CallbackState
  /// What the model checkpoint keeps.
  package var checkpoint: Kept?
  /// What early stopping keeps.
  package var earlyStopping: Kept?

  package init(
    log: [EpochLog], weights: WeightStore.Snapshot, optimizer: OptimizerState,
    callbacks: CallbackState, checkpoint: Kept? = nil, earlyStopping: Kept? = nil
  ) {
    self.log = log
    self.weights = weights
    self.optimizer = optimizer
    self.callbacks = callbacks
    self.checkpoint = checkpoint
    self.earlyStopping = earlyStopping
  }

  /// The epoch, from 0, that comes next.
  package var nextEpoch: Int { log.count }

  /// Whether a fit of `network` under `settings` can have stood here.
  package func suits(_ network: Network, _ settings: FitSettings) -> Bool {
    var counts = (trainable: 0, statistics: 0)
    for spec in network.weights {
      let count = spec.shape.reduce(1, *)
      if spec.role.isTrainable { counts.trainable += count } else { counts.statistics += count }
    }
    func suits(_ weights: WeightStore.Snapshot) -> Bool {
      weights.trainable.count == counts.trainable && weights.statistics.count == counts.statistics
    }
    func suits(_ kept: Kept?) -> Bool {
      guard let kept else { return true }
      return log.indices.contains(kept.epoch) && suits(kept.weights)
    }
    return (1..<max(settings.epochs, 1)).contains(nextEpoch)
      && log.enumerated().allSatisfy { $0 == $1.epoch } && !callbacks.stops
      && suits(weights) && suits(checkpoint) && suits(earlyStopping)
      && optimizer.suits(settings.optimizer, count: counts.trainable)
  }
}

/// What an optimizer remembers from step to step.
package struct OptimizerState: Hashable, Sendable {
  /// Updates so far, where the optimizer counts them.
  package var step: Int
  /// Adam's first and second moments, SGD's velocity; as long as the trainable weights each.
  package var moments: [[Float]]

  package init(step: Int = 0, moments: [[Float]] = []) {
    self.step = step
    self.moments = moments
  }

  /// Whether `optimizer` can have been in this state with `count` trainable weights.
  func suits(_ optimizer: Optimizer, count: Int) -> Bool {
    let arrays =
      switch optimizer {
      case .adam: 2
      case .sgd(let constants): constants.momentum > 0 ? 1 : 0
      }
    return step >= 0 && moments.map(\.count) == Array(repeating: count, count: arrays)
  }
}
