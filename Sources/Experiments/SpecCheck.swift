//! A file checked as far as it can be without data: a pipeline with its experiment, or an experiment
//! that has no pipeline yet.

package import Diagnostics
import Pipeline

/// What a check found out about a file without faults.
package struct SpecCheck: Sendable {
  /// `14 stages over experiment cifar10`.
  package var summary: String
  package var warnings: [Diagnostic]

  package init(_ request: PipelineRequest) throws(InvalidSpec) {
    if let warnings = try ResolvedPipeline.checkExperimentAlone(request) {
      self.warnings = warnings
      summary = "an experiment without a pipeline of its name"
      return
    }
    let resolved = try ResolvedPipeline(request)
    let count = resolved.graph.stages.count
    summary = "\(count) \(count == 1 ? "stage" : "stages")"
    if let experiment = resolved.experiment { summary += " over experiment \(experiment)" }
    warnings = resolved.warnings
  }
}
