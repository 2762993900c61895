//! `make bench-search`: tuners on made searches, seed after seed. Knows no tuner's insides and no way
//! to add figures up.

import ArgumentParser
import Files
import Search

struct SearchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "search",
    abstract: "Compares tuners on made searches whose best selection is known.",
    discussion: """
      A search has a budget of trials by its number of slots: 20 slots 150, 92 slots 350, 184 slots \
      700, 350 slots 1000. What counts after a trial is the score without noise of the trial that \
      looks best with it. The random and the additive tuner propose in batches of four, as a search \
      does; the bayesian one is told each score before the next proposal, as KerasTuner is.

      The table also goes to OUTPUT/search.csv, medians after each trial to OUTPUT/search_curves.csv, \
      every run to OUTPUT/search_runs.csv. Files of the last form are taken in by --add: what \
      search_tuners.py wrote of KerasTuner and Optuna, or an earlier part of a long benchmark.
      """)

  @Option(parsing: .upToNextOption, help: "Numbers of slots.")
  var slots = [20, 92, 184, 350]

  @Option(parsing: .upToNextOption, help: "Of random, bayesian and additive.")
  var tuners = SearchTuner.allCases

  @Option(help: "Runs of each; tuners were chosen and set on seeds below 1000.")
  var seeds = 20

  @Option(help: "The first seed.")
  var firstSeed = 1001

  @Option(parsing: .upToNextOption, help: "CSV files of runs that are compared, too.")
  var add: [String] = []

  @Option(help: "The folder for the CSV files.")
  var output = "results/bench"

  func validate() throws {
    guard slots.allSatisfy({ SearchBudget.trials[$0] != nil }) else {
      throw ValidationError("--slots must be among 20, 92, 184, 350")
    }
    guard (0...1000).contains(seeds), (0...1_000_000).contains(firstSeed) else {
      throw ValidationError("--seeds must be 0 to 1000, --first-seed 0 to 1000000")
    }
    for file in add where !Files.exists(file) { throw ValidationError("there is no \(file)") }
  }

  func run() throws {
    try Files.createDirectories(output)
    var runs: [SearchRun] = []
    for file in add { runs += try SearchRun.parse(try Files.read(file, limit: 1 << 26), in: file) }
    for slots in slots {
      for seed in firstSeed..<(firstSeed + seeds) {
        let objective = SyntheticObjective(slots: slots, seed: UInt64(seed))
        for tuner in tuners {
          let budget = SearchBudget.trials[slots] ?? 0
          runs.append(tuner.run(on: objective, seed: seed, trials: budget))
          // A long benchmark that is ended early keeps what it has.
          try Files.writeAtomically(SearchRun.csv(runs), to: "\(output)/search_runs.csv")
        }
      }
    }
    let table = SearchTable(runs)
    for line in BenchTable.aligned(table.rows) { Console.write(line) }
    let csv = table.rows.map { $0.joined(separator: ",") + "\n" }.joined()
    try Files.writeAtomically(csv, to: "\(output)/search.csv")
    try Files.writeAtomically(table.curves, to: "\(output)/search_curves.csv")
    let shares = slots.map { slots in
      let share = SyntheticObjective(slots: slots, seed: UInt64(firstSeed))
        .interactionVariance(samples: 20_000)
      return "\(BenchTable.number(100 * share)) % at \(slots) slots"
    }
    Console.write("interactions' share of the score's variance: \(shares.joined(separator: ", "))")
    Console.write("\(output)/search.csv, \(output)/search_curves.csv, \(output)/search_runs.csv")
  }
}

enum SearchBudget {
  /// Trials by slots.
  static let trials = [20: 150, 92: 350, 184: 700, 350: 1000]
}

/// Our tuners.
enum SearchTuner: String, CaseIterable, ExpressibleByArgument {
  case random, bayesian, additive

  func run(on objective: SyntheticObjective, seed: Int, trials: Int) -> SearchRun {
    let word = UInt64(seed)
    let cardinalities = objective.cardinalities
    var tuner: any Tuner =
      switch self {
      case .random: RandomTuner(cardinalities: cardinalities, seed: word)
      case .bayesian: BayesianTuner(cardinalities: cardinalities, seed: word)
      case .additive:
        AdditiveTuner(cardinalities: cardinalities, seed: word) { objective.delta($0) }
      }
    let batch = self == .bayesian ? 1 : 4
    var run = SearchRun(
      tuner: rawValue, slots: cardinalities.count, seed: seed, trials: trials,
      optimum: objective.optimum())
    let clock = ContinuousClock()
    var time = Duration.zero
    var best = -Double.infinity
    var trial = 0
    while trial < trials {
      let start = clock.now
      let proposals = tuner.propose(min(batch, trials - trial))
      time += clock.now - start
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
      let told = clock.now
      tuner.tell(finished)
      time += clock.now - told
    }
    run.seconds = time / .seconds(1)
    return run
  }
}
