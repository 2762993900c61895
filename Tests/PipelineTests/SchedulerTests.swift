//! Failures, limits, cancellation and company.

import Diagnostics
import Files
import Pipeline
import Testing

@Suite struct SchedulerTests {
  /// good1 -> good2, bad -> after -> last.
  private let stages = [
    stage("bad", line: 5), stage("after", needs: ["bad"]), stage("last", needs: ["after"]),
    stage("good1"), stage("good2", needs: ["good1"]),
  ]

  @Test func aFailureStopsTheRest() async throws {
    let bench = try Bench()
    let run = try await bench.run(
      stages, runner: FakeRunner(failing: ["bad"]), options: Scheduler.Options(jobs: 1))
    #expect(run.ran == ["bad"])
    #expect(run.summary.exitCode == 1)
    #expect(run.summary.skipped == ["after", "last", "good1", "good2"])
    let failure = try #require(run.summary.failures.first)
    #expect(failure.description == "stage `bad` failed: it is meant to")
    #expect(failure.location?.line == 5)
    #expect(failure.log.map(Files.exists) == true)
  }

  @Test func keepGoingRunsWhatItCan() async throws {
    let bench = try Bench()
    let options = Scheduler.Options(jobs: 2, cores: 2, keepsGoing: true)
    let run = try await bench.run(stages, runner: FakeRunner(failing: ["bad"]), options: options)
    #expect(run.ran == ["bad", "good1", "good2"])
    #expect(run.summary.skipped == ["after", "last"])
    #expect(run.summary.exitCode == 1)
    let again = try await bench.run(stages, options: options)
    #expect(again.ran == ["after", "bad", "last"], "the same command goes on")
  }

  @Test func emptyOutputIsAFailure() async throws {
    struct Idle: StageRunner {
      func run(
        _ task: StageTask, report: @escaping @Sendable (StageEvent) -> Void
      ) async throws -> StageOutcome { StageOutcome() }
    }
    let bench = try Bench()
    let store = try bench.store()
    let plan = try Plan(graph: StageGraph([stage("a")]), store: store)
    let summary = await Scheduler(store: store, runner: Idle()).run(plan)
    #expect(summary.failures.map(\.message) == ["stage `a` wrote no output"])
  }

  @Test(arguments: [
    (jobs: 4, cores: 2, each: 1, most: 2), (jobs: 2, cores: 8, each: 1, most: 2),
    (jobs: 4, cores: 4, each: 2, most: 2), (jobs: 4, cores: 2, each: 99, most: 1),
  ])
  func staysWithinJobsAndCores(jobs: Int, cores: Int, each: Int, most: Int) async throws {
    let bench = try Bench()
    let runner = FakeRunner(pause: .milliseconds(15))
    let stages = (0..<8).map { stage("s\($0)", cores: each) }
    let run = try await bench.run(
      stages, runner: runner, options: Scheduler.Options(jobs: jobs, cores: cores))
    #expect(run.ran.count == 8)
    #expect(runner.mostAtOnce == most)
  }

  @Test func staysWithinMemory() async throws {
    let bench = try Bench()
    let runner = FakeRunner(pause: .milliseconds(15))
    let stages = (0..<8).map { index in
      var stage = stage("s\(index)")
      stage.resources.memoryGB = index == 0 ? 99 : 0.3
      return stage
    }
    let options = Scheduler.Options(jobs: 8, cores: 8, memoryGB: 0.7)
    #expect(try await bench.run(stages, runner: runner, options: options).ran.count == 8)
    #expect(runner.mostAtOnce == 2)
  }

  @Test func forcedStagesOfOneKeyRunOnce() async throws {
    let bench = try Bench()
    let stages = (0..<4).map { index in
      var stage = stage("a")
      stage.name = "seed=\(index)/a"
      return stage
    }
    let run = try await bench.run(stages, forced: Set(stages.map(\.name)))
    #expect(run.ran.count == 1)
    #expect(try await bench.run(stages, forced: Set(stages.map(\.name))).ran.count == 1)
  }

  @Test func cancellationLeavesAResumableState() async throws {
    let bench = try Bench()
    let store = try bench.store()
    let plan = try Plan(graph: StageGraph([stage("quick")]), store: store)
    _ = await Scheduler(store: store, runner: FakeRunner()).run(plan)
    let stages = [stage("quick"), stage("slow", needs: ["quick"]), stage("z", needs: ["slow"])]
    let log = EventLog()
    let task = Task {
      let plan = try Plan(graph: StageGraph(stages), store: store)
      let runner = FakeRunner(pause: .seconds(60))
      return await Scheduler(store: store, runner: runner, observer: { log.add($0) }).run(plan)
    }
    while !log.lines.contains("slow running") { try await Task.sleep(for: .milliseconds(2)) }
    task.cancel()
    let summary = try await task.value
    #expect(summary.exitCode == 130)
    #expect(log.lines == ["quick hit", "slow running", "slow interrupted", "z skipped"])
    #expect(try await bench.run(stages).ran == ["slow", "z"])
  }

  @Test func cancellingTheLastStageIsAnInterruption() async throws {
    let bench = try Bench()
    let task = Task { try await bench.run([stage("a")], runner: FakeRunner(pause: .seconds(60))) }
    try await Task.sleep(for: .milliseconds(50))
    task.cancel()
    #expect(try await task.value.summary.exitCode == 130)
  }

  @Test func twoRunnersShareTheWork() async throws {
    let bench = try Bench()
    let stages = (0..<4).flatMap { chain in
      (0..<3).map { stage("\(chain)/\($0)", needs: $0 > 0 ? ["\(chain)/\($0 - 1)"] : []) }
    }
    let one = FakeRunner(pause: .milliseconds(10))
    let other = FakeRunner(pause: .milliseconds(10))
    async let first = bench.run(stages, runner: one)
    async let second = bench.run(stages, runner: other)
    let summaries = try await [first.summary, second.summary]
    #expect((one.ran + other.ran).sorted() == stages.map(\.name).sorted())
    #expect(summaries.allSatisfy { $0.exitCode == 0 && $0.records.count == stages.count })
  }

  @Test func aWaitingRunnerTakesOverFromAFailedOne() async throws {
    let bench = try Bench()
    let one = FakeRunner(failing: ["a"], pause: .milliseconds(50))
    async let first = bench.run([stage("a")], runner: one)
    while one.ran.isEmpty { try await Task.sleep(for: .milliseconds(2)) }
    let second = try await bench.run([stage("a")])
    #expect(try await first.summary.exitCode == 1)
    #expect(second.summary.exitCode == 0)
    #expect(second.events == ["a waiting", "a running", "a done"])
  }

  @Test func otherBytesForTheSameKeyAreTold() async throws {
    let bench = try Bench()
    _ = try await bench.run([stage("a")])
    let store = try bench.store()
    let plan = try Plan(graph: StageGraph([stage("a")]), store: store, forced: ["a"])
    let told = EventLog()
    _ = await Scheduler(store: store, runner: FakeRunner(nonce: "x")) { event in
      if case .done(_, isUnlikeBefore: true) = event.state { told.add(event) }
    }.run(plan)
    #expect(told.lines == ["a done"])
  }
}
