//! What a search says while its trials run. Knows no tuner.

import Pipeline
import Synchronization

/// Joins the reports of trials that run at once into one line of progress.
final class SearchProgress: Sendable {
  private struct State {
    var finished = 0
    var best: (number: Int, score: Double)?
    /// By trial, how far it is.
    var running: [Int: StageEvent.Progress] = [:]
  }

  private let trials: Int
  private let say: @Sendable (StageEvent) -> Void
  private let state = Mutex(State())
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant

  init(trials: Int, say: @escaping @Sendable (StageEvent) -> Void) {
    self.trials = trials
    self.say = say
    start = clock.now
  }

  /// A running trial's own report.
  func note(_ progress: StageEvent.Progress, of trial: Int) {
    state.withLock { state in
      state.running[trial] = progress
      report(state)
    }
  }

  func finish(_ trial: SearchTrial) {
    state.withLock { state in
      state.running[trial.number] = nil
      state.finished += 1
      if trial.failure == nil, trial.score > state.best?.score ?? -.infinity {
        state.best = (trial.number, trial.score)
      }
      report(state)
    }
  }

  private func report(_ state: State) {
    var parts = ["\(state.finished) of \(trials) trials"]
    if let best = state.best { parts.append("best score \(best.score) of trial \(best.number)") }
    let running = state.running.sorted { $0.key < $1.key }
    for (trial, progress) in running {
      guard let epoch = progress.epoch else { continue }
      parts.append("trial \(trial) epoch \(epoch)" + (progress.epochs.map { "/\($0)" } ?? ""))
    }
    let rates = running.compactMap(\.value.samplesPerSecond)
    say(
      .progress(
        StageEvent.Progress(
          samplesPerSecond: rates.isEmpty ? nil : rates.reduce(0, +),
          secondsLeft: secondsLeft(state), message: parts.joined(separator: ", "))))
  }

  /// As long again for each trial as for those that are done, found ones among them.
  private func secondsLeft(_ state: State) -> Double? {
    guard state.finished > 0 else { return nil }
    let seconds = (clock.now - start) / .seconds(1)
    return seconds / Double(state.finished) * Double(trials - state.finished)
  }
}
