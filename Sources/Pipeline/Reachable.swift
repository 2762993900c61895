//! What plans still need of a store. Removes nothing.

import Files

/// The outputs, logs and checkpoints that some plans lead to.
package struct Reachable: Sendable {
  private struct Name: Hashable {
    var kindTag: UInt64
    var name: String
  }

  private var artifacts: Set<Digest> = []
  /// Of logs and checkpoints.
  private var keys: Set<Digest> = []
  /// Stages that are to run, or of which nothing is known: all that they ever made is kept.
  private var names: Set<Name> = []
  /// Their parts, such as a search's trials, are kept as well.
  private var unfinished: Set<String> = []
  /// Whether every key is known.
  private(set) var isComplete = true

  package init() {}

  package mutating func add(_ plan: Plan) {
    for entry in plan.entries {
      keys.insert(entry.planKey)
      if let key = entry.contentKey { keys.insert(key) } else { isComplete = false }
      if case .hit(let record) = entry.state {
        artifacts.insert(record.artifact)
        if let key = record.contentKey { keys.insert(key) }
      } else {
        addName(of: entry.stage)
      }
    }
  }

  /// All that the stages of a graph ever made: it cannot be planned, as its data are not there.
  package mutating func add(unplanned graph: StageGraph) {
    isComplete = false
    for stage in graph.stages { addName(of: stage) }
  }

  private mutating func addName(of stage: Stage) {
    let name = Record.spelled(name: stage.name)
    names.insert(Name(kindTag: Record.tag(ofKind: stage.kind), name: name))
    unfinished.insert(name)
  }

  func contains(_ record: Record) -> Bool {
    if artifacts.contains(record.artifact) { return true }
    if names.contains(Name(kindTag: record.kindTag, name: record.name)) { return true }
    guard let slash = record.name.lastIndex(of: "/") else { return false }
    return unfinished.contains(String(record.name[..<slash]))
  }

  func contains(key: Digest) -> Bool { keys.contains(key) }
}
