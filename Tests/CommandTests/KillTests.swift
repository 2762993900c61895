//! Runs that are killed at random moments: the same command goes on, nothing has to be unlocked, what
//! was finished stays finished, and the bytes are those of an unbroken run.

import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct KillTests {
  private static let arguments = ["run", "chains.yaml", "-j2", "--json"]

  /// Kills in all; SHIFTWORK_KILLS asks for more than every test should take.
  private static let kills =
    ProcessInfo.processInfo.environment["SHIFTWORK_KILLS"].flatMap { Int($0) } ?? 6

  private func workspace() throws -> Workspace {
    let workspace = try Workspace()
    var pipeline = ChainPipeline(chains: 6)
    pipeline.seconds = 0.02
    try pipeline.write(to: workspace)
    return workspace
  }

  @Test(arguments: [true, false]) func aKilledRunGoesOn(everything: Bool) throws {
    let reference = try workspace()
    let unbroken = try reference.run("shiftwork", Self.arguments)
    #expect(unbroken.code == 0, "\(unbroken.error)")
    let artifacts = RunEvent.artifacts(unbroken.out)
    let executions = ChainPipeline.executions(in: reference).count
    #expect(executions == artifacts.count)

    var random = SeededDelays(seed: everything ? 1 : 2)
    var kills = 0
    while kills < Self.kills {
      let workspace = try workspace()
      var here = 0
      while true {
        let command = try RunningCommand("shiftwork", Self.arguments, in: workspace)
        // An unbroken run takes some 400 ms.
        if kills < Self.kills { usleep(UInt32(random.below(200_000))) }
        if kills < Self.kills, command.isRunning {
          kills += 1
          here += 1
          if everything { command.killAll() } else { command.killLeader() }
          _ = command.wait()
          continue
        }
        let outcome = command.wait()
        #expect(outcome.code == 0, "\(outcome.error)")
        #expect(RunEvent.artifacts(outcome.out) == artifacts)
        break
      }
      let all = ChainPipeline.executions(in: workspace)
      #expect(Set(all).count == executions)
      // Two run at once.
      #expect(all.count <= executions + 2 * here, "\(all.count) after \(here) kills")
      let again = try workspace.run("shiftwork", Self.arguments)
      #expect(again.code == 0 && ChainPipeline.executions(in: workspace).count == all.count)
    }
  }

  /// Ctrl-C ends what runs and says that the same command goes on.
  @Test func anInterruptedRunGoesOn() throws {
    let workspace = try workspace()
    let command = try RunningCommand("shiftwork", Self.arguments, in: workspace)
    command.waitUntil { _ in ChainPipeline.executions(in: workspace).count > 3 }
    command.interrupt()
    let outcome = command.wait()
    #expect(outcome.code == 130)
    #expect(outcome.error.contains("the same command goes on"), "\(outcome.error)")
    let before = ChainPipeline.executions(in: workspace).count
    let done = RunEvent.parse(outcome.out).count { $0.state == "done" }
    let rest = try workspace.run("shiftwork", Self.arguments)
    #expect(rest.code == 0, "\(rest.error)")
    let after = ChainPipeline.executions(in: workspace).count
    #expect(after - before == ChainPipeline(chains: 6).stages - done)
  }
}
