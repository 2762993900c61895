//! Changes that are declared harmless: whose output then counts, what is said of it, what is refused.

import Files
import Pipeline
import Testing

@Suite struct AcceptanceTests {
  private let bench: Bench

  init() throws { bench = try Bench() }

  private func accept(_ name: String, of stages: [Stage]) throws -> Acceptance {
    let store = try bench.store()
    let plan = try Plan(graph: StageGraph(stages), store: store)
    let entry = try #require(plan[name])
    return try store.accept(entry, by: "ada", on: "host", at: "2026-11-28T10:00:00Z")
  }

  @Test func theEarlierOutputCountsAndSaysSo() async throws {
    let before = try await bench.run(diamond())
    let edited = diamond(b: 2)
    let acceptance = try accept("b", of: edited)
    #expect(acceptance.differences == ["value: 1 -> 2 (p.yaml:1:10)"])
    #expect(try bench.plan(edited).isUpToDate)
    #expect(try await bench.run(edited).ran == [])
    let plan = try bench.plan(edited)
    guard case .hit(let record)? = plan["b"]?.state else {
      Issue.record("it was accepted")
      return
    }
    #expect(record.artifact == before.summary.records["b"]?.artifact)
    #expect(record.acceptance == acceptance)
    #expect(record.metrics == before.summary.records["b"]?.metrics)
    #expect(
      try bench.plan(diamond(b: 3)).words[1] == "b run: value: 2 -> 3 (p.yaml:1:10)",
      "the next change is told from the accepted one")
  }

  @Test func anAcceptedStageIsAnInputOfTheNext() async throws {
    _ = try await bench.run(diamond())
    let edited = diamond(a: 2, b: 2)
    #expect(throws: AcceptanceError.inputsUnknown(stage: "b", inputs: ["a"])) {
      try accept("b", of: edited)
    }
    _ = try accept("a", of: edited)
    _ = try accept("b", of: edited)
    #expect(try bench.plan(edited).isUpToDate)
  }

  @Test func nothingIsAcceptedSilently() async throws {
    #expect(throws: AcceptanceError.neverRan(stage: "a")) { try accept("a", of: diamond()) }
    _ = try await bench.run(diamond())
    #expect(throws: AcceptanceError.alreadyThere(stage: "a")) { try accept("a", of: diamond()) }
    var renamed = diamond()
    renamed[0].name = "other"
    renamed[0].fields = .object(["value": .int(9)])
    #expect(throws: AcceptanceError.neverRan(stage: "other")) {
      try accept("other", of: [renamed[0]])
    }
    let store = try bench.store()
    let record = try #require(store.records.first { $0.name == "b" })
    try Files.remove(store.path(of: record.artifact))
    #expect(throws: AcceptanceError.neverRan(stage: "b")) { try accept("b", of: diamond(b: 2)) }
  }
}
