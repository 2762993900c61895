//! What is asked of the runner besides `run`: parts of a pipeline, reasons, runs, what can go.

import Foundation
import TestSupport
import Testing

@Suite struct RunnerCommandsTests {
  let workspace: Workspace

  init() throws {
    workspace = try Workspace()
    try workspace.write("some data\n", to: "data.txt")
    try workspace.write(
      """
      pipeline: chain
      stages:
        load:
          kind: command
          inputs: {data: data.txt}
          run: cp ${inputs.data} ${output}/o
        train:
          kind: command
          params: {rate: 1}
          needs: load
          run: cat ${inputs.load}/o > ${output}/o; echo ${params.rate} >> ${output}/o; echo said
        measure:
          kind: command
          needs: train
          run: 'echo "{\\"bytes\\": $$(wc -c < ${inputs.train}/o)}" > ${output}/metrics.json'

      """, to: "pipelines/chain.yaml")
  }

  private func shiftwork(_ arguments: String...) throws -> CommandOutcome {
    try workspace.run("shiftwork", arguments)
  }

  private func run(_ arguments: String...) throws -> CommandOutcome {
    try workspace.run("shiftwork", ["run", "pipelines/chain.yaml"] + arguments)
  }

  /// Without what differs from run to run.
  private func masked(_ text: String) -> String {
    text.replacing(/[0-9a-f]{64}/, with: "KEY").replacing(/\d{8}T\d{6}-[0-9a-z]{4}/, with: "RUN")
      .replacing(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/, with: "TIME")
      .replacing(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/, with: "TIME").replacing(/\d\.\d s/, with: "T s")
      .replacing(/[0-9.]+ (bytes|kB)/, with: "N B")
  }

  private func states(_ outcome: CommandOutcome) -> [String] {
    outcome.out.split(separator: "\n").compactMap { line in
      let value = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      guard let stage = value?["stage"] as? String, let state = value?["state"] as? String,
        state != "running"
      else { return nil }
      return "\(stage) \(state)"
    }
  }

  @Test func partsOfAPipeline() throws {
    #expect(states(try run("train", "--json")) == ["load done", "train done"])
    #expect(
      states(try run("--until", "train", "--force", "lo*", "--json")) == [
        "load done", "train hit",
      ])
    #expect(
      states(try run("--from", "measure", "--json")) == [
        "load hit", "train hit", "measure done",
      ])
    let changed = try run("--from", "measure", "--set", "stages.train.params.rate=2")
    #expect(changed.code == 2)
    #expect(
      changed.error == """
        error: stage `train` is needed, but its output is not there
         --> pipelines/chain.yaml:7:3
          = run it first, or leave --from out

        """)
    let unknown = try run("trian", "--from", "*/x")
    #expect(unknown.code == 2)
    #expect(unknown.error.contains("error: there is no stage `trian`"))
    #expect(unknown.error.contains("did you mean `train`?"))
    #expect(unknown.error.contains("error: no stage is named like `*/x`"))
    #expect(try run("--memory-gb", "0").code == 2)
    #expect(try run("--retries", "-1").code == 2)
  }

  @Test func explainTellsAll() throws {
    _ = try run()
    let outcome = try shiftwork("explain", "pipelines/chain.yaml", "train")
    #expect(
      masked(outcome.out) == """
        train  kind command, code version 1  pipelines/chain.yaml:7:3
        state        hit
        plan key     KEY
        content key  KEY
        output       .shiftwork/artifacts/KEY
        made         in T s by run RUN
        log          .shiftwork/logs/KEY.log
        manifest
          @kind = "command"
          @version = 1
          outputs = []
          params.rate = 1
          run = "cat ${inputs.load}/o > ${output}/o; echo ${params.rate} >> ${output}/o; echo said"
          @inputs.load = "artifact KEY"

        """)
    let changed = try shiftwork(
      "explain", "pipelines/chain.yaml", "measure", "--set", "stages.train.params.rate=2")
    #expect(changed.out.contains("state        run  unless train comes out as before\n"))
    #expect(changed.out.contains("content key  not known before its inputs are there\n"))
    let plan = try shiftwork("plan", "pipelines/chain.yaml", "--explain")
    #expect(
      masked(plan.out) == """
        load:     hit  made by run RUN in T s
        train:    hit  made by run RUN in T s
        measure:  hit  made by run RUN in T s
        everything is there: 3 stages

        """)
    let unknown = try shiftwork("explain", "pipelines/chain.yaml", "measrue")
    #expect(unknown.code == 2)
    #expect(unknown.error.contains("did you mean `measure`?"))
  }

  @Test func acceptedChangesAreOnRecord() throws {
    let change = ["--set", "stages.train.params.rate=2"]
    let early = try shiftwork("accept", "pipelines/chain.yaml", "load")
    #expect(early.code == 2)
    #expect(early.error.contains("stage `load` has no earlier output that is still whole"))
    _ = try run()
    let accepted = try workspace.run(
      "shiftwork", ["accept", "pipelines/chain.yaml", "train"] + change)
    #expect(accepted.code == 0)
    #expect(
      accepted.out == """
        train  accepted, though it differs from the run that made its output:
            params.rate: 1 -> 2 (--set stages.train.params.rate=2)

        """)
    let plan = try workspace.run("shiftwork", ["plan", "pipelines/chain.yaml"] + change)
    #expect(plan.out.hasSuffix("everything is there: 3 stages\n"))
    let explained = try workspace.run(
      "shiftwork", ["explain", "pipelines/chain.yaml", "train"] + change)
    #expect(explained.out.contains("\naccepted     by "))
    #expect(
      masked(try shiftwork("history").out).contains(
        " accepted train: params.rate: 1 -> 2 (--set stages.train.params.rate=2)\n"))
    let again = try workspace.run(
      "shiftwork", ["accept", "pipelines/chain.yaml", "train"] + change)
    #expect(again.code == 2)
    #expect(again.error.contains("there is nothing to accept"))
  }

  @Test func runsAreTold() throws {
    #expect(try shiftwork("status").out == "nothing runs\n")
    #expect(try shiftwork("history").out == "no runs so far\n")
    let failed = try run("--set", "stages.train.run=echo no such luck; exit 3")
    #expect(failed.code == 1)
    _ = try run()
    #expect(
      masked(try shiftwork("status").out) == """
        nothing runs
        the last run: RUN  chain  done in T s: 2 ran, 1 there already

        """)
    let history = try shiftwork("history")
    #expect(
      masked(history.out) == """
        run                   began                pipeline  outcome  took   stages
        RUN  TIME  chain     done     T s  2 ran, 1 there already
        RUN  TIME  chain     failed   T s  1 ran, 0 there already, 1 failed, 1 skipped

        """)
    let ids = history.out.matches(of: /\d{8}T\d{6}-[0-9a-z]{4}/).map { String($0.0) }
    let one = try shiftwork("history", try #require(ids.last))
    #expect(one.out.contains("train    failed"))
    #expect(one.out.contains("the command exited with code 3  log: .shiftwork/logs/"))
    #expect(try shiftwork("history", "20260101T000000-none").code == 2)
    #expect(try shiftwork("log", "train").out == "said\n")
    #expect(try shiftwork("log", "train", "--run", try #require(ids.last)).out == "no such luck\n")
    #expect(try shiftwork("log", "train", "-f").out == "said\n")
    let unknown = try shiftwork("log", "trian")
    #expect(unknown.code == 2)
    #expect(unknown.error.contains("did you mean `train`?"))
    let trace = try Data(
      contentsOf: URL(fileURLWithPath: workspace.path(".shiftwork/runs/\(ids[0])/trace.json")))
    let events = try #require(try JSONSerialization.jsonObject(with: trace) as? [[String: Any]])
    #expect(Set(events.compactMap { $0["name"] as? String }).isSuperset(of: ["train", "measure"]))
  }

  /// The stage itself asks what runs.
  @Test func statusKnowsWhatRuns() throws {
    let program = Workspace.products + "/shiftwork"
    try workspace.write(
      """
      pipeline: self
      stages:
        ask:
          kind: command
          run: "\(program) status --json > ${output}/status.json; \(program) status"

      """, to: "pipelines/self.yaml")
    #expect(try shiftwork("run", "pipelines/self.yaml").code == 0)
    let status = try workspace.read("results/self/ask/status.json")
    let value = try JSONSerialization.jsonObject(with: Data(status.utf8)) as? [String: Any]
    #expect(value?["outcome"] as? String == "running")
    let stages = value?["stages"] as? [[String: Any]]
    #expect(stages?.first?["stage"] as? String == "ask")
    #expect(stages?.first?["state"] as? String == "running")
    let text = try shiftwork("log", "ask").out
    #expect(text.contains("  0 done, 0 there already, 1 running, 0 to go\n"))
  }

  @Test func gcRemovesWhatNothingNeeds() throws {
    _ = try run()
    _ = try run("--set", "stages.train.params.rate=2")
    let dry = try shiftwork("gc")
    #expect(dry.code == 0)
    #expect(dry.out.contains("artifact"))
    #expect(masked(dry.out).contains("; --delete does\n"))
    let young = try shiftwork("gc", "--older-than", "1d")
    #expect(masked(young.out) == "nothing to remove; the cache takes N B\n")
    #expect(try shiftwork("gc", "--older-than", "soon").code == 2)
    #expect(try shiftwork("gc", "--delete").code == 0)
    #expect(masked(try shiftwork("gc").out) == "nothing to remove; the cache takes N B\n")
    let plan = try shiftwork("plan", "pipelines/chain.yaml")
    #expect(plan.out.hasSuffix("everything is there: 3 stages\n"))
    let other = try shiftwork(
      "plan", "pipelines/chain.yaml", "--set", "stages.train.params.rate=2")
    #expect(other.out.contains("1 to run"))
  }

  @Test func manyHitsAreCounted() throws {
    let stages = (1...45).map { "  s\($0): {kind: command, params: {n: \($0)}, run: 'true'}\n" }
    try workspace.write(
      "pipeline: many\nstages:\n" + stages.joined(), to: "pipelines/many.yaml")
    #expect(try shiftwork("run", "pipelines/many.yaml").code == 0)
    #expect(
      try shiftwork("run", "pipelines/many.yaml").out == """
        45 stages were there already
        results: results/many/report.md, summary.csv

        """)
    #expect(
      try shiftwork("plan", "pipelines/many.yaml").out == "everything is there: 45 stages\n")
    let one = try shiftwork("plan", "pipelines/many.yaml", "--set", "stages.s7.params.n=0")
    #expect(
      one.out == """
        s7:   run  params.n: 7 -> 0 (--set stages.s7.params.n=0)
        1 to run, 44 there already

        """)
    try FileManager.default.removeItem(atPath: workspace.path("results/many/s9"))
    #expect(try shiftwork("run", "pipelines/many.yaml").code == 0)
    #expect(FileManager.default.fileExists(atPath: workspace.path("results/many/s9")))
  }

  @Test func graphsAndCompletions() throws {
    let graph = try shiftwork("graph", "pipelines/chain.yaml", "--json").out.split(separator: "\n")
    #expect(
      graph.last.map(String.init)
        == #"{"inputs":{"train":{"stage":"train"}},"kind":"command","needs":["train"],"stage":"measure"}"#
    )
    for shell in ["bash", "zsh", "fish"] {
      let outcome = try shiftwork("completions", shell)
      #expect(outcome.code == 0)
      #expect(outcome.out.contains("explain"))
    }
    let check = try shiftwork("check", "pipelines/chain.yaml", "--json")
    #expect(check.out.hasPrefix(#"{"file":"pipelines/chain.yaml","summary":"3 stages"#))
  }
}
