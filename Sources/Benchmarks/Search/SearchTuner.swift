//! The tuners that are compared, and one search by one of them. Knows no table.

import ArgumentParser
import Glibc
import Search

/// Our tuners. The additive one begins with eight trials of its own making (all slots at equal bits, then
/// mixtures from dear to cheap), the others at random; `_warm` and `_cold` take that difference away.
enum SearchTuner: String, CaseIterable, ExpressibleByArgument {
  case random, bayesian, additive
  /// With the additive tuner's first eight trials.
  case randomWarm = "random_warm"
  case bayesianWarm = "bayesian_warm"
  /// With eight random trials, the random tuner's.
  case additiveCold = "additive_cold"

  private static let first = 8

  /// The random and the additive tuner propose in batches of four, as a search does; the bayesian one is
  /// told each score before its next proposal, as KerasTuner is.
  private var batch: Int {
    switch self {
    case .bayesian, .bayesianWarm: 1
    default: 4
    }
  }

  private func tuner(for objective: any SearchObjective, seed: UInt64) -> any Tuner {
    let cardinalities = objective.cardinalities
    return switch self {
    case .random, .randomWarm: RandomTuner(cardinalities: cardinalities, seed: seed)
    case .bayesian, .bayesianWarm: BayesianTuner(cardinalities: cardinalities, seed: seed)
    case .additive, .additiveCold:
      AdditiveTuner(cardinalities: cardinalities, seed: seed) { objective.delta($0) }
    }
  }

  /// Trials that are not the tuner's own choice.
  private func given(_ objective: any SearchObjective, seed: UInt64) -> [Proposal] {
    var other: any Tuner
    switch self {
    case .random, .bayesian, .additive: return []
    case .randomWarm, .bayesianWarm:
      other = SearchTuner.additive.tuner(for: objective, seed: seed)
    case .additiveCold: other = SearchTuner.random.tuner(for: objective, seed: seed)
    }
    return other.propose(Self.first)
  }

  func run(_ search: ComparedSearch, on objective: any SearchObjective, seed: Int) -> SearchRun {
    let word = UInt64(seed)
    var tuner = tuner(for: objective, seed: word)
    var given = given(objective, seed: word)
    var run = SearchRun(
      search: search, tuner: rawValue, seed: seed, optimum: objective.optimum())
    var best = -Double.infinity
    var trial = 0
    while trial < run.trials {
      let start = Self.threadSeconds
      let proposals =
        given.isEmpty ? tuner.propose(min(batch, run.trials - trial)) : given
      run.seconds += Self.threadSeconds - start
      given = []
      if proposals.isEmpty { break }
      var finished: [FinishedTrial] = []
      for proposal in proposals {
        let score = objective.observedScore(proposal.selection, seed: word, trial: trial)
        finished.append(FinishedTrial(proposal, score: score))
        if score > best {
          best = score
          run.steps.append((trial, objective.score(proposal.selection)))
        }
        trial += 1
      }
      let told = Self.threadSeconds
      tuner.tell(finished)
      run.seconds += Self.threadSeconds - told
    }
    return run
  }

  /// Time on processors: waiting for one is no tuner's fault.
  private static var threadSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
