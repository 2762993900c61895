//! `run` with a worker of the test's own: what is said, kept, skipped and laid out.

import Foundation
import TestSupport
import Testing

@Suite struct RunTests {
  let workspace: Workspace

  /// A worker that writes what it was told to do; $FAIL and $INTERRUPT name stages.
  private static let worker = #"""
    #!/bin/sh
    field() { sed -n "s/^ *\"$1\" *: *\"\(.*\)\",\{0,1\}\$/\1/p" "$2" | head -n 1; }
    output=$(field output "$1")
    stage=$(sed -n 's/^  "name" *: *"\(.*\)",\{0,1\}$/\1/p' "$1")
    echo "$stage" >> ran
    echo "about to do $stage" >&2
    if [ "$stage" = "$INTERRUPT" ]; then
      kill -INT $PPID
      exec sleep 60
    fi
    if [ "$stage" = "$FAIL" ]; then
      echo '{"event":"failure","message":"no such luck"}'
      exit 1
    fi
    echo '{"event":"progress","epoch":1,"epochs":2,"samples_per_second":812.4,"seconds_left":4.2}'
    sed '/"output"/d; /"inputs"/,/}/d; /"store"/d; /"log"/d; /"checkpoint"/d' "$1" > "$output/log.csv"
    echo '{"event":"metrics","metrics":{"accuracy":0.5123,"loss":1.25}}'
    """#

  init() throws {
    workspace = try Workspace.small()
    try workspace.write(Self.worker, to: "worker")
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o755], ofItemAtPath: workspace.path("worker"))
  }

  private func run(
    _ arguments: String..., environment: [String: String] = [:]
  ) throws -> CommandOutcome {
    try workspace.run(
      "shiftwork", ["run", "pipelines/small.yaml"] + arguments,
      environment: ["SHIFTWORK_WORKER": workspace.path("worker")]
        .merging(environment) { _, own in own })
  }

  /// Stages that the worker ran since the last call, in order.
  private func ran() throws -> [String] {
    let lines = (try? workspace.read("ran")) ?? ""
    try? FileManager.default.removeItem(atPath: workspace.path("ran"))
    return lines.split(separator: "\n").map(String.init)
  }

  @Test func runsOnceAndLaysResultsOut() throws {
    let first = try run()
    #expect(first.code == 0)
    #expect(first.error == "")
    #expect(try ran() == ["pretrain", "quantize", "fine_tune", "evaluate"])
    #expect(first.out.contains("pretrain   epoch 1/2  812 samples/s  4.2 s left\n"))
    #expect(!first.out.contains("\u{1B}"))
    #expect(first.out.hasSuffix("results: results/small/report.md, summary.csv\n"))
    let names = workspace.files.filter { $0.hasPrefix("results/") }
    #expect(names.contains("results/small/fine_tune/log.csv"))
    let summary = try workspace.read("results/small/summary.csv")
    #expect(summary.hasPrefix("stage,kind,seconds,artifact,accuracy,loss\npretrain,pretrain,"))
    #expect(try workspace.read("results/small/report.md").contains("| 0.5123 | 1.2500 |"))

    let second = try run()
    #expect(second.code == 0)
    #expect(try ran() == [])
    #expect(second.out.contains("evaluate   hit"))
    #expect(try workspace.read("results/small/summary.csv") == summary)
  }

  /// A run that finds nothing changed takes an earlier one's word, which has to be what it would say
  /// itself.
  @Test func whatDidNotChangeIsToldTheSame() throws {
    let snapshots = workspace.path(".shiftwork/snapshots")
    func runs(_ arguments: String) throws -> [String] {
      try [false, true].map { isForgotten in
        if isForgotten { try FileManager.default.removeItem(atPath: snapshots) }
        let outcome = try run("--color", arguments)
        #expect(outcome.code == 0)
        return outcome.out + outcome.error
      }
    }
    _ = try run("--color", "never")
    let plain = try runs("never")
    #expect(plain[0] == plain[1])
    #expect(plain[0].contains("evaluate   hit"))
    let colored = try runs("always")
    #expect(colored[0] == colored[1])
    #expect(colored[0].contains("\u{1B}"))
    #expect(try ran() == ["pretrain", "quantize", "fine_tune", "evaluate"])

    let history = try workspace.run("shiftwork", ["history"]).out
    #expect(history.matches(of: /0 ran, 4 there already/).count == 4)
    let ids = history.matches(of: /\d{8}T\d{6}-[0-9a-z]{4}/).map { String($0.0) }
    let stories = try Set(
      ids.prefix(4).map { id in
        try workspace.read(".shiftwork/runs/\(id)/events.jsonl")
          .replacing(/"time":[0-9.e]+/, with: "")
      })
    #expect(stories.count == 1)
    #expect(
      stories.first?.contains(#""stages":["pretrain","quantize","fine_tune","evaluate"]"#) == true)
  }

  @Test func aChangedFieldRunsWhatDependsOnIt() throws {
    _ = try run()
    _ = try ran()
    let plan = try workspace.run(
      "shiftwork", ["plan", "pipelines/small.yaml", "--set", "fine_tune.epochs=7"])
    #expect(
      plan.out == """
        pretrain:   hit
        quantize:   hit
        fine_tune:  run  fine_tune.epochs: 5 -> 7 (--set fine_tune.epochs=7)
        evaluate:   run  unless fine_tune comes out as before
        1 to run, 1 to run unless inputs come out equal, 2 there already

        """)
    #expect(try run("--set", "fine_tune.epochs=7").code == 0)
    #expect(try ran() == ["fine_tune", "evaluate"])
    try workspace.write(
      workspace.read("experiments/small.yaml")
        .replacingOccurrences(of: "fine_tune: {epochs: 5}", with: "fine_tune: {epochs: 9}"),
      to: "experiments/small.yaml")
    let edited = try workspace.run("shiftwork", ["plan", "pipelines/small.yaml"])
    #expect(edited.out.contains("-> 9 (experiments/small.yaml:12:21)\n"))
  }

  @Test func deletedResultsComeBackFromTheCache() throws {
    _ = try run()
    _ = try ran()
    let before = workspace.files.filter { $0.hasPrefix("results/") }
    try FileManager.default.removeItem(atPath: workspace.path("results/small/pretrain/log.csv"))
    try FileManager.default.removeItem(atPath: workspace.path("results/small/quantize"))
    #expect(try run().code == 0)
    #expect(try ran() == [])
    #expect(workspace.files.filter { $0.hasPrefix("results/") } == before)
  }

  @Test func aFailedStageIsToldAtOnce() throws {
    let outcome = try run(environment: ["FAIL": "quantize"])
    #expect(outcome.code == 1)
    #expect(outcome.error.hasPrefix("error: stage `quantize` failed: no such luck\n"))
    #expect(outcome.error.contains("pipelines/small.yaml:5:3"))
    #expect(outcome.error.contains("about to do quantize"))
    #expect(outcome.out.contains("fine_tune  skipped"))
    #expect(try ran() == ["pretrain", "quantize"])
    #expect(try run().code == 0)
    #expect(try ran() == ["quantize", "fine_tune", "evaluate"])
  }

  @Test func keepGoingRunsWhatItCan() throws {
    let text = try workspace.read("pipelines/small.yaml")
    try workspace.write(
      text + "  measure: {kind: evaluate, needs: pretrain}\n", to: "pipelines/small.yaml")
    let outcome = try run("--keep-going", environment: ["FAIL": "quantize"])
    #expect(outcome.code == 1)
    #expect(Set(try ran()) == ["pretrain", "quantize", "measure"])
  }

  @Test func interruptedItGoesOnFromThere() throws {
    let outcome = try run(environment: ["INTERRUPT": "fine_tune"])
    #expect(outcome.code == 130)
    #expect(
      outcome.error
        == "interrupted: finished stages and trials are kept, and the same command goes on\n")
    #expect(try ran() == ["pretrain", "quantize", "fine_tune"])
    #expect(try run().code == 0)
    #expect(try ran() == ["fine_tune", "evaluate"])
  }

  @Test func eventsAreJSON() throws {
    let outcome = try run("--json")
    let events = try outcome.out.split(separator: "\n").map {
      try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
    }
    let states = events.compactMap { event -> String? in
      guard event?["stage"] as? String == "fine_tune" else { return nil }
      return event?["state"] as? String
    }
    #expect(states == ["running", "progress", "done"])
    let done = events.last.flatMap { $0 }
    #expect((done?["metrics"] as? [String: Any])?["accuracy"] as? Double == 0.5123)
    #expect((done?["key"] as? String)?.count == 64)
  }
}
