//! JSON Schemas of both kinds of files, for editors: the readers read documents that use every form,
//! and what they ask of them is the schema. Knows no editor.

import Diagnostics
package import Files
import Specs

/// A kind of file that has a schema.
package enum SpecSchema: String, CaseIterable, Sendable {
  case experiment, pipeline

  /// The schema, in the draft that editors' YAML extensions know best.
  package var json: JSONValue {
    let tree = tree()
    guard case .object(var members) = tree.json(descriptions) else {
      preconditionFailure("a schema is an object")
    }
    if let layers = tree[Self.layers] {
      members["definitions"] = .object([
        "layers": layers.json(descriptions, at: Self.layers.joined(separator: "."))
      ])
    }
    members["$schema"] = .string("http://json-schema.org/draft-07/schema#")
    members["title"] = .string("A shiftwork \(rawValue)")
    if case .object(var properties)? = members["properties"] {
      properties["extends"] = SchemaTree.files
      members["properties"] = .object(properties)
    }
    return .object(members)
  }

  /// Keys that lack something that a schema should have: a form, or a description's key. For tests.
  package var gaps: [String] {
    let (all, bare) = tree().paths()
    let known = Set(all)
    return bare.map { "\($0) has no form" }
      + descriptions.keys.filter { !known.contains($0) }.map { "\($0) is described and not there" }
  }

  /// Faults that the readers find in the documents from which the schema is made. For tests.
  package var faults: [String] {
    let faults = FaultCollector(recorder: SchemaRecorder())
    for probe in probes { _ = read(probe, faults) }
    return faults.diagnostics.filter { $0.severity == .error }.map(\.message)
  }

  /// Layers, which repeats hold in turn.
  private static let layers = ["network", "layers"]

  private var probes: [String] {
    switch self {
    case .experiment: SchemaProbes.experiments
    case .pipeline: SchemaProbes.pipelines
    }
  }

  private var descriptions: [String: String] {
    switch self {
    case .experiment: SchemaDescriptions.experiment
    case .pipeline: SchemaDescriptions.pipeline
    }
  }

  private func tree() -> SchemaTree {
    let tree = SchemaTree()
    for probe in probes {
      let recorder = SchemaRecorder()
      guard let root = read(probe, FaultCollector(recorder: recorder)) else { continue }
      tree.add(root, recorder)
    }
    tree[Self.layers + ["*", "layers"]]?.refer(to: "layers")
    return tree
  }

  private func read(_ probe: String, _ faults: FaultCollector) -> Node? {
    guard let root = try? YAML.parse(Array(probe.utf8), file: "probe.yaml") else {
      preconditionFailure("a probe is no YAML")
    }
    var variables = VariableScope(data: "data") { _ in nil }
    variables.declare(in: root, faults: faults)
    let isPipeline = self == .pipeline
    let space = FieldSpace(
      pipeline: isPipeline ? root : nil, experiment: isPipeline ? nil : root,
      variables: variables, faults: faults)
    guard isPipeline else {
      ExperimentSpec(space).read()
      return root
    }
    let pipeline = PipelineSpec(root, faults: faults) { $0 }
    StageTemplates(pipeline, of: nil, in: space).read()
    if let sweep = pipeline.sweep {
      var reader = SweepReader(faults: faults, expand: { $0 }, check: { _ in nil })
      _ = reader.read(sweep)
    }
    return root
  }
}
