//! The binary's face: subcommands, output, exit codes.

import Foundation
import TestSupport
import Testing

@Suite struct CommandLineTests {
  @Test func versionIsPrinted() throws {
    let workspace = try Workspace()
    for arguments in [["--version"], ["version"]] {
      let outcome = try workspace.run("shiftwork", arguments)
      #expect(outcome.code == 0)
      #expect(outcome.out == "0.1.0\n")
      #expect(outcome.error == "")
    }
  }

  @Test func helpNamesEverySubcommand() throws {
    let outcome = try Workspace().run("shiftwork", ["--help"])
    #expect(outcome.code == 0)
    for name in ["run", "plan", "check", "graph", "stats", "data", "version"] {
      #expect(outcome.out.contains("\n  \(name) "))
    }
  }

  @Test(arguments: [
    ["fly"], ["run"], ["plan", "pipelines/small.yaml", "--nonsense"],
    ["run", "pipelines/small.yaml", "-j", "0"], ["run", "pipelines/small.yaml", "-j", "many"],
    ["graph", "pipelines/small.yaml", "--format", "png"], ["plan", "pipelines/none.yaml"],
  ])
  func wrongUsageIsTwo(_ arguments: [String]) throws {
    let outcome = try Workspace.small().run("shiftwork", arguments)
    #expect(outcome.code == 2)
    #expect(outcome.out == "")
    #expect(outcome.error.hasPrefix("Error: ") || outcome.error.hasPrefix("error: "))
  }

  @Test func planSaysWhatWouldRun() throws {
    let outcome = try Workspace.small().run("shiftwork", ["plan", "pipelines/small.yaml"])
    #expect(outcome.code == 0)
    #expect(outcome.error == "")
    #expect(
      outcome.out == """
        pretrain:   run  never ran
        quantize:   run  never ran
        fine_tune:  run  never ran
        evaluate:   run  never ran
        4 to run

        """)
  }

  @Test func planHasJSON() throws {
    let outcome = try Workspace.small().run(
      "shiftwork", ["plan", "pipelines/small.yaml", "--json"])
    let lines = outcome.out.split(separator: "\n")
    #expect(lines.count == 4)
    let first = try JSONSerialization.jsonObject(with: Data(lines[0].utf8)) as? [String: Any]
    #expect(first?["stage"] as? String == "pretrain")
    #expect(first?["state"] as? String == "run")
    #expect((first?["key"] as? String)?.count == 64)
  }

  @Test func anExperimentMeansThePipelineOfItsName() throws {
    let workspace = try Workspace.small()
    let one = try workspace.run("shiftwork", ["plan", "experiments/small.yaml", "--json"])
    let other = try workspace.run("shiftwork", ["plan", "pipelines/small.yaml", "--json"])
    #expect(one.code == 0)
    #expect(one.out == other.out)
  }

  @Test func dryRunIsThePlan() throws {
    let workspace = try Workspace.small()
    let plan = try workspace.run("shiftwork", ["plan", "pipelines/small.yaml"])
    let dry = try workspace.run("shiftwork", ["run", "pipelines/small.yaml", "--dry-run"])
    #expect(dry.out == plan.out)
    #expect(!workspace.files.contains { $0.hasPrefix("results") })
  }

  @Test func checkReportsEveryFile() throws {
    let workspace = try Workspace.small()
    let outcome = try workspace.run("shiftwork", ["check"])
    #expect(outcome.code == 0)
    #expect(
      outcome.out == """
        experiments/small.yaml: 4 stages over experiment small
        pipelines/small.yaml: 4 stages over experiment small

        """)
    try workspace.write("pipeline: wrong\n", to: "pipelines/wrong.yaml")
    let faulty = try workspace.run("shiftwork", ["check"])
    #expect(faulty.code == 2)
    #expect(faulty.out == outcome.out)
    #expect(faulty.error.contains("pipelines/wrong.yaml:1:1"))
  }

  @Test func checkWarnsOfSilentAlpha() throws {
    let workspace = try Workspace.small()
    let text = try workspace.read("experiments/small.yaml")
      .replacingOccurrences(
        of: "kernel: quantized_bits(8,8,1,1,alpha='auto')", with: "kernel: quantized_bits(8,0,1)")
    try workspace.write(text, to: "experiments/small.yaml")
    let outcome = try workspace.run("shiftwork", ["check", "pipelines/small.yaml"])
    #expect(outcome.code == 0)
    #expect(outcome.error.hasPrefix("warning: "))
    #expect(outcome.error.contains("experiments/small.yaml:8:11"))
    #expect(outcome.error.contains("auto_po2"))
  }

  @Test func graphsAreDrawn() throws {
    let workspace = try Workspace.small()
    let dot = try workspace.run("shiftwork", ["graph", "pipelines/small.yaml"])
    #expect(dot.out.hasPrefix("digraph pipeline {\n"))
    #expect(dot.out.contains("\"fine_tune\" -> \"evaluate\";"))
    let mermaid = try workspace.run(
      "shiftwork", ["graph", "pipelines/small.yaml", "--format", "mermaid"])
    #expect(mermaid.out.contains("s0 --> s1"))
  }

  @Test func coloursOnlyWhenAskedFor() throws {
    let workspace = try Workspace.small()
    try workspace.write("pipeline: wrong\n", to: "pipelines/wrong.yaml")
    let plain = try workspace.run("shiftwork", ["plan", "pipelines/wrong.yaml"])
    #expect(!plain.error.contains("\u{1B}"))
    let colored = try workspace.run(
      "shiftwork", ["plan", "pipelines/wrong.yaml", "--color", "always"])
    #expect(colored.error.contains("\u{1B}"))
  }
}
