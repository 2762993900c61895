//! Order, and all faults of a graph at once.

import Diagnostics
import Pipeline
import Testing

@Suite struct StageGraphTests {
  private func faults(_ stages: [Stage]) -> [Diagnostic] {
    do {
      _ = try StageGraph(stages)
      return []
    } catch {
      return error.diagnostics
    }
  }

  @Test func ordersByNeed() throws {
    let graph = try StageGraph([
      stage("d", needs: ["b", "c"]), stage("c", needs: ["a"]), stage("b", needs: ["a"]), stage("a"),
    ])
    #expect(graph.stages.map(\.name) == ["a", "b", "c", "d"])
    #expect(graph.producers == [[], [0], [0], [1, 2]])
    #expect(graph.consumers == [[1, 2], [3], [3], []])
  }

  @Test func aLongChainNeedsNoStack() throws {
    let count = 20_000
    let stages = (0..<count).reversed().map { stage("s\($0)", needs: $0 > 0 ? ["s\($0 - 1)"] : []) }
    #expect(try StageGraph(stages).stages.first?.name == "s0")
  }

  @Test func reportsAllFaultsAtOnce() {
    let found = faults([
      stage("train"), stage("train", line: 4), stage("evaluate", needs: ["trian"], line: 8),
      stage("x", needs: ["y"], line: 12), stage("y", needs: ["x"], line: 16),
      stage("z", needs: ["x"], line: 20), stage("self", needs: ["self"], line: 24),
    ])
    #expect(
      found.map(\.message) == [
        "two stages are named `train`", "there is no stage `trian`, which `evaluate` needs",
        "stages need each other: `x` needs `y` needs `x`",
        "stages need each other: `self` needs `self`",
      ])
    #expect(found.map { $0.location?.line } == [4, 8, 12, 24])
    #expect(found[1].suggestion == "did you mean `train`?")
    #expect(found[2].notes.map { $0.location?.line } == [12, 16])
  }
}
