//! The comparison of tuners: its files, what it takes in, what it refuses.

import TestSupport
import Testing

@Suite struct SearchBenchTests {
  private static let options = [
    "search", "--searches", "20", "--seeds", "2", "--tuners", "random", "additive", "--output",
  ]

  @Test func runsThatAreTakenInAreNotRunAgain() throws {
    let workspace = try Workspace()
    let first = try workspace.run("Benchmarks", Self.options + ["one"])
    #expect(first.code == 0, "\(first.error)")
    #expect(first.out.contains("additive's final score beats random's in 2 of 2 seeds"))
    let runs = try workspace.read("one/search_runs.csv")
    let lines = runs.split(separator: "\n")
    #expect(
      lines.map { $0.split(separator: ",").prefix(4).joined(separator: ",") } == [
        "search,tuner,seed,trials", "20,random,1001,150", "20,additive,1001,150",
        "20,random,1002,150", "20,additive,1002,150",
      ])
    // With its last line lost, that run alone is made: its seconds differ, its steps do not.
    try workspace.write(
      lines.dropLast().map { $0 + "\n" }.joined(), to: "part.csv")
    let second = try workspace.run(
      "Benchmarks", Self.options + ["two", "--add", "part.csv"])
    #expect(second.code == 0, "\(second.error)")
    let resumed = try workspace.read("two/search_runs.csv").split(separator: "\n")
    #expect(resumed.dropLast() == lines.dropLast())
    #expect(resumed.last?.split(separator: ",").last == lines.last?.split(separator: ",").last)
    #expect(
      try workspace.read("one/search_curves.csv") == workspace.read("two/search_curves.csv"))
  }

  @Test(arguments: [
    "20,random,1001,151,0.9,0.1,0:0.5", "21,random,1001,150,0.9,0.1,0:0.5",
    "20,random,1001,150,0.9,0.1,4:0.5 3:0.6", "20,random,1001,150,0.9,0.1,150:0.5", "20",
  ])
  func aLineThatIsNoRunIsNamed(_ line: String) throws {
    let workspace = try Workspace()
    try workspace.write(
      "search,tuner,seed,trials,optimum,seconds,steps\n\(line)\n", to: "runs.csv")
    let outcome = try workspace.run(
      "Benchmarks", Self.options + ["out", "--add", "runs.csv"])
    #expect(outcome.code == 1)
    #expect(outcome.error == "Error: runs.csv:2: no run of a search of this benchmark\n")
  }
}
