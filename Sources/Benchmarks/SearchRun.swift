//! One search by one tuner, and its line in a CSV file. Knows no tuner.

import Files

struct SearchRun {
  var tuner: String
  var slots: Int
  var seed: Int
  var trials: Int
  /// The best score there is.
  var optimum: Double
  /// Of the tuner alone.
  var seconds = 0.0
  /// Trials from 0 that looked better than all before them, and their scores without noise.
  var steps: [(trial: Int, score: Double)] = []

  /// The best-looking trial's score after each trial.
  var curve: [Double] {
    var curve = [Double](repeating: 0, count: trials)
    for (index, step) in steps.enumerated() {
      let next = index + 1 < steps.count ? steps[index + 1].trial : trials
      for trial in step.trial..<next { curve[trial] = step.score }
    }
    return curve
  }

  private static let header = "tuner,slots,seed,trials,optimum,seconds,steps"

  static func csv(_ runs: [SearchRun]) -> String {
    let lines = runs.map { run in
      let steps = run.steps.map { "\($0.trial):\($0.score)" }.joined(separator: " ")
      return "\(run.tuner),\(run.slots),\(run.seed),\(run.trials),\(run.optimum),"
        + "\(run.seconds),\(steps)"
    }
    return ([header] + lines).map { $0 + "\n" }.joined()
  }

  static func parse(_ bytes: [UInt8], in path: String) throws -> [SearchRun] {
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    guard lines.first.map(String.init) == header else { throw SearchRunError(path: path, line: 1) }
    return try lines.enumerated().dropFirst().map { index, line in
      guard let run = SearchRun(line) else { throw SearchRunError(path: path, line: index + 1) }
      return run
    }
  }

  private init?(_ line: Substring) {
    let fields = line.split(separator: ",", omittingEmptySubsequences: false)
    guard fields.count == 7, let slots = Int(fields[1]), let seed = Int(fields[2]),
      let trials = Int(fields[3]), (1...100_000).contains(trials),
      let optimum = Double(fields[4]), let seconds = Double(fields[5])
    else { return nil }
    var steps: [(trial: Int, score: Double)] = []
    for field in fields[6].split(separator: " ") {
      let parts = field.split(separator: ":")
      guard parts.count == 2, let trial = Int(parts[0]), let score = Double(parts[1]),
        trial > steps.last?.trial ?? -1, trial < trials
      else { return nil }
      steps.append((trial, score))
    }
    self.init(
      tuner: String(fields[0]), slots: slots, seed: seed, trials: trials, optimum: optimum)
    self.seconds = seconds
    self.steps = steps
  }

  init(tuner: String, slots: Int, seed: Int, trials: Int, optimum: Double) {
    self.tuner = tuner
    self.slots = slots
    self.seed = seed
    self.trials = trials
    self.optimum = optimum
  }
}

struct SearchRunError: Error, CustomStringConvertible {
  let path: String
  let line: Int

  var description: String { "\(path):\(line): no run of a search" }
}
