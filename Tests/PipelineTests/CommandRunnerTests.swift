//! Programs as stages: their words, outputs, metrics, failures, and the end of all they started.

import Files
import Glibc
import Pipeline
import Synchronization
import Testing

@Suite struct CommandRunnerTests {
  private let bench: Bench

  init() throws { bench = try Bench() }

  private func command(
    _ name: String, _ text: [Command.Piece], outputs: [String] = [], needs: [String] = [],
    file: String? = nil, retries: Int = 0
  ) -> Stage {
    var stage = stage(name, needs: needs, file: file)
    stage.command = Command(shell: text, directory: bench.folder, outputs: outputs)
    stage.retries = retries
    return stage
  }

  private func run(
    _ stages: [Stage], options: Scheduler.Options = Scheduler.Options(jobs: 2, cores: 2),
    log: EventLog = EventLog()
  ) async throws -> RunSummary {
    let store = try bench.store()
    let plan = try Plan(graph: StageGraph(stages), store: store)
    return await Scheduler(
      store: store, runner: StageDispatcher(worker: nil), options: options,
      observer: { log.add($0) }
    ).run(plan)
  }

  private func contents(_ path: String) -> String {
    (try? Files.read(path, limit: 1 << 20)).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  private func output(_ name: String, of stage: String, in summary: RunSummary) throws -> String {
    let record = try #require(summary.records[stage])
    return contents(try bench.store().path(of: record.artifact) + "/" + name)
  }

  @Test func aChainOfPrograms() async throws {
    let file = try bench.write("data\n", to: "it's data.txt")
    let stages = [
      command(
        "a", [.text("cat "), .input("data"), .text(" > "), .output, .text("/o; pwd; echo e >&2")],
        file: file),
      command(
        "b", [.text("cat "), .input("a"), .text("/o > "), .output, .text("/o")], needs: ["a"]),
    ]
    let summary = try await run(stages)
    #expect(summary.failures == [])
    #expect(try output("o", of: "b", in: summary) == "data\n")
    let record = try #require(summary.records["a"])
    #expect(contents(try bench.store().logPath(for: record.keys[1])) == bench.folder + "\ne\n")
    #expect(try await run(stages).ran == [])
  }

  @Test func wordsGoToTheProgramAsTheyAre() async throws {
    var stage = command("a", [])
    stage.command = Command(
      words: [
        [.text("sh")], [.text("-c")], [.text("echo \"$1 $2\" > \"$0/o\"")], [.output],
        [.text("a b")], [.text("$HOME")],
      ],
      quotesPaths: false, directory: bench.folder)
    #expect(try output("o", of: "a", in: try await run([stage])) == "a b $HOME\n")
  }

  /// The shell is left out where it would only pass words on; nobody should see a difference.
  @Test(arguments: [
    ("sh step a  b", "2 a b"), ("exit 0", ""), ("sh step 'a  b'", "1 a  b"),
    (" sh step x=1 ", "1 x=1"),
    ("NAME=v sh step $NAME", "0"), ("cd .", ""), ("echo -e x > out", "-e x"),
  ])
  func textsAreTheShells(text: String, expected: String) async throws {
    _ = try bench.write("echo \"$#${1+ }$*\" > out", to: "step")
    _ = try bench.write("", to: "out")
    #expect(try await run([command("a", [.text(text)])]).failures == [])
    #expect(contents(bench.folder + "/out") == (expected.isEmpty ? "" : expected + "\n"))
  }

  @Test func itsEnvironmentIsOursAndTheStages() async throws {
    var stage = command("a", [.text("echo \"$OF_STAGE $HOME\" > "), .output, .text("/o")])
    stage.environment = ["OF_STAGE": "x"]
    let home = getenv("HOME").map { String(cString: $0) } ?? ""
    #expect(try output("o", of: "a", in: try await run([stage])) == "x \(home)\n")
  }

  @Test func numbersOfMetricsAreMetrics() async throws {
    let text = #"{"accuracy": 0.5, "bits": {"total": 7, "note": "x"}, "list": [1]}"#
    let metrics = command("a", [.text("echo '\(text)' > "), .output, .text("/metrics.json")])
    let torn = command("b", [.text("echo '{\"a\":' > "), .output, .text("/metrics.json")])
    let summary = try await run([metrics, torn])
    #expect(
      summary.records["a"]?.metrics
        == .object(["accuracy": .double(0.5), "bits": .object(["total": .int(7)])]))
    #expect(summary.records["b"]?.metrics == .object([:]))
  }

  @Test func nothingIsAFairOutput() async throws {
    let stages = [
      command("a", [.text("true")]), command("b", [.text("ls "), .input("a")], needs: ["a"]),
    ]
    let summary = try await run(stages)
    #expect(summary.failures == [])
    #expect(try await run(stages).ran == [])
    let record = try #require(summary.records["a"])
    try Files.remove(bench.store().path(of: record.artifact))
    #expect(try bench.plan(stages).words[0].hasPrefix("a run: output "))
  }

  @Test(arguments: [
    ("exit 7", "the command exited with code 7"),
    ("kill -SEGV $$", "the command was ended by signal 11"),
    ("no-such-program-at-all", "the command exited with code 127: a program in it was not found"),
    ("true", "the command ended without writing `deep/two`, `one`"),
  ])
  func failures(text: String, message: String) async throws {
    let stage = command("a", [.text("echo last; \(text)")], outputs: ["deep/two", "one"])
    let failure = try #require(try await run([stage]).failures.first)
    #expect(failure.message == message)
    #expect(failure.logTail.contains("last"))
  }

  @Test func whatCannotStartSaysSo() async throws {
    var stage = command("a", [])
    stage.command = Command(
      words: [[.text("/nowhere/program")]], quotesPaths: false, directory: bench.folder)
    #expect(
      try await run([stage]).failures.map(\.message) == [
        "cannot start `/nowhere/program`: No such file or directory"
      ])
  }

  @Test func failedStagesAreTriedAgain() async throws {
    let text = "echo x >> tries; test $(wc -l < tries) -ge 3 && echo y > "
    let stage = command("a", [.text(text), .output, .text("/o")], retries: 2)
    let log = EventLog()
    let summary = try await run([stage], log: log)
    #expect(summary.exitCode == 0)
    #expect(log.lines == ["a running", "a retrying", "a retrying", "a done"])
    try Files.remove(bench.folder + "/tries")
    let other = command("b", [.text(text), .output, .text("/o")])
    #expect(try await run([other], options: Scheduler.Options(retries: 1)).exitCode == 1)
  }

  @Test func whatACommandLeavesRunningIsEnded() async throws {
    let stage = command("a", [.text("sleep 100 & echo $! > pid")])
    #expect(try await run([stage]).exitCode == 0)
    try await expectEnd(of: bench.folder + "/pid")
  }

  @Test func cancellationEndsAllOfIt() async throws {
    let stage = command("a", [.text("sleep 100 & echo $$ $! > pids; wait")])
    let task = Task { try await run([stage]) }
    while contents(bench.folder + "/pids").isEmpty { try await Task.sleep(for: .milliseconds(5)) }
    task.cancel()
    #expect(try await task.value.exitCode == 130)
    try await expectEnd(of: bench.folder + "/pids")
  }

  @Test func aDeafProgramIsKilled() async throws {
    let stage = command("a", [.text("trap '' TERM; echo $$ > pid; while :; do sleep 0.1; done")])
    let task = Task { try await run([stage]) }
    while contents(bench.folder + "/pid").isEmpty { try await Task.sleep(for: .milliseconds(5)) }
    task.cancel()
    #expect(try await task.value.exitCode == 130)
    try await expectEnd(of: bench.folder + "/pid")
  }

  @Test func manyRunAndFail() async throws {
    let stages = (0..<40).flatMap { chain in
      (0..<3).map { link in
        var stage = command(
          "\(chain)/\(link)",
          [
            .text(chain % 4 == 0 && link == 1 ? "exit 3" : "echo \(chain) > "), .output,
            .text("/o"),
          ],
          needs: link > 0 ? ["\(chain)/\(link - 1)"] : [])
        stage.fields = .object(["chain": .int(chain)])
        return stage
      }
    }
    let summary = try await run(
      stages, options: Scheduler.Options(jobs: 4, cores: 4, keepsGoing: true))
    #expect(summary.exitCode == 1)
    #expect(summary.failures.count == 10)
    #expect(summary.failures.allSatisfy { $0.log.map(Files.exists) == true })
    #expect(summary.ran.count == 100)
    #expect(summary.skipped.count == 10)
  }

  private func expectEnd(of pidFile: String) async throws {
    let pids = contents(pidFile).split(whereSeparator: \.isWhitespace).compactMap { pid_t($0) }
    #expect(!pids.isEmpty)
    for pid in pids {
      for _ in 0..<500 where isAlive(pid) { try await Task.sleep(for: .milliseconds(10)) }
      #expect(!isAlive(pid))
    }
  }

  /// Whether a process runs; one that nobody has reaped yet does not.
  private func isAlive(_ pid: pid_t) -> Bool {
    let status = contents("/proc/\(pid)/stat")
    guard let end = status.lastIndex(of: ")") else { return false }
    return !status[end...].hasPrefix(") Z")
  }
}
