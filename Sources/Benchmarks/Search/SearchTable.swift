//! A comparison of tuners as a table, as curves, and what stands below them. Compares nothing.

struct SearchTable {
  /// A header, then a line for each tuner of each search.
  let rows: [[String]]
  /// CSV: the median score after each trial, and the optimum's.
  let curves: String

  static let notes = [
    "final, regret (what the best selection has more), area (mean best so far): medians over seeds.",
    "better_than_random: seeds whose final score is greater. below_random_after_10: trials after the",
    "tenth at which the median is lower. The additive tuner makes its first eight trials by a plan (equal",
    "bits everywhere, mixtures), the others draw theirs: random_warm and bayesian_warm are given the",
    "additive tuner's eight, additive_cold the random tuner's. The bayesian tuner draws three trials a",
    "slot before it models anything, as KerasTuner's default is: at 350 slots all of them.",
  ]

  init(_ comparison: SearchComparison) {
    var rows = [
      [
        "search", "tuner", "seeds", "trials", "final", "regret", "area", "better_than_random",
        "below_random_after_10", "trials_to_bayesian_final", "tuner_s",
      ]
    ]
    var curves = "search,tuner,trial,median,lower_quartile,upper_quartile,optimum\n"
    for result in comparison.results {
      let random =
        result.tuner == SearchTuner.random.rawValue
        ? nil : comparison.result(.random, in: result.search)
      let wins = random.map { result.wins(over: $0) }
      let reached = comparison.result(.bayesian, in: result.search)
        .flatMap { result.trials(to: $0.final) }
      rows.append([
        result.search.rawValue, result.tuner, "\(result.runs.count)", "\(result.search.trials)",
        Self.number(result.final), Self.number(result.regret), Self.number(result.area),
        wins.map { "\($0.wins)/\($0.seeds)" } ?? "",
        random.map { "\(result.trialsBelow($0))" } ?? "", reached.map { "\($0)" } ?? "",
        BenchTable.number(result.seconds),
      ])
      for trial in result.median.indices {
        let values = [
          result.median[trial], result.lowerQuartile[trial], result.upperQuartile[trial],
          result.optimum,
        ]
        curves +=
          "\(result.search.rawValue),\(result.tuner),\(trial + 1),"
          + values.map(Self.number).joined(separator: ",") + "\n"
      }
    }
    self.rows = rows
    self.curves = curves
  }

  private static func number(_ value: Double) -> String {
    "\((value * 10_000).rounded() / 10_000)"
  }
}
