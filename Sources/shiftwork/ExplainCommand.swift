//! `explain`: all that is known of one stage. Finds out nothing that a plan does not.

import ArgumentParser
import Experiments
import Files
import Pipeline

struct ExplainCommand: ColoringCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Print all that decides a stage's result, its keys, its output, and why it would run."
  )

  @OptionGroup var pipeline: PipelineOptions
  @Argument(help: "Stages, or patterns such as '*/evaluate'.")
  var stages: [String]
  @OptionGroup var store: StoreOptions
  @Flag(help: "One JSON object a stage.")
  var json = false

  var color: ColorChoice { pipeline.fields.color }

  func run() throws {
    let resolved = try pipeline.resolve()
    let store = try Store(root: store.store)
    let named = try StageSelection(StageRequest(targets: stages), in: resolved.graph)
    let plan = try Plan(graph: named.graph, store: store)
    let asked = try StageSelection(StageRequest(forced: stages), in: named.graph).forced
    for (index, entry) in plan.entries.filter({ asked.contains($0.stage.name) }).enumerated() {
      let explanation = Explanation(entry, in: store, style: style)
      if json {
        Console.out(explanation.json.canonicalText)
      } else {
        if index > 0 { Console.out("") }
        for line in explanation.lines { Console.out(line) }
      }
    }
  }

  private var style: Style { Style(isColored: color.applies(to: 1)) }
}

/// All that is known of a stage, as lines or JSON.
struct Explanation {
  let entry: Plan.Entry
  let store: Store
  let style: Style

  init(_ entry: Plan.Entry, in store: Store, style: Style) {
    self.entry = entry
    self.store = store
    self.style = style
  }

  private var record: Record? {
    if case .hit(let record) = entry.state { record } else { nil }
  }

  private var stateName: String {
    switch entry.state {
    case .hit: "hit"
    case .run: "run"
    case .runUnlessEqual: "run_unless_equal"
    }
  }

  private var reasons: [String] {
    switch entry.state {
    case .hit: []
    case .run(let reasons): reasons.flatMap { PlanPrinter.texts($0, stage: entry.stage) }
    case .runUnlessEqual(let inputs):
      [
        "unless " + inputs.joined(separator: ", ")
          + (inputs.count == 1 ? " comes out as before" : " come out as before")
      ]
    }
  }

  private var log: String? {
    entry.contentKey.map(store.logPath).flatMap { Files.exists($0) ? $0 : nil }
  }

  var lines: [String] {
    let stage = entry.stage
    let place = stage.location.map { "  \($0)" } ?? ""
    var lines = [
      "\(style.bold(stage.name))  kind \(stage.kind), code version \(stage.version)\(place)"
    ]
    switch entry.state {
    case .hit: lines.append("state        \(style.green("hit"))")
    case .run, .runUnlessEqual:
      for (index, reason) in reasons.enumerated() {
        lines.append(
          (index == 0 ? "state        \(style.yellow("run"))  " : "                  ") + reason)
      }
    }
    lines.append("plan key     \(entry.planKey)")
    lines.append(
      "content key  " + (entry.contentKey?.hex ?? "not known before its inputs are there"))
    if let record {
      lines.append("output       \(store.path(of: record.artifact))")
      let run = record.run.map { " by run \($0)" } ?? ""
      lines.append("made         in \(Text.duration(record.seconds))\(run)")
      if let acceptance = record.acceptance {
        lines.append(
          "accepted     by \(acceptance.user) on \(acceptance.host), \(acceptance.time)")
        lines += acceptance.differences.map { "             \($0)" }
      }
    }
    if let log { lines.append("log          \(log)") }
    lines.append("manifest")
    lines += entry.manifest.lines.map { "  \($0)" }
    return lines
  }

  var json: JSONValue {
    var members: [String: JSONValue] = [
      "stage": .string(entry.stage.name), "kind": .string(entry.stage.kind),
      "version": .int(entry.stage.version), "state": .string(stateName),
      "plan_key": .string(entry.planKey.hex),
      "reasons": .array(reasons.map { .string($0) }), "manifest": entry.manifest.json,
    ]
    members["location"] = entry.stage.location.map { .string("\($0)") }
    members["content_key"] = entry.contentKey.map { .string($0.hex) }
    members["log"] = log.map { .string($0) }
    if let record {
      members["artifact"] = .string(record.artifact.hex)
      members["output"] = .string(store.path(of: record.artifact))
      members["seconds"] = .double(record.seconds)
      members["run"] = record.run.map { .string($0) }
      members["accepted"] = record.acceptance?.json
    }
    return .object(members)
  }
}
