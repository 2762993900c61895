//! Runs of tuners search by search: medians over seeds, and who came where first. Knows no objective
//! and no layout.

/// All runs of a tuner on a search.
struct TunerResult {
  let search: ComparedSearch
  let tuner: String
  let runs: [SearchRun]
  /// After each trial.
  let median: [Double]
  let lowerQuartile: [Double]
  let upperQuartile: [Double]

  init(_ runs: [SearchRun], of tuner: String, in search: ComparedSearch) {
    self.search = search
    self.tuner = tuner
    self.runs = runs
    let curves = runs.map(\.curve)
    median = Self.quantile(of: curves, 0.5)
    lowerQuartile = Self.quantile(of: curves, 0.25)
    upperQuartile = Self.quantile(of: curves, 0.75)
  }

  var finals: [Double] { runs.map { $0.curve.last ?? 0 } }
  var final: Double { finals.median }
  var regret: Double { zip(runs, finals).map { $0.optimum - $1 }.median }
  /// The mean over all trials of the best score so far.
  var area: Double { runs.map { $0.curve.reduce(0, +) / Double($0.trials) }.median }
  var seconds: Double { runs.map(\.seconds).median }
  var optimum: Double { runs.map(\.optimum).median }

  /// The first trial, from 1, after which the median is no less.
  func trials(to score: Double) -> Int? { median.firstIndex { $0 >= score }.map { $0 + 1 } }

  /// How many trials after the tenth the median is below the other's.
  func trialsBelow(_ other: TunerResult) -> Int {
    zip(median, other.median).dropFirst(10).count { $0 < $1 }
  }

  /// In how many of the seeds that both have this one's final score is greater.
  func wins(over other: TunerResult) -> (wins: Int, seeds: Int) {
    let pairs = runs.compactMap { run in
      other.runs.first { $0.seed == run.seed }.map { (run.curve.last ?? 0, $0.curve.last ?? 0) }
    }
    return (pairs.count { $0 > $1 }, pairs.count)
  }

  /// Between the two nearest in order.
  private static func quantile(of curves: [[Double]], _ share: Double) -> [Double] {
    (0..<(curves.map(\.count).min() ?? 0)).map { trial in
      let sorted = curves.map { $0[trial] }.sorted()
      let place = share * Double(sorted.count - 1)
      let index = Int(place)
      let next = sorted[min(index + 1, sorted.count - 1)]
      return sorted[index] + (place - Double(index)) * (next - sorted[index])
    }
  }
}

struct SearchComparison {
  /// Search by search, tuners in the order of their first runs.
  let results: [TunerResult]

  init(_ runs: [SearchRun]) {
    var results: [TunerResult] = []
    for search in ComparedSearch.allCases {
      let here = runs.filter { $0.search == search }
      var names: [String] = []
      for run in here where !names.contains(run.tuner) { names.append(run.tuner) }
      results += names.map { name in
        TunerResult(here.filter { $0.tuner == name }, of: name, in: search)
      }
    }
    self.results = results
  }

  func result(_ tuner: SearchTuner, in search: ComparedSearch) -> TunerResult? {
    results.first { $0.search == search && $0.tuner == tuner.rawValue }
  }

  /// What the additive tuner is to reach; without its own first trials, too, but for what begins there.
  var targets: [SearchTarget] {
    var targets: [SearchTarget] = []
    for search in ComparedSearch.allCases {
      let random = result(.random, in: search)
      let bayesian = (search.slots ?? 0) >= 92 ? result(.bayesian, in: search) : nil
      if let random, let ours = result(.additive, in: search) {
        targets.append(SearchTarget.neverBelow(random, ours))
      }
      for tuner in [SearchTuner.additive, .additiveCold] {
        guard let ours = result(tuner, in: search) else { continue }
        if let random { targets.append(SearchTarget.better(than: random, ours)) }
        if let bayesian { targets.append(SearchTarget.sooner(than: bayesian, ours)) }
      }
    }
    return targets
  }
}

/// Something that the comparison is to show, and whether it did.
struct SearchTarget {
  private let what: String
  private let isMet: Bool

  var line: String { "\(isMet ? "met    " : "NOT MET")  \(what)" }

  static func neverBelow(_ random: TunerResult, _ ours: TunerResult) -> SearchTarget {
    let below = ours.trialsBelow(random)
    return SearchTarget(
      what:
        "\(ours.search.rawValue): \(ours.tuner)'s median is below random's after \(below) of the "
        + "trials behind the tenth (0)",
      isMet: below == 0)
  }

  static func better(than random: TunerResult, _ ours: TunerResult) -> SearchTarget {
    let (wins, seeds) = ours.wins(over: random)
    return SearchTarget(
      what: "\(ours.search.rawValue): \(ours.tuner)'s final score beats random's in \(wins) of "
        + "\(seeds) seeds (9 of 10)",
      isMet: wins * 10 >= seeds * 9)
  }

  static func sooner(than bayesian: TunerResult, _ ours: TunerResult) -> SearchTarget {
    let trials = ours.trials(to: bayesian.final)
    let limit = bayesian.search.trials / 3
    return SearchTarget(
      what: "\(ours.search.rawValue): \(ours.tuner) reaches bayesian's median final score "
        + (trials.map { "in \($0) trials" } ?? "in no trial") + " (\(limit))",
      isMet: trials.map { $0 <= limit } ?? false)
  }

  static func interactions(_ share: Double, in search: ComparedSearch) -> SearchTarget {
    SearchTarget(
      what: "\(search.rawValue): interactions carry \(BenchTable.number(100 * share)) % of the "
        + "score's variance" + (search.slots == nil ? "" : " (30)"),
      isMet: search.slots == nil || share >= 0.3)
  }
}
