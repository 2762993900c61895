//! What is cleared away, what stays, and that a store works on after it.

import Files
import Glibc
import Pipeline
import Testing

@Suite struct ClearanceTests {
  private let bench: Bench

  init() throws { bench = try Bench() }

  private func clearance(
    keeping stages: [Stage], limits: Clearance.Limits = Clearance.Limits(), of store: Store
  ) throws -> Clearance {
    var reachable = Reachable()
    reachable.add(try Plan(graph: StageGraph(stages), store: store))
    return try Clearance(of: store, reachable: reachable, limits: limits)
  }

  private func names(_ clearance: Clearance, _ kind: Clearance.Kind) -> [String] {
    clearance.items.filter { $0.kind == kind }.map(\.name).sorted()
  }

  @Test func whatPlansReachStays() async throws {
    _ = try await bench.run(diamond())
    _ = try await bench.run(diamond(b: 2))
    let store = try bench.store()
    let found = try clearance(keeping: diamond(), of: store)
    #expect(names(found, .artifact) == ["b", "d"])
    #expect(names(found, .log).count == 2)
    #expect(found.bytes > 0 && found.bytes < found.totalBytes)
    #expect(try bench.plan(diamond(b: 2)).isUpToDate, "looking removes nothing")

    let right = try #require(try store.ownForClearing())
    try store.clear(found)
    right.release()
    #expect(try bench.plan(diamond()).isUpToDate)
    #expect(try await bench.run(diamond()).ran == [])
    #expect(try bench.store().records.count == 4)
    #expect(try await bench.run(diamond(b: 2)).ran == ["b", "d"])
  }

  @Test func stagesThatAreToRunKeepAllTheyMade() async throws {
    _ = try await bench.run(diamond())
    let store = try bench.store()
    #expect(names(try clearance(keeping: diamond(b: 2), of: store), .artifact) == [])
    #expect(names(try clearance(keeping: [diamond()[0]], of: store), .artifact) == ["b", "c", "d"])
  }

  @Test func whatCannotBePlannedKeepsItsNames() async throws {
    _ = try await bench.run(diamond())
    var reachable = Reachable()
    reachable.add(unplanned: try StageGraph([diamond(file: "/nowhere")[0]]))
    let found = try Clearance(
      of: try bench.store(), reachable: reachable, limits: Clearance.Limits())
    #expect(names(found, .artifact) == ["b", "c", "d"])
  }

  @Test func agesAndSizesLimitIt() async throws {
    _ = try await bench.run(diamond())
    let store = try bench.store()
    let young = Clearance.Limits(olderThanSeconds: 3600)
    #expect(try clearance(keeping: [stage("x")], limits: young, of: store).items.isEmpty)
    let all = try clearance(keeping: [stage("x")], of: store)
    #expect(all.items.count == 8)
    let limits = Clearance.Limits(maxBytes: all.totalBytes - 1)
    // Empty logs may come first; then the oldest output is enough.
    let some = try clearance(keeping: [stage("x")], limits: limits, of: store)
    #expect(some.items.filter { $0.bytes > 0 }.count == 1)
    let enough = Clearance.Limits(maxBytes: all.totalBytes)
    #expect(try clearance(keeping: [stage("x")], limits: enough, of: store).items.isEmpty)
  }

  @Test func checkpointsOfUnknownKeysStay() async throws {
    _ = try await bench.run(diamond())
    let store = try bench.store()
    let key = try #require(store.records.first?.artifact)
    let checkpoint = store.checkpointPath(for: key)
    try Files.createDirectories(checkpoint)
    try Files.writeAtomically("epoch", to: checkpoint + "/state")
    let edited = try clearance(keeping: diamond(a: 2), of: store)
    #expect(names(edited, .checkpoint) == [])
    #expect(names(try clearance(keeping: diamond(), of: store), .checkpoint).count == 1)
  }

  @Test func nobodyElseMayUseTheStore() async throws {
    _ = try await bench.run(diamond())
    let one = try bench.store()
    let use = try one.use()
    let second = try one.use()
    #expect(try bench.store().ownForClearing() == nil)
    use.release()
    #expect(try bench.store().ownForClearing() == nil)
    second.release()
    #expect(try bench.store().ownForClearing() != nil)
  }

  @Test func anAppendAfterwardsGoesToTheNewJournal() async throws {
    _ = try await bench.run(diamond())
    let other = try bench.store()
    let store = try bench.store()
    try store.clear(try clearance(keeping: [diamond()[0]], of: store))
    let plan = try Plan(graph: StageGraph([stage("late")]), store: other)
    _ = await Scheduler(store: other, runner: FakeRunner()).run(plan)
    #expect(try bench.plan([stage("late")]).isUpToDate)
    #expect(try bench.store().records.map(\.name) == ["a", "late"])
  }
}
