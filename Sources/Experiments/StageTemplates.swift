//! The stages of a pipeline at each point of a sweep, made once for all points at which nothing that
//! they depend on differs. Knows no name of a point.

import Diagnostics
import Files
import Pipeline
import Specs

/// A stage as several points may have it.
final class StageTemplate {
  let stage: Stage
  /// The data that it reads, where files of it may be missing.
  let dataset: DatasetSpec?
  /// Where the pretrained network was named.
  let pretrained: Node?
  /// Files that a command reads.
  let inputs: [CommandSpec.Input]
  /// What of the data must be prepared before it.
  let parts: Set<PrepareDataFields.Part>
  /// What a point is told by: name, kind, version, fields and needs.
  private(set) lazy var identity: [UInt8] = {
    let digest = Manifest(kind: stage.kind, version: stage.version, fields: own).digest
    var text = "\(stage.name) \(digest.hex) \(shared?.digest.hex ?? "")"
    for case (let role, .stage(let name, _)) in stage.inputs { text += " \(role)=\(name)" }
    return Array((text + "\n").utf8)
  }()
  /// Its source files by their paths, which are in no field.
  private(set) lazy var sources: [UInt8] = {
    var text = ""
    for case (let role, .file(let path, _)) in stage.inputs { text += "\(role)=\(path)\n" }
    return Array(text.utf8)
  }()

  /// The fields without what stages share.
  private let own: JSONValue
  private let shared: FieldPart?

  init(
    _ stage: Stage, own: JSONValue? = nil, shared: FieldPart? = nil, dataset: DatasetSpec? = nil,
    pretrained: Node? = nil,
    inputs: [CommandSpec.Input] = []
  ) {
    self.stage = stage
    self.own = own ?? stage.fields
    self.shared = shared
    self.dataset = dataset
    self.pretrained = pretrained
    self.inputs = inputs
    parts = Set(
      PrepareDataFields.Part.allCases.filter { part in
        stage.inputs.contains { $0.role == InputRole.data(part) }
      })
  }
}

/// Reads stages; what is wrong with any of them is collected.
final class StageTemplates {
  /// An entry of `stages`, and what of it other stages have to do with.
  private final class Reading {
    let entry: StageEntry?
    let outline: Stage
    /// Equal for entries of equal kinds and needs.
    let shape: Int

    init(entry: StageEntry?, outline: Stage, shape: Int) {
      self.entry = entry
      self.outline = outline
      self.shape = shape
    }
  }

  private let pipeline: PipelineSpec
  private let space: FieldSpace
  private let resolver: StageResolver?
  private let faults: FaultCollector
  private let readings: [Memo<Reading?>]
  private let templates: [Memo<StageTemplate?>]
  /// Stages of the experiment without their seeds, which sweeps vary most.
  private let unseeded: [Memo<Stage?>]
  private let parts: [PrepareDataFields.Part: Memo<StageTemplate?>]
  private var shapes: [[String]: Int] = [:]
  private var checked: Set<[Int]> = []
  /// All that were made, in the order in which they were.
  private(set) var all: [StageTemplate] = []

  /// - Parameter spec: nil where every stage is a command.
  init(_ pipeline: PipelineSpec, of spec: ExperimentSpec?, in space: FieldSpace) {
    self.pipeline = pipeline
    self.space = space
    faults = space.faults
    resolver = spec.map {
      StageResolver(pipeline: pipeline.name, spec: $0, faults: space.faults)
    }
    readings = pipeline.stages.map { _ in Memo() }
    templates = pipeline.stages.map { _ in Memo() }
    unseeded = pipeline.stages.map { _ in Memo() }
    parts = Dictionary(
      uniqueKeysWithValues: PrepareDataFields.Part.allCases.map { ($0, Memo()) })
  }

  /// The entries at the current point; faults between them are told by `check`.
  func read() {
    for index in readings.indices { _ = reading(index) }
  }

  /// The stages at the current point, and before them those that prepare what they read.
  func current() -> [StageTemplate] {
    let written = templates.indices.compactMap { template($0) }
    guard let resolver, written.contains(where: { !$0.parts.isEmpty }) else { return written }
    let preparing = PrepareDataFields.Part.allCases.compactMap { part -> StageTemplate? in
      guard written.contains(where: { $0.parts.contains(part) }), let memo = parts[part] else {
        return nil
      }
      return memo.value(at: space.state) {
        keep(resolver.preparing(part).map { StageTemplate($0, dataset: resolver.spec.dataset) })
      }
    }
    return preparing + written
  }

  /// Checks what stages need of each other, where no point before had the same needs.
  ///
  /// - Returns: faults of the graph.
  func check(_ stages: [StageTemplate]) -> [Diagnostic] {
    let readings = readings.indices.map { reading($0) }
    guard checked.insert(readings.map { $0?.shape ?? -1 }).inserted else { return [] }
    checkNeeds(readings.compactMap { $0?.entry })
    // With other faults the graph of names alone is checked, so that its faults are told as well.
    do {
      _ = try StageGraph(
        faults.hasErrors ? readings.compactMap { $0?.outline } : stages.map(\.stage))
      return []
    } catch {
      return error.diagnostics
    }
  }

  // MARK: Parts

  private func reading(_ index: Int) -> Reading? {
    readings[index].value(at: space.state) {
      guard let entry = space.entry(.stage(pipeline.stages[index])) else { return nil }
      let outline = PipelineSpec.outline(entry)
      let read = PipelineSpec.stage(entry, in: space)
      var shape = [read?.kind.rawValue ?? ""]
      for (_, source) in outline.inputs {
        if case .stage(let name, _) = source { shape.append(name) }
      }
      let id = shapes[shape] ?? shapes.count
      shapes[shape] = id
      return Reading(entry: read, outline: outline, shape: id)
    }
  }

  private func template(_ index: Int) -> StageTemplate? {
    templates[index].value(at: space.state) {
      guard let entry = reading(index)?.entry else { return nil }
      if entry.kind == .command { return keep(command(entry)) }
      guard let resolver else {
        // A sweep made another kind of a command.
        faults.add(
          entry.key.diagnostic(
            "stage `\(entry.name)` is of an experiment, and the pipeline names none",
            suggestion: "write `experiment: NAME`"))
        return nil
      }
      guard
        var stage = unseeded[index].value(
          at: space.state,
          make: {
            reading(index)?.entry.flatMap(resolver.stage)
          })
      else { return nil }
      let (own, shared) = resolver.complete(&stage, of: entry.kind)
      let readsFiles = stage.inputs.contains { $0.role.hasPrefix("dataset/") }
      return keep(
        StageTemplate(
          stage, own: own, shared: shared, dataset: readsFiles ? resolver.spec.dataset : nil,
          pretrained: entry.kind == .loadPretrained ? resolver.spec.pretrained?.node : nil))
    }
  }

  private func keep(_ template: StageTemplate?) -> StageTemplate? {
    if let template { all.append(template) }
    return template
  }

  private func command(_ entry: StageEntry) -> StageTemplate? {
    guard let spec = entry.command else { return nil }
    let files = spec.inputs.map {
      (role: $0.role, source: Source.file(path: $0.path, location: $0.node.location))
    }
    let artifacts = spec.needs.map {
      (role: $0.role, source: Source.stage($0.stage, location: $0.node.location))
    }
    var labels: [String: JSONValue] = [
      "pipeline": .string(pipeline.name), "stage": .string(entry.name),
    ]
    if let resolver { labels["experiment"] = .string(resolver.spec.name) }
    let kind = StageKind.command
    let stage = Stage(
      name: entry.name, kind: kind.rawValue, version: kind.version, fields: spec.fields.json,
      locations: entry.locations, inputs: artifacts + files, location: entry.key.location,
      resources: Resources(cores: spec.cores, memoryGB: entry.memoryGB), unkeyed: .object(labels),
      command: spec.command, retries: entry.retries)
    return StageTemplate(stage, inputs: spec.inputs)
  }

  /// Needing a stage that makes no network.
  private func checkNeeds(_ entries: [StageEntry]) {
    for entry in entries {
      guard let needs = entry.needs,
        let producer = entries.first(where: { $0.name == needs.name }), !producer.kind.makesModel
      else { continue }
      let does = producer.kind == .command ? "runs a program" : "only measures"
      faults.add(
        needs.node.diagnostic(
          "`\(needs.name)` \(does): there is no network of its own to work on",
          suggestion: producer.needs.map { "did you mean `\($0.name)`?" }))
    }
  }
}
