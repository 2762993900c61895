//! The comparison with QKeras: who takes turns, and what is left when the other side fails. A script
//! stands for QKeras.

import TestSupport
import Testing

@Suite struct CompareTests {
  private static func compare(with script: String) throws -> (Workspace, CommandOutcome) {
    let workspace = try Workspace()
    try workspace.write(script, to: "Tests/Fixtures/golden/qkeras_step.py")
    let outcome = try workspace.run(
      "Benchmarks",
      [
        "compare", "--networks", "fc_autoencoder", "--threads", "1", "--rounds", "1", "--seconds",
        "0.6", "--qkeras", "/bin/sh", "--output", "out",
      ])
    return (workspace, outcome)
  }

  /// The figures of a measurement, by their names.
  private static func figures(_ workspace: Workspace, of measurement: String) throws -> [String:
    String]
  {
    let lines = try workspace.read("out/rounds.csv").split(separator: "\n")
      .map { $0.split(separator: ",").map(String.init) }
    return Dictionary(
      uniqueKeysWithValues: lines.filter { $0[2] == measurement }.map { ($0[4], $0[5]) })
  }

  @Test func bothSidesTakeTurns() throws {
    let (workspace, outcome) = try Self.compare(
      with: """
        echo "$@" > asked
        echo ready
        while read -r line; do echo "$line" >> turns; echo ready; done
        echo qkeras batch=100 step_ms=1000 first_step_s=1000 peak_mb=10000 process_s=1
        """)
    #expect(outcome.code == 0, "\(outcome.error)")
    #expect(try workspace.read("turns") == "turn\nturn\n")
    let asked = try workspace.read("asked")
    #expect(asked.hasPrefix("fc_autoencoder --threads 1 --started "))
    #expect(asked.hasSuffix(" --seconds 0.5 --by-turns\n"))
    let ours = try Self.figures(workspace, of: "step")
    let steps = try #require(ours["steps"].flatMap { Double($0) })
    #expect(steps >= 2)
    #expect(try Self.figures(workspace, of: "qkeras")["step_ms"] == "1000.0")
    let row = try workspace.read("out/bench.csv").split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false)
    }
    let speedup = try #require(row[0].firstIndex(of: "speedup"))
    #expect(Double(row[1][speedup]).map { $0 > 1 } == true)
  }

  @Test(arguments: [
    ("echo its own words >&2; exit 3", "ended with code 3; it said last: its own words"),
    ("echo ready; read line; kill -9 $$", "was ended by signal 9"),
    ("echo ready; while read -r line; do echo ready; done", "printed no figures"),
  ])
  func oursAreKeptWhereTheOtherSideFails(script: String, how: String) throws {
    let (workspace, outcome) = try Self.compare(with: script)
    #expect(outcome.code == 1)
    #expect(outcome.error.contains("fc_autoencoder: qkeras on 1 threads \(how)\n"))
    #expect(try Self.figures(workspace, of: "step")["step_ms"] != nil)
    #expect(try Self.figures(workspace, of: "qkeras").isEmpty)
  }
}
