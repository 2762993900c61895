//! Runs a measurement in a process of its own, this program's or QKeras's, within a time limit. Knows
//! no network.

import CKernels
import Files
import Glibc
import Subprocess
import SystemPackage

/// Why a measurement gave nothing.
enum MeasurementError: Error, CustomStringConvertible {
  case noScript(path: String)
  case notStarted(program: String, why: String)
  case ended(what: String, how: String, said: String)
  case noFigures(what: String, said: String)

  var description: String {
    switch self {
    case .noScript(let path):
      "\(path) is not there: a comparison with Python wants the top folder of a checkout"
    case .notStarted(let program, let why): "\(program) was not started: \(why)"
    case .ended(let what, let how, let said):
      "\(what) \(how)" + (said.isEmpty ? "" : "; it said last: \(said)")
    case .noFigures(let what, let said):
      "\(what) printed no figures" + (said.isEmpty ? "" : "; it said last: \(said)")
    }
  }
}

/// Runs measurements one after the other until the limit.
final class MeasurementRunner {
  /// QKeras's half, relative to the top of the checkout.
  private static let script = "Tests/Fixtures/golden/qkeras_step.py"
  private static let outputLimit = 16 << 20

  let python: String?
  private let seconds: Double
  private let deadline: ContinuousClock.Instant
  private(set) var isOutOfTime = false

  init(python: String?, seconds: Double, limit: Duration) throws {
    if python != nil, !Files.exists(Self.script) {
      throw MeasurementError.noScript(path: Self.script)
    }
    self.python = python
    self.seconds = seconds
    deadline = .now + limit
  }

  /// nil where the time is up.
  func run(_ measurement: Measurement, of network: String) async throws -> Figures? {
    let left = deadline - .now
    guard left > .zero else {
      isOutOfTime = true
      return nil
    }
    let (program, arguments) = command(measurement, network)
    var figures = try await Self.figures(
      of: "\(measurement.name) on \(measurement.threads) threads", title: measurement.name,
      program, arguments, within: left)
    if figures == nil { isOutOfTime = true }
    // A host may move a machine's processors between measurements, to and from a common cache.
    figures?.add("handover_ns", ck_handover())
    return figures
  }

  /// What a program prints behind `title`; nil where it had to be ended.
  static func figures(
    of what: String, title: String, _ program: String, _ arguments: [String],
    within limit: Duration
  ) async throws -> Figures? {
    let outcome: (status: TerminationStatus, out: String, error: String)?
    do {
      outcome = try await start(program, arguments, for: limit)
    } catch let error as SubprocessError {
      throw MeasurementError.notStarted(program: program, why: "\(error)")
    }
    guard let outcome else { return nil }
    let said = outcome.error.split(separator: "\n").last.map(String.init) ?? ""
    switch outcome.status {
    case .exited(0): break
    case .exited(let code):
      throw MeasurementError.ended(what: what, how: "ended with code \(code)", said: said)
    case .signaled(let signal):
      throw MeasurementError.ended(what: what, how: "was ended by signal \(signal)", said: said)
    }
    for line in outcome.out.split(separator: "\n") {
      if let figures = Figures(line: line, title: title) { return figures }
    }
    throw MeasurementError.noFigures(what: what, said: said)
  }

  private func command(_ measurement: Measurement, _ network: String) -> (String, [String]) {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    let options = [
      "--threads", "\(measurement.threads)", "--seconds", "\(seconds)", "--started",
      "\(Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9)",
    ]
    if case .qkeras = measurement, let python {
      return (python, [Self.script, network] + options)
    }
    return ("/proc/self/exe", ["measure", measurement.name, network] + options)
  }

  /// nil where it had to be ended.
  private static func start(
    _ program: String, _ arguments: [String], for limit: Duration
  ) async throws -> (status: TerminationStatus, out: String, error: String)? {
    try await withThrowingTaskGroup(
      of: (status: TerminationStatus, out: String, error: String)?.self
    ) { group in
      group.addTask {
        var options = PlatformOptions()
        options.teardownSequence = [
          .gracefulShutDown(allowedDurationToNextStep: .seconds(2))
        ]
        let result = try await Subprocess.run(
          .path(FilePath(program)), arguments: Arguments(arguments),
          environment: .inherit.updating(["TF_CPP_MIN_LOG_LEVEL": "3"]), platformOptions: options,
          output: .string(limit: outputLimit), error: .string(limit: outputLimit))
        return (
          result.terminationStatus, result.standardOutput, result.standardError
        )
      }
      group.addTask {
        try await Task.sleep(for: limit)
        return nil
      }
      defer { group.cancelAll() }
      return try await group.next() ?? nil
    }
  }
}
