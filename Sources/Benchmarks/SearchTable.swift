//! Runs of tuners by slots: medians over seeds, and who came where first. Knows no objective.

struct SearchTable {
  /// A header, then a line for each tuner at each number of slots.
  private(set) var rows = [
    [
      "slots", "tuner", "seeds", "trials", "final", "regret", "area", "better_than_random",
      "below_random_after_10", "trials_to_bayesian_final", "tuner_s",
    ]
  ]
  /// CSV: the median score after each trial, and the optimum's.
  private(set) var curves = "slots,tuner,trial,median,lower_quartile,upper_quartile,optimum\n"

  init(_ runs: [SearchRun]) {
    for slots in Set(runs.map(\.slots)).sorted() {
      let here = runs.filter { $0.slots == slots }
      var names: [String] = []
      for run in here where !names.contains(run.tuner) { names.append(run.tuner) }
      let byTuner = names.map { name in here.filter { $0.tuner == name } }
      let medians = byTuner.map { Self.quantile(of: $0.map(\.curve), 0.5) }
      let random = names.firstIndex(of: "random")
      let bayesian = names.firstIndex(of: "bayesian").flatMap { medians[$0].last }
      for (index, name) in names.enumerated() {
        addRow(
          slots, name, byTuner[index], medians[index], random: random.map { byTuner[$0] },
          randomMedian: random.map { medians[$0] }, bayesian: bayesian)
      }
    }
  }

  private mutating func addRow(
    _ slots: Int, _ name: String, _ runs: [SearchRun], _ median: [Double],
    random: [SearchRun]?, randomMedian: [Double]?, bayesian: Double?
  ) {
    let finals = runs.map { $0.curve.last ?? 0 }
    let areas = runs.map { $0.curve.reduce(0, +) / Double(max($0.trials, 1)) }
    var better = ""
    if let random, name != "random" {
      let pairs = runs.compactMap { run in
        random.first { $0.seed == run.seed }.map { (run.curve.last ?? 0, $0.curve.last ?? 0) }
      }
      better = "\(pairs.count { $0 > $1 })/\(pairs.count)"
    }
    let below = randomMedian.map { other in
      "\(zip(median, other).dropFirst(10).count { $0 < $1 })"
    }
    let reached = bayesian.flatMap { target in median.firstIndex { $0 >= target } }
    rows.append([
      "\(slots)", name, "\(runs.count)", "\(runs.map(\.trials).max() ?? 0)",
      Self.number(finals.median),
      Self.number(zip(runs, finals).map { $0.optimum - $1 }.median), Self.number(areas.median),
      better, name == "random" ? "" : below ?? "", reached.map { "\($0 + 1)" } ?? "",
      BenchTable.number(runs.map(\.seconds).median),
    ])
    let curves = runs.map(\.curve)
    let lower = Self.quantile(of: curves, 0.25)
    let upper = Self.quantile(of: curves, 0.75)
    let optimum = Self.number(runs.map(\.optimum).median)
    for trial in median.indices {
      self.curves +=
        "\(slots),\(name),\(trial + 1),\(Self.number(median[trial])),"
        + "\(Self.number(lower[trial])),\(Self.number(upper[trial])),\(optimum)\n"
    }
  }

  /// After each trial that all curves have, between the two nearest in order.
  private static func quantile(of curves: [[Double]], _ share: Double) -> [Double] {
    (0..<(curves.map(\.count).min() ?? 0)).map { trial in
      let sorted = curves.map { $0[trial] }.sorted()
      let place = share * Double(sorted.count - 1)
      let index = Int(place)
      let next = sorted[min(index + 1, sorted.count - 1)]
      return sorted[index] + (place - Double(index)) * (next - sorted[index])
    }
  }

  private static func number(_ value: Double) -> String {
    "\((value * 10_000).rounded() / 10_000)"
  }
}
