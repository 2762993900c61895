//! `shiftwork search`, and what lies beside a search's results, with the real programs.

import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct SearchCommandsTests {
  private let workspace: Workspace

  init() throws { workspace = try Workspace.tinySearch(trials: 8) }

  @discardableResult
  private func shiftwork(_ arguments: String..., code: Int32 = 0) throws -> CommandOutcome {
    let outcome = try workspace.run("shiftwork", arguments)
    #expect(outcome.code == code, "\(arguments): \(outcome.error)")
    return outcome
  }

  private struct Search: Decodable {
    struct Trial: Decodable {
      var trial: Int
      var state: String
      var score: Double?
      var seconds: Double?
      var epochs: Int?
    }

    var search: String
    var tuner: String?
    var planned: Int?
    var is_finished: Bool
    var best: Trial?
    var table: [Trial]?
    var trials_to_reach: [Int?]?
  }

  private func searches(_ arguments: String...) throws -> [Search] {
    let outcome = try workspace.run("shiftwork", ["search"] + arguments + ["--json"])
    #expect(outcome.code == 0, "\(outcome.error)")
    return try outcome.out.split(separator: "\n").map {
      try JSONDecoder().decode(Search.self, from: Data($0.utf8))
    }
  }

  @Test func aFinishedSearchIsShownAndTimed() throws {
    #expect(
      try shiftwork("search", "show", "pipelines/tiny.yaml").out == "no trial has ended so far\n")
    try shiftwork("run", "pipelines/tiny.yaml", "-j2")
    // Seconds stand beside the table and in no artifact.
    let timings = try workspace.read("results/tiny/search/timings.csv").split(separator: "\n")
    let trials = try workspace.read("results/tiny/search/trials.csv").split(separator: "\n")
    #expect(timings.count == 9 && timings[0] == "trial,state,seconds,key")
    for (timing, trial) in zip(timings, trials).dropFirst() {
      let cells = timing.split(separator: ",")
      #expect(cells[0] == trial.split(separator: ",")[0] && (Double(cells[2]) ?? 0) > 0)
      #expect(cells[3] == trial.split(separator: ",").last)
    }
    #expect(!workspace.files.contains { $0.contains("artifacts") && $0.hasSuffix("timings.csv") })
    let report = try workspace.read("results/tiny/report.md")
    for figure in ["scores", "metric", "pareto"] {
      #expect(report.contains("![\(figure)](<search/\(figure).svg>)"))
      #expect(try workspace.read("results/tiny/search/\(figure).svg").hasPrefix("<svg "))
    }
    // The same of the pipeline, of its results and of all results.
    for target in ["pipelines/tiny.yaml", "results/tiny/search/", "results"] {
      let found = try searches("show", target)
      #expect(found.count == 1 && found[0].is_finished && found[0].tuner == "random")
      let table = try #require(found[0].table)
      #expect(table.map(\.trial) == Array(0..<8) && table.allSatisfy { $0.state == "done" })
      #expect(table.allSatisfy { ($0.seconds ?? 0) > 0 })
      #expect(found[0].best?.score == table.compactMap(\.score).max())
    }
    let text = try shiftwork("search", "show", "pipelines/tiny.yaml", "search", "-n", "3").out
    let lines = text.split(separator: "\n")
    #expect(lines.count == 6 && lines[0].hasPrefix("tiny/search  random, 8 of 8 trials, "))
    #expect(lines[1].hasPrefix("best so far, by trial  0: "))
    #expect(lines[2].hasPrefix("trial  state"))
    // Found again, the timings are what they were.
    try FileManager.default.removeItem(atPath: workspace.path("results"))
    try shiftwork("run", "pipelines/tiny.yaml")
    let again = try workspace.read("results/tiny/search/timings.csv").split(separator: "\n")
    #expect(again == timings)
  }

  @Test func aBrokenSearchShowsTheTrialsSoFar() throws {
    let command = try RunningCommand(
      "shiftwork", ["run", "pipelines/tiny.yaml", "--set", "search.trials=500"], in: workspace)
    let end = Date().addingTimeInterval(60)
    var shown: [Search] = []
    while Date() < end, shown.first?.table?.count ?? 0 < 3 {
      shown = try searches("show", "pipelines/tiny.yaml", "--set", "search.trials=500")
      usleep(50_000)
    }
    command.killAll()
    _ = command.wait()
    #expect(shown.count == 1 && !shown[0].is_finished && shown[0].planned == 500)
    let after = try searches("show", "pipelines/tiny.yaml", "--set", "search.trials=500")
    #expect(after[0].table?.count ?? 0 >= shown[0].table?.count ?? .max)
    let text = try shiftwork(
      "search", "show", "pipelines/tiny.yaml", "--set", "search.trials=500")
    #expect(text.out.contains(" of 500 trials, not finished, "))
  }

  /// Tuners side by side, rounds and stopped trials among them.
  @Test func searchesAreCompared() throws {
    try workspace.write(
      """
      pipeline: tuners
      experiment: tiny
      set: {search.epochs: 4}
      stages: {pretrain: {}, search: {needs: pretrain}}
      sweep: {list: [{search.tuner: hyperband, search.factor: 2}, {search.tuner: random}]}

      """, to: "pipelines/tuners.yaml")
    try shiftwork("run", "pipelines/tuners.yaml")
    let found = try searches("compare", "results/tuners")
    #expect(found.map(\.tuner) == ["hyperband", "random"])
    for (index, search) in found.enumerated() {
      // Each comes to its own best where its best trial is.
      let own = try #require(search.trials_to_reach)[index]
      #expect(own == (search.best?.trial).map { $0 + 1 })
      #expect(search.trials_to_reach?.count == 2)
    }
    let text = try shiftwork("search", "compare", "pipelines/tuners.yaml").out
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines[0].contains("best score") && lines[0].hasSuffix("reaches 1 in  reaches 2 in"))
    #expect(lines[4].hasPrefix("best of the first") && lines[5].hasPrefix("                1"))
    // A round goes on from the one before it, and nothing is left of it at the end.
    let hyperband = try #require(try searches("show", "pipelines/tuners.yaml").first?.table)
    #expect(Set(hyperband.compactMap(\.epochs)).isSubset(of: [1, 2, 3, 4]))
    #expect(
      workspace.files.contains { path in
        path.hasPrefix(".shiftwork/logs/")
          && (try? workspace.read(path))?.contains("resumed at epoch 2") == true
      })
    #expect(!workspace.files.contains { $0.hasPrefix(".shiftwork/checkpoints/") })
  }

  @Test func whatIsNoSearchIsRefused() throws {
    try workspace.write("nothing\n", to: "results/other/note.txt")
    #expect(
      try shiftwork("search", "show", "results", code: 2).error
        .hasPrefix("Error: below `results` lies no search's trials.csv\n"))
    #expect(
      try shiftwork("search", "show", "nowhere", code: 2).error.hasPrefix(
        "Error: `nowhere` is no search: it takes a folder below results or PIPELINE.yaml[:STAGE]\n")
    )
    #expect(
      try shiftwork("search", "show", "pipelines/tiny.yaml", "serch", code: 2).error.hasPrefix(
        "Error: pipelines/tiny.yaml has no search `serch`: did you mean `search`?\n"))
    try workspace.write(
      "trial,state,score,x,delta,total_bits,key\n1,done\n", to: "results/a/trials.csv")
    #expect(
      try shiftwork("search", "show", "results", code: 1).error
        .hasPrefix("Error: results/a: line 2 of trials.csv is none of a search's\n"))
    // Numbers that cannot be compared count as none.
    try workspace.write(
      "trial,state,score,x,delta,total_bits,key\n0,done,nan,inf,1e999,-1,\n1,done,0.5,1,0,9,\n",
      to: "results/a/trials.csv")
    try workspace.write("trial,state,seconds,key\n0,done,inf,\n", to: "results/a/timings.csv")
    let odd = try searches("show", "results")
    #expect(odd.first?.table?.map(\.score) == [nil, 0.5] && odd.first?.best?.trial == 1)
  }
}
