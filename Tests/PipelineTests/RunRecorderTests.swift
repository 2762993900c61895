//! What a run's folder tells of it while it runs, when it has ended, and when it was killed.

import Files
import Pipeline
import Testing

@Suite struct RunRecorderTests {
  private let bench: Bench

  init() throws { bench = try Bench() }

  private func run(
    _ stages: [Stage], runner: FakeRunner = FakeRunner(),
    during: @escaping @Sendable (Store, String) -> Void = { _, _ in }
  ) async throws -> (store: Store, id: String) {
    let store = try bench.store()
    let plan = try Plan(graph: StageGraph(stages), store: store)
    let info = RunInfo(
      pipeline: "p", arguments: ["shiftwork", "run"], version: "1", stages: stages.count)
    let recorder = try RunRecorder(info, in: store.root)
    store.setRun(info.id)
    let scheduler = Scheduler(
      store: store, runner: runner,
      options: Scheduler.Options(jobs: 2, cores: 2, retries: 1, keepsGoing: true),
      observer: { event in
        recorder.receive(event)
        if case .running = event.state { during(store, info.id) }
      })
    let summary = await scheduler.run(plan)
    recorder.finish(summary, code: summary.exitCode)
    return (store, info.id)
  }

  @Test func endedRunsTellTheirStages() async throws {
    _ = try await bench.run([diamond()[0]])
    let (store, id) = try await run(diamond(), runner: FakeRunner(failing: ["b"]))
    #expect(store.runs == [id])
    let story = try #require(store.story(of: id))
    #expect(story.outcome == .failed)
    #expect(
      story.stages.map { "\($0.name) \($0.state)" }.sorted() == [
        "a hit", "b failed", "c done", "d skipped",
      ])
    let counts = story.counts
    #expect([counts.ran, counts.hits, counts.failed, counts.skipped] == [1, 1, 1, 1])
    let failed = try #require(story.stages.first { $0.name == "b" })
    #expect(failed.message == "it is meant to")
    #expect(failed.log.map(Files.exists) == true)
    let brief = try #require(store.story(of: id, brief: true))
    #expect(brief.outcome == .failed && brief.counts == story.counts)
    #expect(brief.ended == story.ended)
    #expect(story.info.arguments == ["shiftwork", "run"])
  }

  @Test func recordsNameTheirRun() async throws {
    let (store, id) = try await run(diamond())
    #expect(store.records.allSatisfy { $0.run == id })
  }

  @Test func aRunThatLivesIsRunning() async throws {
    let seen = EventCounter()
    let (store, id) = try await run([stage("a")]) { store, id in
      seen.add(store.story(of: id)?.outcome == .running)
      seen.add(store.story(of: id)?.running.map(\.name) == ["a"])
    }
    #expect(seen.values == [true, true])
    #expect(store.story(of: id)?.outcome == .done)
  }

  @Test func aRunWithoutLastWordWasKilled() async throws {
    let (store, id) = try await run(diamond())
    let events = "\(store.runsPath)/\(id)/events.jsonl"
    let text = String(decoding: try Files.read(events, limit: 1 << 20), as: UTF8.self)
    let lines = text.split(separator: "\n")
    let torn = lines.prefix(1).joined() + "\n" + lines[1].prefix(20)
    try Files.writeAtomically(torn, to: events)
    let story = try #require(store.story(of: id))
    #expect(story.outcome == .killed)
    #expect(story.stages.map(\.state) == ["ended"])
    #expect(store.story(of: id, brief: true)?.outcome == .killed)
  }

  @Test func theTraceIsWhole() async throws {
    let (store, id) = try await run(diamond(), runner: FakeRunner(pause: .milliseconds(5)))
    let bytes = try Files.read("\(store.runsPath)/\(id)/trace.json", limit: 1 << 20)
    guard case .array(let events) = try JSONValue(parsing: bytes) else {
      Issue.record("a trace is a list")
      return
    }
    let complete = events.filter { $0["ph"] == .string("X") }
    #expect(Set(complete.map { $0["name"] }) == Set(["a", "b", "c", "d"].map { .string($0) }))
    // b and c run at once, each in a lane of its own.
    #expect(Set(complete.map { $0["tid"] }) == [.int(0), .int(1)])
    #expect(events.last?["ph"] == .string("M"))
  }

  @Test func otherNamesAreNoRuns() throws {
    let store = try bench.store()
    #expect(store.story(of: "none") == nil)
    #expect(store.story(of: "..") == nil)
    #expect(store.story(of: "../runs") == nil)
    #expect(store.runs == [])
  }
}
