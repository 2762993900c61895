//! One side of a comparison: stages with what decided them and what they measured. Knows how a side
//! is addressed, not what is compared.

import ArgumentParser
import Diagnostics
import Experiments
import Files
import Pipeline

/// A stage as it ran, or as it would run.
struct ComparedStage {
  var kind: String
  /// The flat manifest; nil where the cache no longer has it.
  var manifest: [String: JSONValue]?
  var metrics: Metrics
  /// Nil where it did not run yet.
  var artifact: String?

  init(_ record: Record) {
    artifact = record.artifact.hex
    metrics = Metrics(record.metrics)
    manifest = Self.members(record.manifest)
    kind = Self.text(manifest?["@kind"])
  }

  /// As planned; what ran counts as it ran.
  init(_ entry: Plan.Entry, _ record: Record?) {
    manifest = Self.members(record?.manifest ?? entry.manifest.json)
    metrics = Metrics(record?.metrics ?? .object([:]))
    artifact = record?.artifact.hex
    kind = entry.stage.kind
  }

  /// An output of which the cache knows no more.
  init(artifact: Digest) {
    self.artifact = artifact.hex
    metrics = Metrics(.object([:]))
    kind = ""
  }

  private static func members(_ manifest: JSONValue) -> [String: JSONValue]? {
    if case .object(let members) = manifest, !members.isEmpty { members } else { nil }
  }

  private static func text(_ value: JSONValue?) -> String {
    if case .string(let text)? = value { text } else { "" }
  }
}

/// What `compare` was given, found.
struct ComparedSide {
  var name: String
  /// In the graph's order, or sorted.
  var stages: [(name: String, stage: ComparedStage)]
}

/// Finds sides by what a user calls them.
struct ComparedSides {
  let store: Store
  let fields: FieldOptions

  private static let least = 6

  /// A folder of results, a run, `PIPELINE.yaml[:POINT or :STAGE]`, or the beginning of an artifact's
  /// digest.
  func find(_ name: String) throws -> ComparedSide {
    if Files.isDirectory(name) { return try results(name) }
    if let side = try run(name) { return side }
    let parts = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    if parts[0].hasSuffix(".yaml") || parts[0].hasSuffix(".yml") {
      return try pipeline(name, path: String(parts[0]), part: parts.dropFirst().first)
    }
    if name.utf8.count >= Self.least, let side = try artifact(name) { return side }
    throw ValidationError(
      "`\(name)` is nothing to compare: it takes a run of `shiftwork history`, a folder below "
        + "results, PIPELINE.yaml[:POINT], or at least \(Self.least) digits of an artifact's digest"
    )
  }

  private func artifact(_ name: String) throws -> ComparedSide? {
    let found = store.records.filter { $0.artifact.hex.hasPrefix(name) }
    guard let newest = found.last else { return nil }
    let digests = Set(found.map(\.artifact))
    guard digests.count == 1 else {
      throw ValidationError("\(digests.count) artifacts begin with `\(name)`: give more digits")
    }
    return ComparedSide(name: name, stages: [(newest.name, ComparedStage(newest))])
  }

  private func results(_ path: String) throws -> ComparedSide {
    let found = ResultsFolder.stages(below: path)
    guard !found.isEmpty else { throw ValidationError("`\(path)` holds no stage's results") }
    return side(path, found.map { ($0.stage, $0.artifact) })
  }

  private func run(_ name: String) throws -> ComparedSide? {
    guard let story = store.story(of: name) else { return nil }
    return side(
      name, story.stages.compactMap { stage in stage.artifact.map { (stage.name, $0) } })
  }

  /// Stages by what they wrote. What the cache no longer has is left out of what can be said.
  private func side(_ name: String, _ artifacts: [(stage: String, artifact: Digest)])
    -> ComparedSide
  {
    var records: [Digest: [Record]] = [:]
    for record in store.records { records[record.artifact, default: []].append(record) }
    return ComparedSide(
      name: name,
      stages: artifacts.map { stage, artifact in
        let all = records[artifact] ?? []
        // Stages whose outputs are the same bytes share an artifact; the name tells whose it is.
        let record = all.last { $0.name.hasSuffix(stage) } ?? all.last
        return (stage, record.map { ComparedStage($0) } ?? ComparedStage(artifact: artifact))
      })
  }

  private func pipeline(
    _ name: String, path: String, part: Substring?
  ) throws -> ComparedSide {
    let resolved = try ResolvedPipeline(
      PipelineRequest(
        path: path, overrides: fields.set, data: fields.dataFolder, requiresFiles: true,
        variable: { Environment[$0] }))
    let plan = try Plan(graph: resolved.graph, store: store)
    var stages: [(name: String, stage: ComparedStage)] = []
    for entry in plan.entries {
      guard let shown = Self.name(of: entry.stage, in: part.map(String.init)) else { continue }
      var record: Record?
      if case .hit(let hit) = entry.state { record = hit }
      stages.append((shown, ComparedStage(entry, record)))
    }
    guard stages.isEmpty, let part else { return ComparedSide(name: name, stages: stages) }
    let known = Set(
      plan.entries.flatMap { entry in
        [entry.stage.name] + (SweepPoint(of: entry.stage).map { [$0.name] } ?? [])
      })
    let suggestion = closest(to: String(part), among: known.sorted())
    throw ValidationError(
      "\(path) has no point and no stage `\(part)`"
        + (suggestion.map { ": did you mean `\($0)`?" } ?? ""))
  }

  /// The name that a stage has in a part of its pipeline; nil where it is not in it.
  private static func name(of stage: Stage, in part: String?) -> String? {
    guard let part else { return stage.name }
    if stage.name == part { return stage.name.split(separator: "/").last.map(String.init) }
    guard let point = SweepPoint(of: stage), point.name == part || point.id.hasPrefix(part) else {
      return nil
    }
    return point.base(of: stage.name)
  }
}
