//! Runs a measurement in a process of its own, this program's or QKeras's, or two by turns, within a
//! time limit. Knows no network.

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
  static let outputLimit = 16 << 20
  /// Seconds of steps in a turn: few, so that both sides see the same machine.
  private static let turnSeconds = 0.5

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
    let (program, arguments) = Self.command(
      measurement, network, python: python, options: ["--seconds", "\(seconds)"])
    var figures = try await Self.figures(
      of: measurement.title, title: measurement.name, program, arguments, within: left)
    if figures == nil { isOutOfTime = true }
    // A host may move a machine's processors between measurements, to and from a common cache.
    figures?.add("handover_ns", ck_handover())
    return figures
  }

  /// Our step and QKeras's, a stretch of steps each by turns, so that noise of the machine meets both.
  ///
  /// - Returns: nil where the time is up; QKeras's error where it alone failed.
  func runByTurns(
    threads: Int, of network: String
  ) async throws -> (ours: Figures, qkeras: Result<Figures, MeasurementError>)? {
    let left = deadline - .now
    guard left > .zero else {
      isOutOfTime = true
      return nil
    }
    let (seconds, python) = (min(seconds, Self.turnSeconds), python)
    let takers = [Measurement.step(threads: threads), .qkeras(threads: threads)].map { one in
      TurnTaker(measurement: one) {
        Self.command(
          one, network, python: python, options: ["--seconds", "\(seconds)", "--by-turns"])
      }
    }
    let turns = Int((self.seconds / seconds).rounded(.up))
    let figures = try await Self.within(left) {
      try await TurnTaking.run(takers[0], takers[1], turns: turns)
    }
    if figures == nil { isOutOfTime = true }
    return figures.map { ($0.first, $0.second) }
  }

  /// What a program prints behind `title`; nil where it had to be ended.
  static func figures(
    of what: String, title: String, _ program: String, _ arguments: [String],
    within limit: Duration
  ) async throws -> Figures? {
    let outcome: (status: TerminationStatus, out: String, error: String)?
    do {
      outcome = try await within(limit) { try await start(program, arguments) }
    } catch let error as SubprocessError {
      throw MeasurementError.notStarted(program: program, why: "\(error)")
    }
    guard let outcome else { return nil }
    try check(outcome.status, of: what, error: outcome.error)
    for line in outcome.out.split(separator: "\n") {
      if let figures = Figures(line: line, title: title) { return figures }
    }
    throw MeasurementError.noFigures(what: what, said: lastLine(outcome.error))
  }

  static func check(_ status: TerminationStatus, of what: String, error: String) throws {
    let said = lastLine(error)
    switch status {
    case .exited(0): break
    case .exited(let code):
      throw MeasurementError.ended(what: what, how: "ended with code \(code)", said: said)
    case .signaled(let signal):
      throw MeasurementError.ended(what: what, how: "was ended by signal \(signal)", said: said)
    }
  }

  static func lastLine(_ text: String) -> String {
    text.split(separator: "\n").last.map(String.init) ?? ""
  }

  /// A virtual machine's host may take free memory back within seconds, and be a second about giving half
  /// a gigabyte again when it is touched, which is no part of a first step. Freed pages are what the
  /// kernel gives next.
  private static func touchMemory() {
    let page = sysconf(Int32(_SC_PAGESIZE))
    // A container's limit, where it has one.
    let limit =
      (try? Files.read("/sys/fs/cgroup/memory.max", limit: 1 << 10))
      .flatMap { Int(String(decoding: $0, as: UTF8.self).filter { !$0.isWhitespace }) }
    let bytes = min(sysconf(Int32(_SC_AVPHYS_PAGES)) * page / 2, (limit ?? .max) / 4, 1 << 30)
    guard bytes > 0,
      let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      memory != MAP_FAILED
    else { return }
    madvise(memory, bytes, Int32(MADV_HUGEPAGE))
    for place in stride(from: 0, to: bytes, by: page) {
      memory.storeBytes(of: 1, toByteOffset: place, as: UInt8.self)
    }
    munmap(memory, bytes)
  }

  /// The program and its arguments for a process that starts now.
  private static func command(
    _ measurement: Measurement, _ network: String, python: String?, options: [String]
  ) -> (String, [String]) {
    touchMemory()
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    let all =
      [
        "--threads", "\(measurement.threads)", "--started",
        "\(Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9)",
      ] + options
    if case .qkeras = measurement, let python { return (python, [script, network] + all) }
    return ("/proc/self/exe", ["measure", measurement.name, network] + all)
  }

  static var environment: Environment { .inherit.updating(["TF_CPP_MIN_LOG_LEVEL": "3"]) }

  static var platformOptions: PlatformOptions {
    var options = PlatformOptions()
    options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(2))]
    return options
  }

  private static func start(
    _ program: String, _ arguments: [String]
  ) async throws -> (status: TerminationStatus, out: String, error: String) {
    let result = try await Subprocess.run(
      .path(FilePath(program)), arguments: Arguments(arguments), environment: environment,
      platformOptions: platformOptions, output: .string(limit: outputLimit),
      error: .string(limit: outputLimit))
    return (result.terminationStatus, result.standardOutput, result.standardError)
  }

  /// nil where it had to be ended.
  private static func within<Value: Sendable>(
    _ limit: Duration, _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value? {
    try await withThrowingTaskGroup(of: Value?.self) { group in
      group.addTask { try await body() }
      group.addTask {
        try await Task.sleep(for: limit)
        return nil
      }
      defer { group.cancelAll() }
      return try await group.next() ?? nil
    }
  }
}
