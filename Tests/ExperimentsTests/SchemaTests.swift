//! The schemas are whole: their probes are read without a fault, and every key has a form.

import Experiments
import Files
import TestSupport
import Testing

@Suite struct SchemaTests {
  @Test(arguments: SpecSchema.allCases)
  func probesUseEveryForm(_ schema: SpecSchema) {
    #expect(schema.faults == [])
    #expect(schema.gaps == [])
  }

  @Test func fieldsHaveRangesChoicesAndDefaults() throws {
    let experiment = SpecSchema.experiment.json
    let properties = try #require(experiment["properties"])
    #expect(experiment["additionalProperties"] == .bool(false))
    let seed = try #require(properties["seed"])
    #expect(seed["default"] == .int(42))
    #expect(
      seed["anyOf"]
        == .array([
          .object(["type": .string("integer"), "minimum": .int(0)]),
          .object(["type": .string("string"), "pattern": .string("^\\$\\{.+\\}$")]),
        ]))
    let source = try #require(properties["dataset"]?["properties"]?["source"])
    #expect(source["description"] == .string("The files, or examples made from a seed."))
    #expect(source["default"] == .string("real"))
    #expect(
      SpecSchema.pipeline.json["properties"]?["stages"]?["additionalProperties"] != .bool(true))
  }
}

@Suite(.enabled(if: SchemaValidator.shared != nil)) struct SchemaValidationTests {
  private func faults(_ schema: SpecSchema, _ files: [String]) throws -> [String] {
    let workspace = try Workspace()
    try workspace.write(schema.json.prettyText, to: "schema.json")
    let validator = try #require(SchemaValidator.shared)
    return try validator.faults(of: files, schema: workspace.path("schema.json"))
  }

  @Test func shippedFilesAreValid() throws {
    let experiments = RepositorySpecTests.specs(in: "experiments")
    let networks = RepositorySpecTests.specs(in: "Tests/Fixtures/networks")
    #expect(try faults(.experiment, experiments) == [])
    // These are networks alone, which is no fault of a schema.
    #expect(try faults(.experiment, networks) == [])
    #expect(try faults(.pipeline, RepositorySpecTests.specs(in: "pipelines")) == [])
  }

  @Test func mistakesAreSeen() throws {
    let workspace = try Workspace()
    let wrong = [
      "typo": "experiment: x\nfine_tune: {epohs: 3}\n",
      "type": "experiment: x\nseed: one\n",
      "range": "experiment: x\ntraining: {batch_size: 0}\n",
      "choice": "experiment: x\ndataset: {kind: cifar11}\n",
      "variable": "experiment: x\nseed: ${seed}\ntraining: {batch_size: \"${size}\"}\n",
    ]
    for (name, text) in wrong { try workspace.write(text, to: "\(name).yaml") }
    let found = try faults(.experiment, wrong.keys.sorted().map { workspace.path("\($0).yaml") })
    #expect(
      found == [
        "choice.yaml: dataset.kind: anyOf", "range.yaml: training.batch_size: anyOf",
        "type.yaml: seed: anyOf", "typo.yaml: fine_tune: additionalProperties",
      ])
  }
}
