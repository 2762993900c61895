//! Searches that are killed and started again, in the real programs, with trials side by side.

import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct SearchResumeTests {
  private func workspace() throws -> Workspace { try Workspace.tinySearch(trials: 30) }

  /// How often each trial came to its end, by the journal.
  private func ends(in workspace: Workspace) throws -> [Substring: Int] {
    var ends: [Substring: Int] = [:]
    for line in try workspace.read(".shiftwork/journal").split(separator: "\n") {
      for field in line.split(separator: "\t") where field.hasPrefix("search/trial_") {
        ends[field, default: 0] += 1
      }
    }
    return ends
  }

  @Test func aKilledSearchEndsAsAnUnbrokenOne() throws {
    let unbroken = try workspace()
    let outcome = try unbroken.run("shiftwork", ["run", "pipelines/tiny.yaml", "-j1"])
    #expect(outcome.code == 0, "\(outcome.error)")
    let expected = try unbroken.read("results/tiny/search/trials.csv")
    #expect(expected.split(separator: "\n").count == 31)
    #expect(try ends(in: unbroken).values.allSatisfy { $0 == 1 })

    let workspace = try workspace()
    var random = SeededDelays(seed: 5)
    var kills = 0
    while true {
      let command = try RunningCommand(
        "shiftwork", ["run", "pipelines/tiny.yaml", "-j2"], in: workspace)
      if kills < 10 {
        let delay = 150_000 + random.below(450_000)
        let end = Date().addingTimeInterval(Double(delay) / 1e6)
        while command.isRunning, Date() < end { usleep(2_000) }
        if command.isRunning {
          kills += 1
          if kills % 2 == 0 { command.killLeader() } else { command.killAll() }
        }
      }
      let outcome = command.wait()
      if outcome.code == 0 { break }
      try #require(outcome.code != 1 && outcome.code != 2, "\(outcome.error)")
    }
    #expect(kills == 10)
    #expect(try workspace.read("results/tiny/search/trials.csv") == expected)
    let ends = try ends(in: workspace)
    #expect(ends.count == 30 && ends.values.allSatisfy { $0 == 1 }, "\(ends)")
  }

  /// A search with more trials goes on from those that are there.
  @Test func moreTrialsAreAdded() throws {
    let workspace = try workspace()
    func run(_ trials: Int) throws -> [Substring] {
      let outcome = try workspace.run(
        "shiftwork", ["run", "pipelines/tiny.yaml", "--set", "search.trials=\(trials)"])
      #expect(outcome.code == 0, "\(outcome.error)")
      return try workspace.read("results/tiny/search/trials.csv").split(separator: "\n")
    }
    let few = try run(5)
    let more = try run(9)
    #expect(Array(more.prefix(6)) == few && more.count == 10)
    #expect(try ends(in: workspace).values.allSatisfy { $0 == 1 })
  }
}
