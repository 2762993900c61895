//! A file checked as far as it can be without data: a pipeline with its experiment, or an experiment
//! that has no pipeline yet.

package import Diagnostics

/// What a check found out about a file without faults.
package struct SpecCheck: Sendable {
  /// `14 stages over experiment cifar10`.
  package var summary: String
  package var warnings: [Diagnostic]

  package init(_ request: PipelineRequest) throws(InvalidSpec) {
    let loader = PipelineLoader(request)
    if loader.checkExperimentAlone() {
      summary = "an experiment without a pipeline of its name"
    } else if let pipeline = loader.check() {
      // The stages of every point were read; nobody wants their graph.
      let count = pipeline.stageCount
      summary = "\(count) \(count == 1 ? "stage" : "stages")"
      if pipeline.points.contains(where: { $0.name != nil }) {
        summary += " at \(pipeline.points.count) points"
      }
      if let experiment = pipeline.experiment { summary += " over experiment \(experiment)" }
    } else {
      summary = ""
    }
    warnings = loader.warnings
    if !loader.errors.isEmpty { throw InvalidSpec(loader.errors) }
  }
}
