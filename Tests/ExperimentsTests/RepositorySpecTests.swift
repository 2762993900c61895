//! Every YAML of the repository resolves and can be planned.

import Experiments
import Foundation
import Pipeline
import TestSupport
import Testing

@Suite struct RepositorySpecTests {
  static func specs(in folder: String) -> [String] {
    let names = try? FileManager.default.contentsOfDirectory(atPath: TestPaths.root + "/" + folder)
    return (names ?? []).filter { $0.hasSuffix(".yaml") }.sorted().map {
      "\(TestPaths.root)/\(folder)/\($0)"
    }
  }

  @Test(arguments: specs(in: "pipelines"))
  func everyPipelineIsPlanned(_ path: String) throws {
    let workspace = try Workspace()
    try workspace.write("weights", to: "weights.h5")
    let resolved = try ResolvedPipeline(
      PipelineRequest(
        path: path,
        overrides: [
          "dataset.source=synthetic", "pretrained.path=\(workspace.path("weights.h5"))",
        ]))
    #expect(resolved.warnings.isEmpty)
    let plan = try Plan(
      graph: resolved.graph, store: Store(root: workspace.path("store")))
    #expect(plan.entries.count == resolved.graph.stages.count)
    #expect(!plan.isUpToDate)
  }

  @Test(arguments: specs(in: "experiments"))
  func everyExperimentIsChecked(_ path: String) throws {
    _ = try SpecCheck(PipelineRequest(path: path, requiresFiles: false))
  }

  @Test func thereAreSome() {
    #expect(!Self.specs(in: "pipelines").isEmpty)
    #expect(!Self.specs(in: "experiments").isEmpty)
  }
}
