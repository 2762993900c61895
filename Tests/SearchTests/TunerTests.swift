//! What every tuner keeps: each selection once, and the same proposals after the same trials.

import Networks
import Testing

import Search

@Suite struct TunerTests {
  static let cardinalities = [3, 2, 3, 1, 3, 2]

  /// One of each.
  static func tuners(seed: UInt64) -> [any Tuner] {
    [
      RandomTuner(cardinalities: cardinalities, seed: seed),
      BayesianTuner(cardinalities: cardinalities, seed: seed, initialTrials: 6),
      AdditiveTuner(cardinalities: cardinalities, seed: seed) { delta(of: $0) },
      HyperbandTuner(cardinalities: cardinalities, seed: seed, maxEpochs: 9),
    ]
  }

  /// A rising index costs more.
  static func delta(of selection: [Int]) -> Double { -0.01 * Double(selection.reduce(0, +)) }

  /// A score that a rising index raises at some places and lowers at others.
  static func score(_ proposal: Proposal) -> Double {
    proposal.selection.enumerated().reduce(0.0) {
      $0 + Double($1.element) * ($1.offset % 2 == 0 ? 1.0 : -0.5)
    }
  }

  /// Every seventh trial fails where `fails`.
  static func run(_ tuner: inout any Tuner, trials: Int, batch: Int, fails: Bool = true)
    -> [FinishedTrial]
  {
    var all: [FinishedTrial] = []
    while all.count < trials {
      let proposals = tuner.propose(min(batch, trials - all.count))
      if proposals.isEmpty { break }
      let finished = proposals.enumerated().map { index, proposal in
        FinishedTrial(
          proposal, score: fails && (all.count + index) % 7 == 6 ? nil : Self.score(proposal))
      }
      tuner.tell(finished)
      all += finished
    }
    return all
  }

  @Test(arguments: 0..<tuners(seed: 1).count)
  func toldTheSameTrialsATunerGoesOnTheSame(_ index: Int) {
    var unbroken = Self.tuners(seed: 5)[index]
    let trials = Self.run(&unbroken, trials: 24, batch: 4)
    for stop in [4, 12, 20] {
      var resumed = Self.tuners(seed: 5)[index]
      resumed.tell(Array(trials[..<stop]))
      let next = resumed.propose(4)
      #expect(next == trials[stop..<(stop + next.count)].map(\.proposal))
      // Asking changes nothing.
      #expect(resumed.propose(4) == next)
    }
  }

  @Test(arguments: 0..<tuners(seed: 1).count)
  func anotherSeedGivesOtherTrials(_ index: Int) {
    var one = Self.tuners(seed: 1)[index]
    var other = Self.tuners(seed: 2)[index]
    #expect(one.propose(4) != other.propose(4))
  }

  @Test func everySelectionComesOnceUntilNoneIsLeft() {
    for (index, tuner) in Self.tuners(seed: 3).enumerated() where !(tuner is HyperbandTuner) {
      var tuner = tuner
      let trials = Self.run(&tuner, trials: 1000, batch: 5)
      #expect(trials.count == 108 && Set(trials.map(\.proposal.selection)).count == 108, "\(index)")
    }
  }

  @Test func theBayesianTunerFindsTheBestOfASmoothObjective() {
    var tuner: any Tuner = BayesianTuner(cardinalities: Self.cardinalities, seed: 1)
    let trials = Self.run(&tuner, trials: 40, batch: 1, fails: false)
    #expect(trials.compactMap(\.score).max() == 6)
  }

  @Test func theAdditiveTunerSpendsBitsWhereTheyHelp() {
    let slots = 40
    // Every third slot gains by its second and third candidate, the others but cost.
    let delta: @Sendable ([Int]) -> Double = { 0.2 - 0.005 * Double($0.reduce(0, +)) }
    func score(_ selection: [Int]) -> Double {
      let gain = stride(from: 0, to: slots, by: 3).reduce(0) { $0 + selection[$1] }
      return (0.5 + 0.4 * Double(gain) / Double(gain + 8)) * (1 + delta(selection))
    }
    var tuner = AdditiveTuner(
      cardinalities: Array(repeating: 3, count: slots), seed: 1, delta: delta)
    var best = (selection: [Int](), score: -Double.infinity)
    for _ in 0..<20 {
      let trials = tuner.propose(4).map { FinishedTrial($0, score: score($0.selection)) }
      tuner.tell(trials)
      for trial in trials {
        if let score = trial.score, score > best.score {
          best = (trial.proposal.selection, score)
        }
      }
    }
    let optimum = score((0..<slots).map { $0 % 3 == 0 ? 2 : 0 })
    #expect(best.score > 0.995 * optimum)
  }

  @Test(arguments: [[Double.nan, .infinity, 1], [0, 0, 0], [-1e300, 1e300, 0]])
  func scoresThatSayNothingEndNoTuner(_ scores: [Double]) {
    for tuner in Self.tuners(seed: 4) {
      var tuner = tuner
      for _ in 0..<10 {
        tuner.tell(
          tuner.propose(3).enumerated().map { FinishedTrial($1, score: scores[$0 % 3]) })
      }
    }
  }

  /// `_get_size` and `_get_epochs` of KerasTuner 1.3 for max_epochs 30 and factor 3.
  @Test func hyperbandsBracketsAreThoseOfKerasTuner() {
    let tuner = HyperbandTuner(cardinalities: Self.cardinalities, seed: 1, maxEpochs: 30)
    let rounds = tuner.brackets.map { $0.map { [$0.size, $0.epochs] } }
    #expect(
      rounds == [
        [[34, 2], [12, 4], [4, 10], [2, 30]], [[15, 4], [5, 10], [2, 30]], [[8, 10], [3, 30]],
        [[5, 30]],
      ])
  }

  @Test func hyperbandTakesTheBestOfARoundFurther() throws {
    var tuner = HyperbandTuner(cardinalities: Self.cardinalities, seed: 1, maxEpochs: 9)
    let first = tuner.propose(100)
    #expect(first.count == 9 && first.allSatisfy { $0.epochs == 1 && $0.continues == nil })
    var scores: [Double?] = (0..<9).map { Double($0 % 4) }
    scores[3] = nil
    tuner.tell(zip(first, scores).map { FinishedTrial($0, score: $1) })
    let second = tuner.propose(100)
    #expect(second.map(\.continues) == [7, 2, 6])
    #expect(second.map(\.selection) == [7, 2, 6].map { first[$0].selection })
    #expect(second.allSatisfy { $0.epochs == 3 })
  }

  @Test func aRoundThatFailedEndsItsBracketAlone() {
    var tuner = HyperbandTuner(cardinalities: Self.cardinalities, seed: 1, maxEpochs: 9)
    tuner.tell(tuner.propose(9).map { FinishedTrial($0, score: nil) })
    let next = tuner.propose(100)
    #expect(next.count == 5 && next.allSatisfy { $0.epochs == 3 && $0.continues == nil })
  }
}
