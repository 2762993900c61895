//! Which stages of a graph a user asks for, by name or pattern. Knows neither keys nor the cache.

package import Diagnostics
import Glibc

/// A part of a graph, asked for in words. A name may be a pattern of the shell's: `*/evaluate`; its
/// `*` also stands for slashes.
package struct StageRequest: Hashable, Sendable {
  /// These and what they need; empty: all.
  package var targets: [String]
  /// Only these and what needs them; what they need has to be there.
  package var from: [String]
  /// Nothing that needs these.
  package var until: [String]
  /// Those that run though their output is there.
  package var forced: [String]

  package init(
    targets: [String] = [], from: [String] = [], until: [String] = [], forced: [String] = []
  ) {
    self.targets = targets
    self.from = from
    self.until = until
    self.forced = forced
  }
}

/// What a request comes to in one graph.
package struct StageSelection: Sendable {
  /// What was asked for, with all that it needs.
  package let graph: StageGraph
  /// The names of the stages that were asked for.
  package let wanted: Set<String>
  /// Stages that are there for others' sake: their outputs must be in the store.
  package let given: Set<String>
  package let forced: Set<String>

  /// Throws all faults at once: unknown names, and requests that leave nothing.
  package init(_ request: StageRequest, in graph: StageGraph) throws(InvalidSpec) {
    var faults: [Diagnostic] = []
    let targets = graph.indices(matching: request.targets, faults: &faults)
    let from = graph.indices(matching: request.from, faults: &faults)
    let until = graph.indices(matching: request.until, faults: &faults)
    let forced = graph.indices(matching: request.forced, faults: &faults)
    guard faults.isEmpty else { throw InvalidSpec(faults) }

    var isWanted =
      targets.isEmpty
      ? [Bool](repeating: true, count: graph.stages.count)
      : graph.reached(from: targets, along: graph.producers)
    if !from.isEmpty {
      let after = graph.reached(from: from, along: graph.consumers)
      for index in isWanted.indices where !after[index] { isWanted[index] = false }
    }
    if !until.isEmpty {
      let after = graph.reached(from: until, along: graph.consumers)
      let isLast = Set(until)
      for index in isWanted.indices where after[index] && !isLast.contains(index) {
        isWanted[index] = false
      }
    }
    let wanted = isWanted.indices.filter { isWanted[$0] }
    guard !wanted.isEmpty else {
      throw InvalidSpec([Diagnostic(.error, "the stages asked for leave none to run", at: nil)])
    }
    let isNeeded = graph.reached(from: wanted, along: graph.producers)
    self.wanted = Set(wanted.map { graph.stages[$0].name })
    given = Set(
      from.isEmpty
        ? []
        : isNeeded.indices.filter { isNeeded[$0] && !isWanted[$0] }.map { graph.stages[$0].name })
    self.forced = Set(forced.filter { isWanted[$0] }.map { graph.stages[$0].name })
    self.graph = isNeeded.contains(false) ? try graph.keeping { isNeeded[$0] } : graph
  }

  /// Throws where a stage of `plan`, made of this selection, has to be there and is not.
  package func check(_ plan: Plan) throws(InvalidSpec) {
    let missing = plan.entries.filter { entry in
      guard given.contains(entry.stage.name) else { return false }
      if case .hit = entry.state { return false }
      return true
    }
    guard !missing.isEmpty else { return }
    throw InvalidSpec(
      missing.map { entry in
        Diagnostic(
          .error, "stage `\(entry.stage.name)` is needed, but its output is not there",
          at: entry.stage.location, length: entry.stage.name.count,
          suggestion: "run it first, or leave --from out")
      })
  }
}

extension StageGraph {
  /// The stages with these names or of these patterns, each once, in the graph's order.
  fileprivate func indices(matching names: [String], faults: inout [Diagnostic]) -> [Int] {
    var found: Set<Int> = []
    for name in names {
      if let index = index(of: name) {
        found.insert(index)
        continue
      }
      let isPattern = name.contains { "*?[".contains($0) }
      let matching =
        isPattern ? stages.indices.filter { fnmatch(name, stages[$0].name, 0) == 0 } : []
      if matching.isEmpty {
        faults.append(
          isPattern
            ? Diagnostic(.error, "no stage is named like `\(name)`", at: nil)
            : Self.unknown(name, among: stages.map(\.name), in: nil, at: nil))
      }
      found.formUnion(matching)
    }
    return found.sorted()
  }

  fileprivate func reached(from start: [Int], along edges: [[Int]]) -> [Bool] {
    var isReached = [Bool](repeating: false, count: stages.count)
    var queue = start
    while let index = queue.popLast() {
      if isReached[index] { continue }
      isReached[index] = true
      queue.append(contentsOf: edges[index])
    }
    return isReached
  }

  /// The stages for which `isKept` holds, which must need no others.
  fileprivate func keeping(_ isKept: (Int) -> Bool) throws(InvalidSpec) -> StageGraph {
    try StageGraph(stages.indices.filter(isKept).map { stages[$0] })
  }
}
