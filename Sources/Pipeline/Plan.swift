//! What would run and why, found out without running anything.

import Diagnostics
package import Files

/// What is to happen with each stage of a graph, in the graph's order.
package struct Plan: Sendable {
  /// What is known of a stage before anything runs.
  package enum State: Sendable {
    /// It ran with the same inputs, its output is there.
    case hit(Record)
    case run(reasons: [Reason])
    /// It ran like this before; it runs again unless these stages' outputs come out as they were
    /// then.
    case runUnlessEqual(inputs: [String])
  }

  /// One stage with its keys.
  package struct Entry: Sendable {
    package let stage: Stage
    package let state: State
    /// The key by the plan keys of the producers: known before anything runs.
    package let planKey: Digest
    /// The key by the bytes of the inputs; nil while an input is not known.
    package let contentKey: Digest?
    /// The manifest with its inputs as far as they are known.
    package let manifest: Manifest
    /// The key without the inputs that other stages make.
    let shapeKey: Digest
    let isForced: Bool
  }

  package let graph: StageGraph
  package let entries: [Entry]

  /// Finds out each stage's state; `forced` stages run whatever is in the store.
  ///
  /// Throws `InvalidSpec` with every source file that is missing, other errors where the store or a
  /// source cannot be read.
  package init(graph: StageGraph, store: Store, forced: Set<String> = []) throws {
    try store.refresh()
    let sources = try Self.sourceDigests(graph, store: store)
    store.saveSourceDigests()
    var planner = Planner(graph: graph, store: store, sources: sources)
    for index in graph.stages.indices {
      try planner.plan(index, isForced: forced.contains(graph.stages[index].name))
    }
    self.graph = graph
    self.entries = planner.entries
  }

  /// The entry of the stage of this name.
  package subscript(name: String) -> Entry? { graph.index(of: name).map { entries[$0] } }

  /// Whether every stage's output is there.
  package var isUpToDate: Bool {
    entries.allSatisfy { if case .hit = $0.state { true } else { false } }
  }

  private static func sourceDigests(_ graph: StageGraph, store: Store) throws -> [String: Digest] {
    var digests: [String: Digest] = [:]
    var missing: Set<String> = []
    var faults: [Diagnostic] = []
    for stage in graph.stages {
      for case (let role, .file(let path, let location)) in stage.inputs {
        if digests[path] != nil || missing.contains(path) { continue }
        if let digest = try store.digest(ofSource: path) {
          digests[path] = digest
        } else {
          missing.insert(path)
          faults.append(
            Diagnostic(
              .error, "there is no file `\(path)`, the \(role) of stage `\(stage.name)`",
              at: location ?? stage.location(of: role)))
        }
      }
    }
    guard faults.isEmpty else { throw InvalidSpec(faults) }
    return digests
  }
}

/// The work of planning, stage after stage.
private struct Planner {
  let graph: StageGraph
  let store: Store
  let sources: [String: Digest]
  private(set) var entries: [Plan.Entry] = []
  private let history: History

  init(graph: StageGraph, store: Store, sources: [String: Digest]) {
    self.graph = graph
    self.store = store
    self.sources = sources
    self.history = History(store: store)
    entries.reserveCapacity(graph.stages.count)
  }

  mutating func plan(_ index: Int, isForced: Bool) throws {
    let stage = graph.stages[index]
    var open: [String: String] = [:]
    var planInputs: [String: InputReference] = [:]
    var inputs: [String: InputReference] = [:]
    var shapeInputs: [String: InputReference] = [:]
    for (role, source) in stage.inputs {
      switch source {
      case .file(let path, _):
        guard let digest = sources[path] else { preconditionFailure("a source without digest") }
        planInputs[role] = .file(digest)
        inputs[role] = .file(digest)
        shapeInputs[role] = .file(digest)
      case .stage(let name, _):
        guard let producer = graph.index(of: name) else { preconditionFailure("unchecked graph") }
        planInputs[role] = .stage(entries[producer].planKey)
        if case .hit(let record) = entries[producer].state {
          inputs[role] = .artifact(record.artifact)
        } else {
          inputs[role] = planInputs[role]
          open[role] = name
        }
      }
    }
    let keys = StageKeys(stage)
    let contentKey = open.isEmpty ? keys.key(inputs: inputs) : nil
    let planKey = keys.key(inputs: planInputs)
    let shapeKey = keys.key(inputs: shapeInputs, marking: "shape")
    let manifest = Manifest(
      kind: stage.kind, version: stage.version, fields: stage.fields, inputs: inputs)
    let state: Plan.State
    if isForced {
      state = .run(reasons: [.forced])
    } else if let contentKey {
      state = try self.state(of: stage, manifest: manifest, key: contentKey)
    } else if store.knows(shapeKey) {
      state = .runUnlessEqual(inputs: Set(open.values).sorted())
    } else {
      state = .run(reasons: history.reasons(stage, manifest, isOpen: { open[$0] != nil }))
    }
    entries.append(
      Plan.Entry(
        stage: stage, state: state, planKey: planKey, contentKey: contentKey, manifest: manifest,
        shapeKey: shapeKey, isForced: isForced))
  }

  private func state(of stage: Stage, manifest: Manifest, key: Digest) throws -> Plan.State {
    switch try store.lookup(key) {
    case .usable(let record): .hit(record)
    case .unusable(_, let damage): .run(reasons: [Reason(damage)])
    case .nothing: .run(reasons: history.reasons(stage, manifest, isOpen: { _ in false }))
    }
  }
}

/// The keys of one stage, which differ in the spelling of the inputs alone.
struct StageKeys {
  private let head: [UInt8]

  init(_ stage: Stage) {
    var sink = TextSink()
    Manifest(kind: stage.kind, version: stage.version, fields: stage.fields).writeHead(to: &sink)
    head = sink.bytes
  }

  /// `Manifest.digest` with these inputs; a mark sets a key apart from all manifests' keys.
  func key(inputs: [String: InputReference], marking mark: String? = nil) -> Digest {
    var sink = TextSink(bytes: head)
    Manifest.write(inputs, to: &sink)
    if let mark { sink.bytes += Array(mark.utf8) }
    return SHA256.digest(of: sink.bytes)
  }
}

/// Earlier runs, to say what is different now.
private final class History {
  private let store: Store
  /// A pipeline's sweep points and other pipelines share kinds and names: some are compared.
  private static let candidateLimit = 16
  /// A run of another stage that differs in more than this explains nothing.
  private static let strangerLimit = 8

  private struct Group: Hashable {
    var kindTag: UInt64
    var name: String?
  }

  /// By kind, and by kind and name, the newest records.
  private lazy var groups: [Group: [Record]] = {
    var groups: [Group: [Record]] = [:]
    for record in store.records.reversed() {
      for name in [record.name, nil] {
        let group = Group(kindTag: record.kindTag, name: name)
        if groups[group, default: []].count < Self.candidateLimit {
          groups[group, default: []].append(record)
        }
      }
    }
    return groups
  }()
  private var manifests: [Digest: JSONValue] = [:]

  init(store: Store) { self.store = store }

  /// What differs from the nearest earlier run of the stage, or of another one of its kind.
  func reasons(_ stage: Stage, _ manifest: Manifest, isOpen: (String) -> Bool) -> [Reason] {
    let kindTag = Record.tag(ofKind: stage.kind)
    guard groups[Group(kindTag: kindTag, name: nil)] != nil else { return [.neverRan] }
    let new = manifest.json
    func difference(from name: String?) -> ManifestDifference? {
      let records = groups[Group(kindTag: kindTag, name: name)] ?? []
      let olds = records.map { self.manifest(of: $0) }.filter {
        $0[Manifest.kindPath] == .string(stage.kind)
      }
      let counts = olds.map { ManifestDifference.count(from: $0, to: new, isOpen: isOpen) }
      guard let fewest = counts.min(), let index = counts.firstIndex(of: fewest) else {
        return nil
      }
      return ManifestDifference(from: olds[index], to: new, stage: stage, isOpen: isOpen)
    }
    if let own = difference(from: Record.spelled(name: stage.name)) {
      return own.count == 0 ? [.neverRan] : own.reasons(for: stage)
    }
    guard let other = difference(from: nil), (1...Self.strangerLimit).contains(other.count) else {
      return [.neverRan]
    }
    return other.reasons(for: stage)
  }

  private func manifest(of record: Record) -> JSONValue {
    guard let key = record.keys.first else { return record.manifest }
    if let known = manifests[key] { return known }
    let manifest = record.manifest
    manifests[key] = manifest
    return manifest
  }
}
