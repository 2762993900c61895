//! The comparison of networks, round after round: which process measures what, and when to stop.
//! Knows nothing of how a time is taken.

import ArgumentParser
import Diagnostics
import Files
import Glibc
import Networks

struct CompareCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Measures networks, each number in a process of its own, and prints a table.",
    discussion: """
      A quantization-aware step is forward, loss, backward and Adam with flat 8-bit kernels and \
      feature maps, 31-bit biases and auto_po2 scales, batch normalization folded. Its roofline is the \
      sum over layers of the bare oneDNN convolutions, each in its fastest layout: 2 forward, 2 by data \
      (none for the first layer) and 1 by kernel, 1 of each for a layer without batch normalization.

      With a Python that has QKeras 0.9.0, Keras's own fit loop is timed by turns with ours, half a \
      second each, so that noise of the machine meets both. The table also goes to OUTPUT/bench.csv, \
      every measurement of every round to OUTPUT/rounds.csv.
      """)

  @Option(
    parsing: .upToNextOption, help: "Networks, of \(Network.kinds.joined(separator: ", ")).")
  var networks: [String] = Network.kinds

  @Option(help: "Threads of a measurement; a step is also timed on one thread.")
  var threads = sysconf(Int32(_SC_NPROCESSORS_ONLN))

  @Option(help: "Measurements of everything; the table has the medians.")
  var rounds = 3

  @Option(help: "Seconds of steps in a measurement.")
  var seconds = 5.0

  @Option(
    help: """
      A Python with QKeras 0.9.0 and TensorFlow 2.12. Where its process takes more than two minutes \
      there is no second round of the steps. (default: $QKERAS_PYTHON)
      """)
  var qkeras: String?

  @Option(help: "When so much time has gone, nothing more is started and what runs is ended.")
  var limitMinutes = 45.0

  @Flag(help: "Print where the time of our step goes, too, kind by kind of operation.")
  var profile = false

  @Option(help: "The folder for the CSV files.")
  var output = "results/bench"

  func validate() throws {
    for name in networks where Network.named(name) == nil {
      let hint = closest(to: name, among: Network.kinds).map { " (did you mean `\($0)`?)" } ?? ""
      throw ValidationError("no network is called `\(name)`\(hint)")
    }
    guard (1...1024).contains(threads) else {
      throw ValidationError("--threads must be 1 to 1024")
    }
    guard (1...100).contains(rounds) else { throw ValidationError("--rounds must be 1 to 100") }
    guard seconds > 0, seconds <= 600 else {
      throw ValidationError("--seconds must be more than 0, at most 600")
    }
    guard limitMinutes > 0, limitMinutes <= 10_000 else {
      throw ValidationError("--limit-minutes must be more than 0, at most 10000")
    }
  }

  func run() async throws {
    let python = qkeras ?? getenv("QKERAS_PYTHON").map { String(cString: $0) }
    let runner = try MeasurementRunner(
      python: python.flatMap { $0.isEmpty ? nil : $0 }, seconds: seconds,
      limit: .seconds(limitMinutes * 60))
    try Files.createDirectories(output)
    var results = networks.map { NetworkResult(network: $0, threads: threads) }
    var failures: [String] = []
    for round in 1...rounds {
      for index in results.indices {
        failures += try await measureSteps(&results[index], round: round, runner)
        for measurement in measurements(for: results[index], round: round) {
          do {
            guard let figures = try await runner.run(measurement, of: results[index].network)
            else { continue }
            results[index].add(figures, of: measurement, round: round)
          } catch let error as MeasurementError {
            failures.append(Self.tell(error, of: results[index]))
          }
        }
        try write(results)
      }
    }
    let rows = results.map(\.row)
    for line in BenchTable.text(rows) { Console.write(line) }
    if profile { for result in results { result.profile.map { Console.write($0) } } }
    Console.write("\(output)/bench.csv, \(output)/rounds.csv")
    if runner.isOutOfTime { Console.write("the time limit cut measurements off", isError: true) }
    guard failures.isEmpty, !runner.isOutOfTime else { throw ExitCode.failure }
  }

  /// Our steps, by turns with QKeras's where there is one; returns what failed.
  private func measureSteps(
    _ result: inout NetworkResult, round: Int, _ runner: MeasurementRunner
  ) async throws -> [String] {
    let (ours, theirs) = (Measurement.step(threads: threads), Measurement.qkeras(threads: threads))
    do {
      if runner.python != nil, round == 1 || result.has(theirs) {
        // Steps that ran alone would mix with those that ran by turns.
        guard result.wantsQKerasAgain else { return [] }
        guard let figures = try await runner.runByTurns(threads: threads, of: result.network)
        else { return [] }
        result.add(figures.ours, of: ours, round: round)
        result.add(try figures.qkeras.get(), of: theirs, round: round)
      } else if runner.python == nil, round == 1 || result.has(ours) {
        guard let figures = try await runner.run(ours, of: result.network) else { return [] }
        result.add(figures, of: ours, round: round)
      }
    } catch let error as MeasurementError {
      return [Self.tell(error, of: result)]
    }
    return []
  }

  /// What is measured beside the steps. What failed once is not tried again.
  private func measurements(for result: NetworkResult, round: Int) -> [Measurement] {
    var all: [Measurement] = [.inference(threads: threads), .roofline(threads: threads)]
    if threads > 1 { all.append(.step(threads: 1)) }
    if profile, round == 1 { all.append(.profile(threads: threads)) }
    return round == 1 ? all : all.filter { result.has($0) }
  }

  private static func tell(_ error: MeasurementError, of result: NetworkResult) -> String {
    let line = "\(result.network): \(error)"
    Console.write(line, isError: true)
    return line
  }

  private func write(_ results: [NetworkResult]) throws {
    try Files.writeAtomically(BenchTable.csv(results.map(\.row)), to: output + "/bench.csv")
    try Files.writeAtomically(BenchTable.roundsCSV(results), to: output + "/rounds.csv")
  }
}
