//! Whether a path that a sweep varies is there: what can be known before points are read. Knows no
//! value.

import Diagnostics
import Specs

/// The paths that a sweep may vary.
struct SweptPaths {
  let pipeline: PipelineSpec
  let space: FieldSpace
  let variables: VariableScope

  /// A fault for a path of nothing; unknown fields of what is there are found when it is read.
  func fault(of override: Override) -> Diagnostic? {
    let key = override.key ?? override.node
    guard let head = override.path.first else { return nil }
    switch head {
    case "stages":
      guard override.path.count > 2 else {
        return key.diagnostic(
          "a sweep varies fields of stages", suggestion: "write `stages.NAME.FIELD`")
      }
      let name = override.path[1]
      if pipeline.stages.contains(name) { return nil }
      return key.diagnostic(
        "there is no stage `\(name)`",
        suggestion: closest(to: name, among: pipeline.stages).map { near in
          let rest = override.path.dropFirst(2).joined(separator: ".")
          return "did you mean `stages.\(near).\(rest)`?"
        })
    case "variables":
      let name = override.path.dropFirst().first ?? ""
      if variables.declares(name) { return nil }
      return VariableScope.undeclared(name, at: key, among: variables.declared)
    case "experiment", "pipeline", "set", "sweep":
      return key.diagnostic(
        "a sweep varies fields of its experiment, not `\(head)`",
        suggestion: head == "experiment" ? "write a pipeline for each experiment" : nil)
    default:
      if space.experiment != nil { return nil }
      return key.diagnostic(
        "there is no experiment whose `\(override.path.joined(separator: "."))` could vary",
        suggestion: "name a field of a stage: `stages.NAME.FIELD`")
    }
  }
}
