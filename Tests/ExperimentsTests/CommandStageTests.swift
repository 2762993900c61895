//! Stages that run a program of the user's: what is run, what is in the key, what is refused.

import Diagnostics
import Experiments
import Files
import Pipeline
import TestSupport
import Testing

@Suite struct CommandStageTests {
  let workspace: Workspace

  init() throws {
    workspace = try Workspace()
    try workspace.write("some data", to: "data.txt")
    try workspace.write("exit 0", to: "step.sh")
    try workspace.write(
      """
      pipeline: chains
      stages:
        load:
          kind: command
          run: sh ${inputs.script} ${inputs.data} ${output}/x.txt ${params.lr} ${params.opt.name} $$HOME
          params: {lr: 1e-3, opt: {name: "a b"}}
          inputs:
            data: \(workspace.path("data.txt"))
            script: \(workspace.path("step.sh"))
          outputs: [x.txt]
        search:
          kind: command
          run: [cp, "${inputs.load}/x.txt", "${output}/a=${params.n}", "$$5"]
          params: {n: 2.0}
          needs: load
          resources: {cores: 2, memory_gb: 0.5}
          retries: 3
        both:
          kind: command
          run: cat ${inputs.one} ${inputs.two}
          needs: {one: load, two: search}

      """, to: "chains.yaml")
  }

  private func resolve(_ overrides: String...) throws -> ResolvedPipeline {
    try ResolvedPipeline(
      PipelineRequest(path: workspace.path("chains.yaml"), overrides: overrides))
  }

  @Test func linesAndListsAreRead() throws {
    let stages = try resolve().graph.stages
    #expect(stages.map(\.name) == ["load", "search", "both"])
    let load = try #require(stages[0].command)
    #expect(load.words[0] == [.text("/bin/sh")])
    #expect(
      load.words[2] == [
        .text("sh "), .input("script"), .text(" "), .input("data"), .text(" "), .output,
        .text("/x.txt "), .text("0.001"), .text(" "), .text("'a b'"), .text(" $HOME"),
      ])
    #expect(load.quotesPaths && load.outputs == ["x.txt"])
    let search = try #require(stages[1].command)
    #expect(
      search.words == [
        [.text("cp")], [.input("load"), .text("/x.txt")], [.output, .text("/a="), .text("2")],
        [.text("$5")],
      ])
    #expect(!search.quotesPaths)
    #expect(stages[1].resources == Resources(cores: 2, memoryGB: 0.5))
    #expect(stages[1].retries == 3)
    #expect(stages[2].inputs.map(\.role) == ["one", "two"])
    #expect(try resolve().experiment == nil)
  }

  @Test func theKeyHasNoPath() throws {
    let stage = try resolve().graph.stages[0]
    #expect(
      Manifest(kind: stage.kind, version: stage.version, fields: stage.fields).lines == [
        "@kind = \"command\"", "@version = 1", "outputs[0] = \"x.txt\"", "params.lr = 0.001",
        "params.opt.name = \"a b\"",
        "run = \"sh ${inputs.script} ${inputs.data} ${output}/x.txt ${params.lr} "
          + "${params.opt.name} $$HOME\"",
      ])
    let same = try resolve("stages.load.params.lr=0.001", "stages.load.retries=2").graph.stages[0]
    #expect(same.fields == stage.fields && same.command == stage.command)
    let other = try resolve("stages.load.params.lr=0.5").graph.stages[0]
    #expect(other.fields != stage.fields)
    #expect(other.location(of: "params.lr")?.file == "--set stages.load.params.lr=0.5")
    #expect(stage.location(of: "params.lr")?.line == 6)
  }

  @Test func aTrainingMayComeBefore() throws {
    let small = try Workspace()
    for file in ["experiments/small.yaml", "pipelines/small.yaml"] {
      try small.copy(TestPaths.fixtures + "/small/" + file, to: file)
    }
    let text = try small.read("pipelines/small.yaml")
    try small.write(
      text + "  size: {kind: command, run: \"du ${inputs.pretrain}\", needs: pretrain}\n",
      to: "pipelines/small.yaml")
    let resolved = try ResolvedPipeline(PipelineRequest(path: small.path("pipelines/small.yaml")))
    let stage = try #require(resolved.graph.stages.first { $0.name == "size" })
    #expect(stage.command?.words[2] == [.text("du "), .input("pretrain")])
    #expect(resolved.experiment == "small")
  }
}
