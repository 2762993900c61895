//! Several runners on one store, and runs in which some stages fail, in the real program.

import Foundation
import TestSupport
import Testing

@Suite struct SharedStoreTests {
  let workspace: Workspace

  init() throws { workspace = try Workspace() }

  /// Three chains of which each runner wants two: every stage runs once.
  @Test func twoRunnersShareTheirWork() throws {
    var pipeline = ChainPipeline(chains: 3)
    pipeline.seconds = 0.02
    try pipeline.write(to: workspace)
    let commands = try [["c0-evaluate", "c1-evaluate"], ["c1-evaluate", "c2-evaluate"]].map {
      try RunningCommand(
        "shiftwork", ["run", "chains.yaml"] + $0 + ["-j2", "--json"], in: workspace)
    }
    let outcomes = commands.map { $0.wait() }
    for outcome in outcomes { #expect(outcome.code == 0, "\(outcome.error)") }
    let all = ChainPipeline.executions(in: workspace)
    #expect(all.count == 15 && Set(all).count == 15, "\(all)")
    // Both report what they asked for.
    let artifacts = outcomes.map { RunEvent.artifacts($0.out) }
    #expect(artifacts.map(\.count) == [10, 10])
    #expect(artifacts[0]["c1-evaluate"] == artifacts[1]["c1-evaluate"])
  }

  /// Two that want all of it, and one more that comes when the first dies.
  @Test func aRunnerTakesOverFromADeadOne() throws {
    var pipeline = ChainPipeline(chains: 3)
    pipeline.seconds = 0.05
    try pipeline.write(to: workspace)
    let arguments = ["run", "chains.yaml", "-j2", "--json"]
    let first = try RunningCommand("shiftwork", arguments, in: workspace)
    first.waitUntil { _ in ChainPipeline.executions(in: workspace).count > 2 }
    let second = try RunningCommand("shiftwork", arguments, in: workspace)
    second.waitUntil { !$0.isEmpty }
    first.killAll()
    let outcome = second.wait()
    #expect(outcome.code == 0, "\(outcome.error)")
    let all = ChainPipeline.executions(in: workspace)
    #expect(Set(all).count == pipeline.stages)
    #expect(all.count <= pipeline.stages + 2)
  }

  @Test func tenFailuresOfTwoHundredLeaveTheRest() throws {
    let pipeline = ChainPipeline(chains: 200)
    try pipeline.write(to: workspace)
    let failing = (0..<10).map { 20 * $0 + 3 }
    for chain in failing { try workspace.write("", to: "fail-c\(chain)-search") }
    let outcome = try workspace.run(
      "shiftwork", ["run", "chains.yaml", "-j2", "--keep-going", "--json"])
    #expect(outcome.code == 1)
    let events = RunEvent.parse(outcome.out)
    let done = Set(events.filter { $0.state == "done" }.map(\.stage))
    for chain in 0..<200 {
      #expect(done.contains("c\(chain)-evaluate") == !failing.contains(chain), "chain \(chain)")
    }
    #expect(!done.contains("summary"))
    #expect(ChainPipeline.executions(in: workspace).count == 190 * 5 + 10 * 2)
    // Each failure by its name, with its log and what stands in it.
    let failures = events.filter { $0.state == "failed" }
    #expect(Set(failures.map(\.stage)) == Set(failing.map { "c\($0)-search" }))
    for failure in failures {
      let log = try #require(failure.log)
      let text = try String(
        contentsOfFile: log.hasPrefix("/") ? log : workspace.path(log), encoding: .utf8)
      #expect(text.contains("\(failure.stage) is told to fail"))
      #expect(outcome.error.contains("`\(failure.stage)`"))
      #expect(outcome.error.contains(log))
    }
    // What failed is tried again, and nothing else.
    for chain in failing {
      try FileManager.default.removeItem(atPath: workspace.path("fail-c\(chain)-search"))
    }
    let rest = try workspace.run("shiftwork", ["run", "chains.yaml", "-j2", "--json"])
    #expect(rest.code == 0, "\(rest.error)")
    #expect(ChainPipeline.executions(in: workspace).count == 970 + 10 * 4 + 1)
  }
}
