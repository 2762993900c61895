//! One search by one tuner, and its line in a CSV file. Knows no tuner.

import Files

struct SearchRun {
  var search: ComparedSearch
  var tuner: String
  var seed: Int
  var trials: Int
  /// The best score there is.
  var optimum: Double
  /// Of the tuner alone, on a processor.
  var seconds = 0.0
  /// Trials from 0 that looked better than all before them, and their scores without noise.
  var steps: [(trial: Int, score: Double)] = []

  init(search: ComparedSearch, tuner: String, seed: Int, optimum: Double) {
    self.search = search
    self.tuner = tuner
    self.seed = seed
    trials = search.trials
    self.optimum = optimum
  }

  /// The best-looking trial's score after each trial.
  var curve: [Double] {
    var curve = [Double](repeating: 0, count: trials)
    for (index, step) in steps.enumerated() {
      let next = index + 1 < steps.count ? steps[index + 1].trial : trials
      for trial in step.trial..<next { curve[trial] = step.score }
    }
    return curve
  }

  private static let header = "search,tuner,seed,trials,optimum,seconds,steps"

  static func csv(_ runs: [SearchRun]) -> String {
    let lines = runs.map { run in
      let steps = run.steps.map { "\($0.trial):\(rounded($0.score))" }.joined(separator: " ")
      return "\(run.search.rawValue),\(run.tuner),\(run.seed),\(run.trials),"
        + "\(rounded(run.optimum)),\(rounded(run.seconds)),\(steps)"
    }
    return ([header] + lines).map { $0 + "\n" }.joined()
  }

  private static func rounded(_ value: Double) -> Double { (value * 1e6).rounded() / 1e6 }

  static func parse(_ bytes: [UInt8], in path: String) throws -> [SearchRun] {
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    guard lines.first.map(String.init) == header else { throw SearchRunError(path: path, line: 1) }
    return try lines.enumerated().dropFirst().map { index, line in
      guard let run = SearchRun(line) else { throw SearchRunError(path: path, line: index + 1) }
      return run
    }
  }

  /// Nil for what is no run of a present search with its present budget.
  private init?(_ line: Substring) {
    let fields = line.split(separator: ",", omittingEmptySubsequences: false)
    guard fields.count == 7, let search = ComparedSearch(rawValue: String(fields[0])),
      let seed = Int(fields[2]), Int(fields[3]) == search.trials, let optimum = Double(fields[4]),
      let seconds = Double(fields[5])
    else { return nil }
    self.init(search: search, tuner: String(fields[1]), seed: seed, optimum: optimum)
    self.seconds = seconds
    for field in fields[6].split(separator: " ") {
      let parts = field.split(separator: ":")
      guard parts.count == 2, let trial = Int(parts[0]), let score = Double(parts[1]),
        trial > steps.last?.trial ?? -1, trial < trials
      else { return nil }
      steps.append((trial, score))
    }
  }
}

struct SearchRunError: Error, CustomStringConvertible {
  let path: String
  let line: Int

  var description: String { "\(path):\(line): no run of a search of this benchmark" }
}
