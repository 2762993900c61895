//! A pipeline's file, read: which stages there are and what each needs. Knows no experiment.

import Diagnostics
import Pipeline
import Specs

/// One entry of `stages`.
struct StageEntry {
  var name: String
  /// Where the name stands.
  var key: Node
  var kind: StageKind
  /// The stage whose network this one works on.
  var needs: (name: String, node: Node)?
  /// What a command runs and takes.
  var command: CommandSpec?
  var memoryGB: Double = 0
  var retries = 0
  var to: SwitchAlphaFields.Target?
  /// Names, classes and regexes of the layers to switch.
  var layers: [Node]?
  /// What this stage trains differently from its kind's section.
  var training: TrainingSection
  var locations: [String: SourceLocation]
}

/// What a pipeline says besides its stages' fields, which a sweep may vary.
struct PipelineSpec {
  var name = ""
  /// A name or a path, and where it stands.
  var experiment: (text: String, node: Node?) = ("", nil)
  /// Whether a stage is of an experiment.
  private(set) var needsExperiment = true
  /// Overrides of the experiment's fields, in the order written.
  private(set) var overrides: [Override] = []
  /// The stages' names, in the order written.
  private(set) var stages: [String] = []
  private(set) var sweep: Node?

  /// - Parameter expand: writes variables out.
  init(_ root: Node, faults: FaultCollector, expand: (Node) -> Node) {
    var written = root
    if case .mapping(var entries) = root.value {
      for index in entries.indices where ["pipeline", "experiment"].contains(entries[index].name) {
        entries[index].value = expand(entries[index].value)
      }
      written.value = .mapping(entries)
    }
    var section = Section(written, in: "the pipeline", faults: faults)
    name = section.string("pipeline")
    // Commands need none.
    let isOfCommands = Self.hasOnlyCommands(root)
    let text = isOfCommands ? section.optionalString("experiment") : section.string("experiment")
    experiment = (text ?? "", root["experiment"])
    needsExperiment = !isOfCommands || text != nil
    if let child = section.section("set"), case .mapping(let entries) = child.node.value {
      for entry in entries {
        if let override = Override(entry) {
          overrides.append(override)
        } else {
          faults.add(entry.key.diagnostic("`\(entry.name)` is no path of a field"))
        }
      }
    }
    if let child = section.section("stages"), case .mapping(let entries) = child.node.value {
      for entry in entries { Self.check(entry.name, at: entry.key, faults: faults) }
      stages = entries.map(\.name)
      if entries.isEmpty { faults.add(child.node.diagnostic("the pipeline has no stage")) }
    } else if !section.has("stages"), !root.hasMisspelt("stages") {
      faults.add(root.diagnostic("the pipeline needs `stages`"))
    }
    sweep = section.node("sweep")
    for key in ["variables", "environment"] { _ = section.has(key) }
    section.rejectUnknownKeys()
    if root["pipeline"] != nil { Self.check(name, at: root["pipeline"], faults: faults) }
  }

  private static func hasOnlyCommands(_ root: Node) -> Bool {
    guard case .mapping(let entries)? = root["stages"]?.value, !entries.isEmpty else {
      return false
    }
    return entries.allSatisfy { entry in
      if case .string(StageKind.command.rawValue)? = entry.value["kind"]?.value { return true }
      return entry.name == StageKind.command.rawValue && entry.value["kind"] == nil
    }
  }

  private static let impliedTargets: [(name: String, target: SwitchAlphaFields.Target)] = [
    ("switch_to_auto", .auto), ("switch_to_auto_po2", .autoPo2), ("switch_to_best_po2", .bestPo2),
  ]

  /// A stage's name and needs alone, of a faulty entry too.
  static func outline(_ entry: Node.Entry) -> Stage {
    // The roles do not matter here.
    var inputs: [(role: String, source: Source)] = []
    for (index, node) in entry.value.namesOfNeeds.enumerated() {
      guard case .string(let needs) = node.value, !prepares(needs) else { continue }
      inputs.append(("\(index)", .stage(needs, location: node.location)))
    }
    return Stage(name: entry.name, kind: "", inputs: inputs, location: entry.key.location)
  }

  /// A stage's fields; nil after faults. `space` fills in a command's `run`.
  static func stage(_ entry: Node.Entry, in space: FieldSpace) -> StageEntry? {
    let (name, faults) = (entry.name, space.faults)
    guard var section = Section.mapping(entry.value, in: "stage \(name)", faults: faults) else {
      return nil
    }
    let implied = impliedTargets.first { $0.name == name }?.target
    let kind: StageKind
    if let node = section.node("kind") {
      guard let named = node.choice(of: StageKind.self, named: "kind of stage", faults),
        isWritten(named, at: node, faults: faults)
      else { return nil }
      kind = named
    } else if let named = StageKind(rawValue: name) ?? implied.map({ _ in .switchAlpha }) {
      guard isWritten(named, at: entry.key, faults: faults) else { return nil }
      kind = named
    } else {
      let kinds = StageKind.written.map(\.rawValue) + impliedTargets.map(\.name)
      faults.add(
        entry.key.diagnostic(
          "`\(name)` is no kind of stage, so the stage needs `kind`",
          suggestion: closest(to: name, among: kinds).map { "did you mean `\($0)`?" }
            ?? "known kinds: " + StageKind.written.map(\.rawValue).joined(separator: ", ")))
      return nil
    }
    var stage = StageEntry(
      name: name, key: entry.key, kind: kind, training: TrainingSection(), locations: [:])
    if kind == .command {
      stage.command = CommandSpec(&section, of: entry.key, in: space)
    } else {
      readNeeds(&section, of: &stage)
    }
    readResources(&section, of: &stage)
    if kind == .switchAlpha { readSwitch(&section, implied: implied, of: &stage) }
    if kind.trains { stage.training = TrainingSection(&section) }
    section.rejectUnknownKeys()
    stage.locations = section.locations
    stage.locations.merge(stage.command?.locations ?? [:]) { mine, _ in mine }
    return stage
  }

  /// Whether a stage of this name comes by itself.
  static func prepares(_ name: String) -> Bool {
    PrepareDataFields.Part.allCases.contains { $0.stage == name }
  }

  private static func isWritten(
    _ kind: StageKind, at node: Node, faults: FaultCollector
  ) -> Bool {
    if StageKind.written.contains(kind) { return true }
    faults.add(
      node.diagnostic(
        "`\(kind.rawValue)` is no stage to write: where data must be prepared, that comes by itself"
      )
    )
    return false
  }

  private static func readNeeds(_ section: inout Section, of stage: inout StageEntry) {
    guard stage.kind.needsModel else {
      // Not a known key of these kinds, but one with a reason of its own.
      if let node = section.node("needs") {
        section.faults.add(
          node.diagnostic("\(stage.kind.rawValue) works on no other stage's network"))
      }
      return
    }
    guard let node = section.node("needs") else {
      section.faults.add(
        stage.key.diagnostic(
          "stage `\(stage.name)` needs a network to work on",
          suggestion: "write `needs: STAGE`"))
      return
    }
    guard case .string(let name) = node.value else {
      section.faults.add(node.diagnostic("needs is the name of one stage"))
      return
    }
    if prepares(name) {
      section.faults.add(
        node.diagnostic("`\(name)` prepares data: there is no network to work on"))
      return
    }
    stage.needs = (name, node)
  }

  private static func readResources(_ section: inout Section, of stage: inout StageEntry) {
    stage.retries = section.int("retries", in: 0...100, default: 0)
    guard var child = section.section("resources", in: "resources") else { return }
    stage.memoryGB = child.double("memory_gb", in: 0...1_000_000, default: 0)
    if stage.kind == .command {
      let cores = child.int("cores", in: 1...1024, default: 1)
      stage.command?.cores = cores
    } else if let node = child.node("cores") {
      section.faults.add(
        node.diagnostic(
          "a \(stage.kind.rawValue) takes as many cores as it has threads",
          suggestion: "set the experiment's `numerics.threads`"))
    }
    child.rejectUnknownKeys()
  }

  private static func readSwitch(
    _ section: inout Section, implied: SwitchAlphaFields.Target?, of stage: inout StageEntry
  ) {
    if implied != nil || section.has("to") {
      stage.to = section.choice("to", of: SwitchAlphaFields.Target.self, default: implied)
    } else {
      _ = section.node("to")
      section.faults.add(
        stage.key.diagnostic(
          "stage `\(stage.name)` needs `to`", suggestion: "auto, auto_po2 or best_po2"))
    }
    guard let node = section.node("layers") else { return }
    switch node.value {
    case .string("all"): break
    case .sequence(let elements) where !elements.isEmpty: stage.layers = elements
    default:
      section.faults.add(node.diagnostic("layers is a list of names, classes and regexes, or all"))
    }
  }

  /// Names become folders of `results/`.
  private static func check(_ name: String, at node: Node?, faults: FaultCollector) {
    guard let node else { return }
    let isPlain =
      !name.isEmpty && name.utf8.count <= 100 && name.first != "." && name.first != "-"
      && name.utf8.allSatisfy {
        (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
          || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
      }
    if prepares(name) {
      faults.add(node.diagnostic("`\(name)` is the stage that prepares data"))
    } else if ["report.md", "summary.csv"].contains(name) {
      faults.add(node.diagnostic("`\(name)` is the name of one of the results' own files"))
    } else if !isPlain {
      faults.add(
        node.diagnostic("`\(name)` cannot name a folder: letters, digits, `_`, `-` and `.` can"))
    }
  }
}

extension Node {
  /// What a stage's `needs` names, in any of its forms.
  var namesOfNeeds: [Node] {
    guard let node = self["needs"] else { return [] }
    switch node.value {
    case .sequence(let elements): return elements
    case .mapping(let entries): return entries.map(\.value)
    default: return [node]
    }
  }
}
