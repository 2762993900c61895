//! Stages in an order in which each comes after what it needs; knows neither keys nor the cache.

package import Diagnostics

/// Checked stages: unique names, known inputs, no cycle.
package struct StageGraph: Sendable {
  /// In an order that respects the inputs and otherwise keeps the user's.
  package let stages: [Stage]
  /// By stage, the indices of the stages that it takes inputs from, each once.
  package let producers: [[Int]]
  /// By stage, the indices of the stages that take inputs from it, each once.
  package let consumers: [[Int]]
  private let indices: [String: Int]

  /// Throws all faults at once.
  package init(_ stages: [Stage]) throws(InvalidSpec) {
    var faults: [Diagnostic] = []
    let names = Self.index(stages, faults: &faults)
    let needs = Self.resolve(stages, names: names, faults: &faults)
    let order = Self.order(stages, needs: needs)
    if order.count < stages.count {
      Self.reportCycles(stages, needs: needs, ordered: order, faults: &faults)
    }
    guard faults.isEmpty else { throw InvalidSpec(faults) }

    var position = [Int](repeating: 0, count: stages.count)
    for (new, old) in order.enumerated() { position[old] = new }
    var producers: [[Int]] = []
    var consumers = [[Int]](repeating: [], count: stages.count)
    for (new, old) in order.enumerated() {
      let sources = needs[old].map { position[$0.index] }
      producers.append(sources)
      for source in sources { consumers[source].append(new) }
    }
    self.stages = order.map { stages[$0] }
    self.producers = producers
    self.consumers = consumers
    self.indices = names.mapValues { position[$0] }
  }

  /// The index of the stage of this name.
  package func index(of name: String) -> Int? { indices[name] }
}

extension StageGraph {
  /// An edge to a producer, with the place that asked for it.
  private struct Need {
    var index: Int
    var location: SourceLocation?
  }

  private static func index(_ stages: [Stage], faults: inout [Diagnostic]) -> [String: Int] {
    var names: [String: Int] = [:]
    names.reserveCapacity(stages.count)
    for (index, stage) in stages.enumerated() {
      if let first = names[stage.name] {
        let note = stages[first].location.map { [Diagnostic.Note("first defined here", at: $0)] }
        faults.append(
          Diagnostic(
            .error, "two stages are named `\(stage.name)`", at: stage.location,
            length: stage.name.count, notes: note ?? []))
      } else {
        names[stage.name] = index
      }
      var roles: Set<String> = []
      for (role, _) in stage.inputs where !roles.insert(role).inserted {
        faults.append(
          Diagnostic(
            .error, "stage `\(stage.name)` has two inputs for `\(role)`", at: stage.location))
      }
    }
    return names
  }

  private static func resolve(
    _ stages: [Stage], names: [String: Int], faults: inout [Diagnostic]
  ) -> [[Need]] {
    stages.map { stage in
      var needs: [Need] = []
      for (_, source) in stage.inputs {
        guard case .stage(let name, let location) = source else { continue }
        let place = location ?? stage.locations["needs"] ?? stage.location
        guard let index = names[name] else {
          faults.append(unknown(name, among: names.keys, in: stage.name, at: place))
          continue
        }
        if !needs.contains(where: { $0.index == index }) {
          needs.append(Need(index: index, location: place))
        }
      }
      return needs
    }
  }

  static func unknown(
    _ name: String, among names: some Sequence<String>, in stage: String?,
    at location: SourceLocation?
  ) -> Diagnostic {
    let suggestion = closest(to: name, among: names.sorted()).map { "did you mean `\($0)`?" }
    let place = stage.map { ", which `\($0)` needs" } ?? ""
    return Diagnostic(
      .error, "there is no stage `\(name)`\(place)", at: location, length: name.count,
      suggestion: suggestion)
  }

  /// Each stage after what it needs; stages that need a cycle are left out.
  private static func order(_ stages: [Stage], needs: [[Need]]) -> [Int] {
    // Depth first from each stage in the user's order keeps chains together, as they were written;
    // it is done with a stack of our own because chains may be longer than the thread's.
    enum Mark { case new, open, done, stuck }
    var marks = [Mark](repeating: .new, count: stages.count)
    var order: [Int] = []
    order.reserveCapacity(stages.count)
    for root in stages.indices where marks[root] == .new {
      var stack: [(index: Int, next: Int)] = [(root, 0)]
      marks[root] = .open
      while let top = stack.last {
        if top.next < needs[top.index].count {
          stack[stack.count - 1].next += 1
          let need = needs[top.index][top.next].index
          switch marks[need] {
          case .new:
            marks[need] = .open
            stack.append((need, 0))
          case .open, .stuck: marks[top.index] = .stuck
          case .done: break
          }
        } else {
          stack.removeLast()
          if marks[top.index] == .open {
            marks[top.index] = .done
            order.append(top.index)
          } else if let parent = stack.last {
            marks[parent.index] = .stuck
          }
        }
      }
    }
    return order
  }

  /// One fault for each cycle, naming its stages in their order of need.
  private static func reportCycles(
    _ stages: [Stage], needs: [[Need]], ordered: [Int], faults: inout [Diagnostic]
  ) {
    var isSettled = [Bool](repeating: false, count: stages.count)
    for index in ordered { isSettled[index] = true }
    for start in stages.indices where !isSettled[start] {
      // Every unsettled stage needs another one: the walk comes round, or meets a reported cycle.
      var path: [Int] = []
      var steps: [Int: Int] = [:]
      var current: Int? = start
      while let index = current, steps[index] == nil {
        steps[index] = path.count
        path.append(index)
        current = needs[index].first { !isSettled[$0.index] }?.index
      }
      for index in path { isSettled[index] = true }
      guard let current, let first = steps[current] else { continue }
      let cycle = Array(path[first...])
      let text = (cycle + [current]).map { "`\(stages[$0].name)`" }.joined(separator: " needs ")
      let notes = cycle.enumerated().map { step, index in
        let next = cycle[(step + 1) % cycle.count]
        let place = needs[index].first { $0.index == next }?.location
        return Diagnostic.Note(
          "`\(stages[index].name)` needs `\(stages[next].name)` here", at: place)
      }
      faults.append(
        Diagnostic(
          .error, "stages need each other: \(text)", at: stages[current].location,
          length: stages[current].name.count, notes: notes))
    }
  }
}
