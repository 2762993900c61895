//! `plan`: what would run, and why.

import ArgumentParser
import Experiments
import Files
import Pipeline

struct PlanCommand: ColoringCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Print what would run and why: every stage a hit, a run, or a run unless its inputs "
      + "come out as they were.")

  @OptionGroup var pipeline: PipelineOptions
  @OptionGroup var selection: SelectionOptions
  @OptionGroup var store: StoreOptions
  @Flag(help: "One JSON object a stage.")
  var json = false
  @Flag(help: "Of stages that are there also say which run made them, and what was accepted.")
  var explain = false

  var color: ColorChoice { pipeline.fields.color }

  func run() throws {
    let resolved = try pipeline.resolve()
    let plan = try selection.plan(resolved, store: Store(root: store.store))
    PlanPrinter(json: json, color: pipeline.fields.color, explains: explain).print(plan)
  }
}

/// A plan as lines.
struct PlanPrinter {
  let json: Bool
  let style: Style
  let explains: Bool
  /// More changes than this that one line of YAML made are told together.
  private static let changeLimit = 3
  /// More stages than this that are there already are counted, not listed.
  private static let shownHits = 40

  init(json: Bool, color: ColorChoice, explains: Bool = false) {
    self.json = json
    self.explains = explains
    style = Style(isColored: color.applies(to: 1))
  }

  func print(_ plan: Plan) {
    let width = plan.entries.map(\.stage.name.count).max() ?? 0
    var counts = (hit: 0, run: 0, open: 0)
    for entry in plan.entries {
      switch entry.state {
      case .hit: counts.hit += 1
      case .run: counts.run += 1
      case .runUnlessEqual: counts.open += 1
      }
    }
    let showsHits = json || explains || counts.hit <= Self.shownHits
    var output = BufferedOutput()
    for entry in plan.entries {
      if case .hit = entry.state, !showsHits { continue }
      if json {
        output.add(object(entry).canonicalText)
      } else {
        for line in lines(entry, width: width) { output.add(line) }
      }
    }
    output.flush()
    guard !json else { return }
    if counts.hit == plan.entries.count {
      Console.out("everything is there: \(counts.hit) stages")
    } else {
      var parts = ["\(counts.run) to run"]
      if counts.open > 0 { parts.append("\(counts.open) to run unless inputs come out equal") }
      if counts.hit > 0 { parts.append("\(counts.hit) there already") }
      Console.out(parts.joined(separator: ", "))
    }
  }

  private func lines(_ entry: Plan.Entry, width: Int) -> [String] {
    let name = Text.padded(entry.stage.name + ":", to: width + 3)
    switch entry.state {
    case .hit(let record):
      return [name + style.green("hit") + (explains ? Self.origin(of: record) : "")]
    case .runUnlessEqual(let inputs):
      let those = inputs.joined(separator: ", ")
      let verb = inputs.count == 1 ? "comes" : "come"
      return [name + style.yellow("run") + "  unless \(those) \(verb) out as before"]
    case .run(let reasons):
      let why = reasons.flatMap { Self.texts($0, stage: entry.stage) }
      let indent = Text.padded("", to: width + 3 + 5)
      return why.enumerated().map { index, text in
        index == 0 ? name + style.yellow("run") + "  " + text : indent + text
      }
    }
  }

  /// `  made by run 20261128T101500-k3x9 in 3.2 s; accepted by ada: seed: 1 -> 2`
  private static func origin(of record: Record) -> String {
    let run = record.run.map { " by run \($0)" } ?? ""
    let text = "  made\(run) in \(Text.duration(record.seconds))"
    guard let acceptance = record.acceptance else { return text }
    return text + "; accepted by \(acceptance.user): "
      + acceptance.differences.joined(separator: ", ")
  }

  /// A reason as lines, its fields named as the user addresses them.
  static func texts(_ reason: Reason, stage: Stage) -> [String] {
    guard case .fieldsChanged(let changes) = reason else { return ["\(reason)"] }
    var groups: [(first: FieldChange, count: Int)] = []
    for change in changes {
      if let index = groups.firstIndex(where: { Self.belong($0.first, change) }) {
        groups[index].count += 1
      } else {
        groups.append((change, 1))
      }
    }
    return groups.flatMap { first, count in
      guard count > changeLimit else {
        return changes.filter { belong(first, $0) }.map { "\(shown($0, of: stage))" }
      }
      return ["\(shown(first, of: stage)) and \(count - 1) more like it"]
    }
  }

  private static func belong(_ one: FieldChange, _ other: FieldChange) -> Bool {
    one.old == other.old && one.new == other.new && one.location == other.location
  }

  private static func shown(_ change: FieldChange, of stage: Stage) -> FieldChange {
    var change = change
    change.path = FieldPath.shown(change.path, kind: stage.kind)
    return change
  }

  private func object(_ entry: Plan.Entry) -> JSONValue {
    var members: [String: JSONValue] = [
      "stage": .string(entry.stage.name), "kind": .string(entry.stage.kind),
      "version": .int(entry.stage.version),
      "key": .string((entry.contentKey ?? entry.planKey).hex),
    ]
    switch entry.state {
    case .hit(let record):
      members["state"] = .string("hit")
      members["artifact"] = .string(record.artifact.hex)
      if explains {
        members["run"] = record.run.map { .string($0) }
        members["accepted"] = record.acceptance?.json
      }
    case .run(let reasons):
      members["state"] = .string("run")
      members["reasons"] = .array(
        reasons.flatMap { Self.texts($0, stage: entry.stage) }.map { .string($0) })
    case .runUnlessEqual(let inputs):
      members["state"] = .string("run_unless_equal")
      members["inputs"] = .array(inputs.map { .string($0) })
    }
    return .object(members)
  }
}
