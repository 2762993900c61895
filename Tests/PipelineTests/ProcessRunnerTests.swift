//! A shell script as the worker: events, logs, failures, and the end of either side.

import Files
import Glibc
import Pipeline
import Testing

@Suite struct ProcessRunnerTests {
  /// A worker whose body knows `$output`.
  private func worker(_ body: String, _ bench: Bench) throws -> ProcessRunner {
    let script = """
      #!/bin/sh
      output=$(sed -n 's/.*"output" : "\\(.*\\)",*$/\\1/p' "$1")
      \(body)
      """
    let path = try bench.write(script, to: "worker.sh")
    #expect(chmod(path, 0o755) == 0)
    return ProcessRunner(worker: path)
  }

  private func run(
    _ runner: ProcessRunner, _ bench: Bench, observer: @escaping @Sendable (SchedulerEvent) -> Void
  ) async throws -> RunSummary {
    let store = try bench.store()
    var stage = stage("a")
    stage.environment = ["OF_THE_STAGE": "asked for"]
    let plan = try Plan(graph: StageGraph([stage]), store: store)
    return await Scheduler(store: store, runner: runner, observer: observer).run(plan)
  }

  private func contents(_ path: String) -> String {
    (try? Files.read(path, limit: 1 << 20)).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  @Test func eventsMetricsAndLog() async throws {
    let bench = try Bench()
    let runner = try worker(
      """
      echo '{"event":"progress","epoch":1,"epochs":2,"samples_per_second":8.5}'
      echo 'a library prints'
      echo 'to the log' >&2
      echo "$OF_THE_STAGE $HOME" > "$output/env.txt"
      printf '{"event":"metrics","metrics":{"accuracy":0.5}}'
      """, bench)
    let log = EventLog()
    let summary = try await run(runner, bench) { log.add($0) }
    #expect(summary.failures == [])
    #expect(log.lines == ["a running", "a progress", "a done"])
    let record = try #require(summary.records["a"])
    #expect(record.metrics["accuracy"] == .double(0.5))
    let store = try bench.store()
    let home = getenv("HOME").map { String(cString: $0) } ?? ""
    #expect(contents(store.path(of: record.artifact) + "/env.txt") == "asked for \(home)\n")
    let lines = contents(store.logPath(for: record.keys[1])).split(separator: "\n").sorted()
    #expect(lines == ["a library prints", "to the log"])
  }

  @Test func aFailureSaysWhyAndShowsTheLog() async throws {
    let bench = try Bench()
    let runner = try worker(
      """
      echo 'last words' >&2
      echo '{"event":"failure","message":"the data are wrong"}'
      exit 1
      """, bench)
    let failure = try #require(try await run(runner, bench) { _ in }.failures.first)
    #expect(failure.message == "the data are wrong")
    #expect(failure.logTail == ["last words"])
  }

  @Test(arguments: [
    ("exit 7", "the worker exited with code 7"),
    ("kill -SEGV $$", "the worker was ended by signal 11"),
    (
      "head -c 3000000 /dev/zero | tr '\\0' x",
      "the worker printed a line of more than 1048576 bytes where an event was due"
    ),
  ])
  func otherEnds(body: String, message: String) async throws {
    let bench = try Bench()
    let summary = try await run(worker(body, bench), bench) { _ in }
    #expect(summary.failures.map(\.message) == [message])
  }

  @Test func aMissingWorkerIsAFailure() async throws {
    let bench = try Bench()
    let summary = try await run(ProcessRunner(worker: "/nowhere/worker"), bench) { _ in }
    #expect(summary.failures.first?.message.hasPrefix("cannot start /nowhere/worker") == true)
  }

  @Test func cancellationEndsTheWorkerAndItsChildren() async throws {
    let bench = try Bench()
    let runner = try worker(
      """
      sleep 100 &
      echo $$ $! > '\(bench.folder)/pids'
      echo '{"event":"progress"}'
      wait
      """, bench)
    let log = EventLog()
    let task = Task { try await run(runner, bench) { log.add($0) } }
    while !log.lines.contains("a progress") { try await Task.sleep(for: .milliseconds(5)) }
    task.cancel()
    #expect(try await task.value.exitCode == 130)
    let pids = contents(bench.folder + "/pids").split(whereSeparator: \.isWhitespace)
      .compactMap { pid_t($0) }
    #expect(pids.count == 2)
    for pid in pids {
      for _ in 0..<200 where isAlive(pid) { try await Task.sleep(for: .milliseconds(10)) }
      #expect(!isAlive(pid))
    }
  }

  @Test func theWorkersInputStaysOpenWhileTheRunnerLives() async throws {
    let bench = try Bench()
    let runner = try worker(
      """
      # A shell gives what runs in the background no input, unless told by another number.
      exec 3<&0
      (cat <&3 > /dev/null; touch '\(bench.folder)/input-ended') &
      sleep 0.2
      test -e '\(bench.folder)/input-ended' && exit 9
      echo "$\(ProcessRunner.inputVariable)" > "$output/variable"
      """, bench)
    let summary = try await run(runner, bench) { _ in }
    #expect(summary.failures == [])
    for _ in 0..<200 where !Files.exists(bench.folder + "/input-ended") {
      try await Task.sleep(for: .milliseconds(10))
    }
    #expect(Files.exists(bench.folder + "/input-ended"))
  }

  /// Whether a process runs; one that nobody has reaped yet does not.
  private func isAlive(_ pid: pid_t) -> Bool {
    let status = contents("/proc/\(pid)/stat")
    guard let end = status.lastIndex(of: ")") else { return false }
    return !status[end...].hasPrefix(") Z")
  }
}
