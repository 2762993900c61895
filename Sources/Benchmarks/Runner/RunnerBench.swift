//! The measurements of the runner's benchmark: each tool on a fresh copy of the workload. Knows no
//! table.

import Files

/// What one tool did with so many jobs, all rounds together.
struct RunnerFigures {
  let tool: RunnerTool
  let jobs: Int
  let chains: Int
  var version = ""
  /// By what was measured, a value a round.
  private(set) var values: [String: [Double]] = [:]
  /// Stages that ran, by what was measured; of the last round.
  var executions: [String: Int] = [:]

  init(tool: RunnerTool, jobs: Int, chains: Int) {
    self.tool = tool
    self.jobs = jobs
    self.chains = chains
  }

  mutating func add(_ value: Double, to what: String) { values[what, default: []].append(value) }

  func median(_ what: String) -> Double? { values[what].flatMap { $0.isEmpty ? nil : $0.median } }
}

/// Why a measurement does not count.
enum RunnerBenchError: Error, CustomStringConvertible {
  case failed(what: String, code: Int32, said: String)
  case wrongExecutions(what: String, found: Int, expected: Int)

  var description: String {
    switch self {
    case .failed(let what, let code, let said): "\(what) ended with code \(code): \(said)"
    case .wrongExecutions(let what, let found, let expected):
      "\(what) ran \(found) stages, not \(expected)"
    }
  }
}

/// Measures one tool after the other in folders of its own.
struct RunnerBench {
  /// A tool whose cold run takes longer is measured once.
  private static let slowSeconds = 30.0

  let shiftwork: String
  let folder: String
  let repeats: Int
  let variables: [String: String]

  private func run(_ words: [String], in folder: String, _ what: String) throws -> TimedProcess {
    let process = try TimedProcess(words, in: folder, variables: variables)
    guard process.code == 0 else {
      throw RunnerBenchError.failed(what: what, code: process.code, said: process.said)
    }
    return process
  }

  /// What the tool says of its version.
  func version(of tool: RunnerTool) throws -> String {
    guard let words = tool.version(shiftwork: shiftwork) else { return "" }
    return try run(words, in: folder, "\(tool.rawValue) --version").said
  }

  /// Milliseconds from nothing to the version and the end.
  func startUp(of tool: RunnerTool) throws -> Double? {
    guard let words = tool.version(shiftwork: shiftwork) else { return nil }
    return try median("\(tool.rawValue) --version", words, in: folder) * 1000
  }

  /// One round: a cold run, runs with nothing to do, and one after a parameter was changed.
  func measure(_ figures: inout RunnerFigures) throws {
    let (tool, jobs) = (figures.tool, figures.jobs)
    let workload = RunnerWorkload(chains: figures.chains)
    // It stays to the end: file systems look twice at what was just deleted before they give it away
    // anew (ext4 for seconds), and whoever comes next would pay for that with each new file.
    let place = try Files.temporaryDirectory(in: folder, prefix: tool.rawValue)
    try workload.write(for: tool, to: place)
    if let preparation = tool.preparation { _ = try run(preparation, in: place, "preparing") }
    let words = tool.run(jobs: jobs, shiftwork: shiftwork)
    let name = "\(tool.rawValue) -j\(jobs)"

    let cold = try run(words, in: place, "\(name), cold")
    figures.add(cold.seconds, to: "cold_s")
    try count("cold", expected: workload.stages, in: place, before: 0, &figures)
    guard tool.remembers else { return }

    let before = RunnerWorkload.executions(in: place)
    figures.add(try median("\(name), nothing to do", words, in: place) * 1000, to: "noop_ms")
    try count("noop", expected: 0, in: place, before: before, &figures)

    try workload.change(for: tool, in: place)
    let change = try run(words, in: place, "\(name), one parameter")
    figures.add(change.seconds * 1000, to: "change_ms")
    try count(
      "change", expected: RunnerWorkload.dependents, in: place, before: before, &figures)
  }

  /// Seconds of what only shiftwork is asked, a value a run.
  func measure(_ scale: RunnerScale) throws -> [Double] {
    let place = try Files.temporaryDirectory(in: folder, prefix: scale.rawValue)
    defer { try? Files.remove(place) }
    try scale.write(to: place)
    return try (0..<repeats).map { _ in
      try run([shiftwork] + scale.arguments, in: place, scale.rawValue).seconds
    }
  }

  /// Whether another round would take too long.
  func isSlow(_ figures: RunnerFigures) -> Bool {
    (figures.median("cold_s") ?? 0) > Self.slowSeconds
  }

  private func count(
    _ what: String, expected: Int, in place: String, before: Int, _ figures: inout RunnerFigures
  ) throws {
    let found = RunnerWorkload.executions(in: place) - before
    figures.executions[what] = found
    guard found == expected else {
      throw RunnerBenchError.wrongExecutions(
        what: "\(figures.tool.rawValue) -j\(figures.jobs), \(what),", found: found,
        expected: expected)
    }
  }

  /// Seconds, the median of some runs after one that brings files into memory.
  private func median(_ what: String, _ words: [String], in place: String) throws -> Double {
    let runs = try (0...repeats).map { _ in try run(words, in: place, what).seconds }
    return Array(runs.dropFirst()).median
  }
}
