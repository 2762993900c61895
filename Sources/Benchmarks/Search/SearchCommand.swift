//! `make bench-search`: tuners on searches, seed after seed. Knows no tuner's insides and no way to add
//! figures up.

import ArgumentParser
import Files

struct SearchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "search",
    abstract: "Compares tuners on searches whose best selection is known.",
    discussion: """
      The searches: made ones of 20, 92, 184 and 350 slots with budgets of 150, 350, 700 and 1000 \
      trials, another one for each seed, and ds_cnn with 250, a model of some 1800 short trainings on \
      Speech Commands. What counts after a trial is the score without noise of the trial that looks \
      best with it. Seconds are the tuner's own, on a processor.

      Without options it takes some five minutes of a core; --all, which adds 184 and 350 slots, some \
      40, and --searches 20 --seeds 5 seconds.

      The table also goes to OUTPUT/search.csv, medians after each trial to OUTPUT/search_curves.csv, \
      every run to OUTPUT/search_runs.csv, as soon as it ends. Files of the last form are taken in by \
      --add, and what they have is not run again: what search_tuners.py wrote of KerasTuner and \
      Optuna, or an earlier part of a long benchmark.
      """)

  @Option(
    parsing: .upToNextOption,
    help: "Of \(ComparedSearch.allCases.map(\.rawValue).joined(separator: ", ")).")
  var searches: [ComparedSearch] = [.made20, .made92, .measured]

  @Flag(help: "All searches.")
  var all = false

  @Option(
    parsing: .upToNextOption,
    help: "Of \(SearchTuner.allCases.map(\.rawValue).joined(separator: ", ")).")
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
    guard (0...1000).contains(seeds), (0...1_000_000).contains(firstSeed) else {
      throw ValidationError("--seeds must be 0 to 1000, --first-seed 0 to 1000000")
    }
    for file in add where !Files.exists(file) { throw ValidationError("there is no \(file)") }
  }

  func run() throws {
    try Files.createDirectories(output)
    let searches = all ? ComparedSearch.allCases : searches
    var runs: [SearchRun] = []
    for file in add { runs += try SearchRun.parse(try Files.read(file, limit: 1 << 26), in: file) }
    for search in searches {
      // The measured search takes a while to learn.
      let measured = search == .measured ? try MeasuredObjective() : nil
      for line in measured?.validation ?? [] { Console.write(line) }
      for seed in firstSeed..<(firstSeed + seeds) {
        let missing = tuners.filter { tuner in
          !runs.contains { ($0.search, $0.tuner, $0.seed) == (search, tuner.rawValue, seed) }
        }
        if missing.isEmpty { continue }
        let objective = try measured ?? search.objective(seed: seed)
        for tuner in missing {
          runs.append(tuner.run(search, on: objective, seed: seed))
          try Files.writeAtomically(SearchRun.csv(runs), to: "\(output)/search_runs.csv")
        }
      }
    }
    let comparison = SearchComparison(runs.filter { searches.contains($0.search) })
    let table = SearchTable(comparison)
    for line in BenchTable.aligned(table.rows) { Console.write(line) }
    let csv = table.rows.map { $0.joined(separator: ",") + "\n" }.joined()
    try Files.writeAtomically(csv, to: "\(output)/search.csv")
    try Files.writeAtomically(table.curves, to: "\(output)/search_curves.csv")
    Console.write("")
    for line in SearchTable.notes { Console.write(line) }
    Console.write("")
    for target in comparison.targets { Console.write(target.line) }
    for search in searches {
      let share = try search.objective(seed: firstSeed).interactionVariance(samples: 20_000)
      Console.write(SearchTarget.interactions(share, in: search).line)
    }
    Console.write("\(output)/search.csv, \(output)/search_curves.csv, \(output)/search_runs.csv")
  }
}

extension ComparedSearch: ExpressibleByArgument {}
