//! Rounds, hopeless trials, goals and frozen layers of a search whose trials are made up.

import Experiments
import Files
import Foundation
import Stages
import TestSupport
import Testing

@Suite struct SearchRulesTests {
  private func column(_ name: String, of table: [[Substring]]) throws -> [Substring] {
    let place = try #require(table.first?.firstIndex(of: Substring(name)))
    return table.dropFirst().map { $0[place] }
  }

  /// Nine epochs at a factor of three: rounds of 9, 3 and 1 trials, then of 5 and 2, then of 3.
  @Test func hyperbandGivesTheBestOfARoundMoreEpochs() async throws {
    let tests = try SearchTests(search: "tuner: hyperband, factor: 3, epochs: 9, trials: 13")
    let trials = MadeTrials()
    let table = try tests.table(await tests.search(trials, jobs: 2))
    let epochs = try column("epochs", of: table)
    #expect(epochs == ["1", "1", "1", "1", "1", "1", "1", "1", "1", "3", "3", "3", "9"])
    let scores = try column("score", of: table).map { try #require(Double($0)) }
    let first = scores.prefix(9).sorted(by: >)
    // An epoch adds a hundredth to the metric, less than what sets selections apart.
    #expect(zip(scores[9..<12], first).allSatisfy { abs($0 - $1) < 0.05 })
    // The same again from the trials that are there, and as many as are asked for.
    let found = MadeTrials()
    #expect(try tests.table(await tests.search(found, jobs: 1)) == table && found.started.isEmpty)
  }

  @Test func hopelessTrialsAreStopped() async throws {
    let rule = "epochs: 4, trials: 24, stopping: {after_epochs: 2, after_trials: 8}"
    let tests = try SearchTests(search: rule)
    let trials = MadeTrials()
    let table = try tests.table(await tests.search(trials, jobs: 1))
    let states = try column("state", of: table)
    let epochs = try column("epochs", of: table)
    #expect(states.count == 24 && Set(states) == ["done", "stopped"])
    // The first eight are measured by nobody.
    #expect(states.prefix(8).allSatisfy { $0 == "done" })
    #expect(trials.floors.count == 16)
    for (state, epochs) in zip(states, epochs) {
      #expect(state == "done" ? epochs == "4" : epochs == "2" || epochs == "3")
    }
    // A stopped trial is never the best.
    let scores = try column("score", of: table).map { try #require(Double($0)) }
    let best = try #require(scores.max())
    #expect(states[try #require(scores.firstIndex(of: best))] == "done")
    // How many run at once decides nothing.
    let other = try SearchTests(search: rule)
    #expect(try other.table(await other.search(MadeTrials(), jobs: 4)) == table)
  }

  /// The rule by hand: of eight finished trials the median of what they averaged in two epochs.
  @Test func theFloorIsTheMedianOfScores() async throws {
    let tests = try SearchTests(
      search: "epochs: 3, trials: 9, batch: 8, stopping: {after_epochs: 2, after_trials: 8}")
    let trials = MadeTrials()
    let table = try tests.table(await tests.search(trials, jobs: 1))
    let rows = table.dropFirst().map { row in
      (metric: Double(row[3]) ?? 0, delta: Double(row[4]) ?? 0)
    }
    // The last of three epochs is 0.02 above the first, so two average 0.015 below the best.
    let averages = rows.prefix(8).map { ($0.metric - 0.015) * (1 + $0.delta) }.sorted()
    let expected = (averages[3] + averages[4]) / 2 / (1 + rows[8].delta)
    #expect(trials.floors.count == 1)
    guard case .array(let values)? = trials.floors["search/trial_8"]?["values"],
      case .double(let floor)? = values.first
    else {
      Issue.record("trial 8 has no floor")
      return
    }
    #expect(values.count == 1 && abs(floor - expected) < 1e-12)
  }

  @Test func energyIsAGoal() async throws {
    let bits = try SearchTests(search: "trials: 10, epochs: 1, tuner: additive")
    let energy = try SearchTests(
      search: "trials: 10, epochs: 1, tuner: additive, goal: {kind: energy}")
    let cheap = try SearchTests(
      search:
        "trials: 10, epochs: 1, tuner: additive, goal: {kind: energy, energy: {dram_access: [0]}}")
    let tables = try await [bits, energy, cheap].asyncMap { tests in
      try tests.table(await tests.search(MadeTrials(), jobs: 1))
    }
    #expect(!tables[0][0].contains("picojoules"))
    let all = try tables.dropFirst().map { table in
      try column("picojoules", of: table).map { try #require(Double($0)) }
    }
    // All that the network's feature maps cost in DRAM is gone.
    #expect(all[0][0] > 2 * all[1][0] && all[1].allSatisfy { $0 > 0 })
    for (table, picojoules) in zip(tables.dropFirst(), all) {
      // The dearer, the less it is worth.
      let deltas = try column("delta", of: table).map { try #require(Double($0)) }
      let ranked = zip(picojoules, deltas).sorted { $0.0 < $1.0 }.map(\.1)
      #expect(ranked == ranked.sorted(by: >))
    }
    let folder = try await energy.search(MadeTrials(), jobs: 1)
    let listing = try String(contentsOfFile: folder + "/quantizers.txt", encoding: .utf8)
    // The stats block's delta is of bits, which are not the goal.
    #expect(!listing.contains("delta"))
  }

  /// The figures are of the trials, and the same trials give the same bytes.
  @Test func figuresFollowFromTheTrials() async throws {
    let tests = try SearchTests()
    let folder = try await tests.search(MadeTrials(), jobs: 1)
    let again = try await tests.search(MadeTrials(), jobs: 4)
    for (name, points) in [("scores.svg", 10), ("metric.svg", 10), ("pareto.svg", 10)] {
      let text = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
      #expect(text.hasPrefix("<svg ") && text.hasSuffix("</svg>\n"))
      // A circle each, and the ring around the best.
      #expect(text.split(separator: "<circle ").count == points + 2)
      #expect(try String(contentsOfFile: "\(again)/\(name)", encoding: .utf8) == text)
    }
  }
}

extension Array {
  fileprivate func asyncMap<Result>(
    _ body: (Element) async throws -> Result
  ) async rethrows -> [Result] {
    var results: [Result] = []
    for element in self { results.append(try await body(element)) }
    return results
  }
}
