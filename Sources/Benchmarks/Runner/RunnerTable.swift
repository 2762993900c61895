//! The table of the runner's benchmark, for people and as CSV. Knows no measurement.

enum RunnerTable {
  static let columns = [
    "tool", "version", "jobs", "stages", "rounds", "startup_ms", "cold_s", "overhead_ms_per_stage",
    "noop_ms", "change_ms", "startup_to_ninja", "cold_to_ninja", "noop_to_ninja",
    "change_to_ninja",
  ]

  static func csv(_ all: [RunnerFigures]) -> String {
    rows(all).map { $0.joined(separator: ",") + "\n" }.joined()
  }

  static func lines(_ all: [RunnerFigures]) -> [String] {
    let rows = rows(all)
    // Figures down, tools across: people compare tools.
    return BenchTable.aligned(columns.indices.map { column in rows.map { $0[column] } })
  }

  private static func rows(_ all: [RunnerFigures]) -> [[String]] {
    [columns]
      + all.map { figures in
        let stages = RunnerWorkload(chains: figures.chains).stages
        let ninja = all.first { $0.tool == .ninja && $0.jobs == figures.jobs }
        let loop = all.first { $0.tool == .loop && $0.jobs == figures.jobs }
        func ratio(_ what: String) -> Double? {
          // Other graphs are no measure for each other.
          guard let ninja, what == "startup_ms" || ninja.chains == figures.chains,
            let own = figures.median(what), let other = ninja.median(what)
          else { return nil }
          return own / other
        }
        var overhead: Double?
        if let cold = figures.median("cold_s"), let floor = loop?.median("cold_s"),
          figures.tool != .loop, let chains = loop?.chains
        {
          // The floor is in proportion to the stages.
          let share = floor * Double(stages) / Double(RunnerWorkload(chains: chains).stages)
          overhead = (cold - share) * 1000 / Double(stages)
        }
        return [
          figures.tool.rawValue, figures.version, "\(figures.jobs)", "\(stages)",
          "\(figures.values["cold_s"]?.count ?? 0)",
        ]
          + [
            figures.median("startup_ms"), figures.median("cold_s"), overhead,
            figures.median("noop_ms"), figures.median("change_ms"),
            ratio("startup_ms"), ratio("cold_s"), ratio("noop_ms"), ratio("change_ms"),
          ].map { $0.map(BenchTable.number) ?? "" }
      }
  }

  static func lines(_ scales: [(scale: RunnerScale, seconds: [Double])]) -> [String] {
    scales.map { scale, seconds in
      let time = "\(BenchTable.number(seconds.median * 1000)) ms"
      return switch scale {
      case .plan: "\(scale.stages) stages of \(scale.points) points planned in \(time)"
      case .sweep: "\(scale.stages) stages of \(scale.points) points checked in \(time)"
      }
    }
  }

  /// Every measurement: tool, jobs, stages, what, round, value.
  static func roundsCSV(
    _ all: [RunnerFigures], _ scales: [(scale: RunnerScale, seconds: [Double])]
  ) -> String {
    var text = "tool,jobs,stages,figure,round,value\n"
    for figures in all {
      let stages = RunnerWorkload(chains: figures.chains).stages
      for (what, values) in figures.values.sorted(by: { $0.key < $1.key }) {
        for (round, value) in values.enumerated() {
          text +=
            "\(figures.tool.rawValue),\(figures.jobs),\(stages),\(what),\(round + 1),\(value)\n"
        }
      }
    }
    for (scale, seconds) in scales {
      for (round, value) in seconds.enumerated() {
        text += "shiftwork,,\(scale.stages),\(scale.rawValue)_s,\(round + 1),\(value)\n"
      }
    }
    return text
  }
}
