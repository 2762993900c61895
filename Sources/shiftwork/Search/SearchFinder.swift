//! Finds searches by what a user calls them: folders of results, pipelines, stages. Shows nothing.

import ArgumentParser
import Diagnostics
import Experiments
import Files
import Pipeline

struct SearchFinder {
  let store: Store
  let fields: FieldOptions

  /// The searches of a folder below results, or of `PIPELINE.yaml[:STAGE or :POINT]`. Those of a
  /// pipeline may still run, or have been broken off.
  func find(_ name: String) throws -> [FoundSearch] {
    let parts = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let path = String(parts[0])
    if path.hasSuffix(".yaml") || path.hasSuffix(".yml") {
      return try searches(of: path, in: parts.dropFirst().first.map(String.init))
    }
    guard Files.isDirectory(name) else {
      throw ValidationError(
        "`\(name)` is no search: it takes a folder below results or PIPELINE.yaml[:STAGE]")
    }
    let found = try results(name.hasSuffix("/") ? String(name.dropLast()) : name)
    guard !found.isEmpty else {
      throw ValidationError("below `\(name)` lies no search's trials.csv")
    }
    return found
  }

  /// Those in the folder and below it.
  private func results(_ folder: String) throws -> [FoundSearch] {
    if var search = try FoundSearch.read(folder, name: folder) {
      try search.addSeconds(beside: folder)
      // Who made it is in the cache, as long as it is there.
      let artifact = ResultsFolder.stages(below: folder).first?.artifact
      if let record = store.records.last(where: { $0.artifact == artifact }) {
        search.tuner = record.manifest["search.tuner"]?.plainText
        if case .int(let trials)? = record.manifest["search.trials"] { search.planned = trials }
      }
      return [search]
    }
    return try Files.list(folder).flatMap { name in
      let inner = "\(folder)/\(name)"
      return Files.isDirectory(inner) ? try results(inner) : []
    }
  }

  private func searches(of path: String, in part: String?) throws -> [FoundSearch] {
    let resolved = try ResolvedPipeline(
      PipelineRequest(
        path: path, overrides: fields.set, data: fields.dataFolder,
        variable: { Environment[$0] }))
    let plan = try Plan(graph: resolved.graph, store: store)
    let stages = plan.entries.filter { $0.stage.kind == StageKind.search.rawValue }
    guard !stages.isEmpty else { throw ValidationError("\(path) has no stage that searches") }
    let chosen = stages.filter { part == nil || Self.is($0.stage, part ?? "") }
    guard !chosen.isEmpty else {
      let suggestion = closest(to: part ?? "", among: stages.map(\.stage.name))
      throw ValidationError(
        "\(path) has no search `\(part ?? "")`"
          + (suggestion.map { ": did you mean `\($0)`?" } ?? ""))
    }
    // Points of a sweep share a search that does not depend on what is varied.
    var known: Set<Digest> = []
    return try chosen.filter { known.insert($0.planKey).inserted }.compactMap { entry in
      try search(entry, name: "\(resolved.name)/\(entry.stage.name)")
    }
  }

  /// Whether `part` means the stage: its name, or the point that it is of.
  private static func `is`(_ stage: Stage, _ part: String) -> Bool {
    if stage.name == part { return true }
    guard let point = SweepPoint(of: stage) else { return false }
    return point.name == part || point.id.hasPrefix(part) || point.base(of: stage.name) == part
  }

  /// Nil where no trial of it has ended.
  private func search(_ entry: Plan.Entry, name: String) throws -> FoundSearch? {
    var found: FoundSearch?
    if case .hit(let record) = entry.state {
      found = try FoundSearch.read(store.path(of: record.artifact), name: name)
    } else {
      let key = entry.contentKey ?? entry.planKey
      found = try FoundSearch.read(store.checkpointPath(for: key), name: name)
      found?.isFinished = false
    }
    found?.addSeconds(from: store)
    let search = entry.stage.fields["search"]
    found?.tuner = search?["tuner"]?.plainText
    if case .int(let trials)? = search?["trials"] { found?.planned = trials }
    return found
  }
}

extension JSONValue {
  fileprivate var plainText: String? { if case .string(let text) = self { text } else { nil } }
}
