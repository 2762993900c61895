//! Parts of a graph by names and patterns: what runs, what has to be there, what is refused.

import Diagnostics
import Pipeline
import Testing

@Suite struct SelectionTests {
  /// Two points of a sweep: x/a -> x/b -> x/c, y/a -> y/b -> y/c, and all -> x/c, y/c.
  private let stages =
    ["x", "y"].flatMap { point in
      [
        stage("\(point)/a", value: point == "x" ? 1 : 2),
        stage("\(point)/b", needs: ["\(point)/a"]),
        stage("\(point)/c", needs: ["\(point)/b"]),
      ]
    } + [stage("all", needs: ["x/c", "y/c"])]

  private func select(_ request: StageRequest) throws -> StageSelection {
    try StageSelection(request, in: StageGraph(stages))
  }

  private func names(_ request: StageRequest) throws -> [String] {
    try select(request).graph.stages.map(\.name)
  }

  @Test func everythingWithoutWords() throws {
    #expect(try names(StageRequest()).count == 7)
  }

  @Test func targetsBringWhatTheyNeed() throws {
    #expect(try names(StageRequest(targets: ["x/b"])) == ["x/a", "x/b"])
    #expect(try names(StageRequest(targets: ["*/b"])) == ["x/a", "x/b", "y/a", "y/b"])
    #expect(try names(StageRequest(targets: ["y*", "x/a"])) == ["x/a", "y/a", "y/b", "y/c"])
  }

  @Test func untilLeavesOutWhatComesAfter() throws {
    #expect(try names(StageRequest(until: ["*/b"])) == ["x/a", "x/b", "y/a", "y/b"])
    #expect(try names(StageRequest(until: ["x/a"])) == ["x/a", "y/a", "y/b", "y/c"])
  }

  @Test func fromTakesTheRestAsGiven() async throws {
    let bench = try Bench()
    let selection = try select(StageRequest(targets: ["x/c"], from: ["x/b"]))
    #expect(selection.graph.stages.map(\.name) == ["x/a", "x/b", "x/c"])
    #expect(selection.wanted == ["x/b", "x/c"])
    #expect(selection.given == ["x/a"])
    let before = try Plan(graph: selection.graph, store: bench.store())
    do {
      try selection.check(before)
      Issue.record("x/a never ran")
    } catch {
      #expect(
        error.diagnostics.map(\.message) == [
          "stage `x/a` is needed, but its output is not there"
        ])
    }
    _ = try await bench.run([stages[0]])
    try selection.check(Plan(graph: selection.graph, store: bench.store()))
  }

  @Test func forcedStagesAreOfTheSelection() throws {
    let selection = try select(StageRequest(targets: ["x/c"], forced: ["*/b", "all"]))
    #expect(selection.forced == ["x/b"])
  }

  @Test func unknownNamesAreToldTogether() throws {
    do {
      _ = try select(
        StageRequest(targets: ["x/d"], from: ["*/z"], until: ["al"], forced: ["nothing of it"]))
      Issue.record("none of them is there")
    } catch let error as InvalidSpec {
      #expect(
        error.diagnostics.map(\.message) == [
          "there is no stage `x/d`", "no stage is named like `*/z`", "there is no stage `al`",
          "there is no stage `nothing of it`",
        ])
      #expect(error.diagnostics[2].suggestion == "did you mean `all`?")
    }
  }

  @Test func nothingLeftIsAFault() throws {
    do {
      _ = try select(StageRequest(targets: ["x/a"], from: ["y/b"]))
      Issue.record("the two have nothing in common")
    } catch let error as InvalidSpec {
      #expect(error.diagnostics.map(\.message) == ["the stages asked for leave none to run"])
    }
  }
}
