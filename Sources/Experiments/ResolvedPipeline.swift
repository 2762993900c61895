//! A pipeline as commands ask for it and get it. Knows no file's form.

package import Diagnostics
import Files
package import Pipeline
package import Specs

/// What a command line says about which pipeline to work on.
package struct PipelineRequest: Sendable {
  /// A pipeline's file, or an experiment's: then the pipeline of its name is meant.
  package var path: String
  /// `a.b=VALUE`, in the order given.
  package var overrides: [String]
  /// What `${data}` stands for.
  package var data: String
  /// Whether a missing source file is a fault, or only a warning.
  package var requiresFiles: Bool
  /// A variable of the environment, for files that declare it.
  package var variable: @Sendable (String) -> String?

  package init(
    path: String, overrides: [String] = [], data: String = "data", requiresFiles: Bool = true,
    variable: @escaping @Sendable (String) -> String? = { _ in nil }
  ) {
    self.path = path
    self.overrides = overrides
    self.data = data
    self.requiresFiles = requiresFiles
    self.variable = variable
  }
}

/// A pipeline whose every field is known, at all points of its sweep.
package struct ResolvedPipeline: Sendable {
  package var name: String
  /// Nil where every stage is a command.
  package var experiment: String?
  /// The stages of all points; those of a sweep are named `POINT/STAGE`.
  package var graph: StageGraph
  package var warnings: [Diagnostic]
  /// What of the file system it all hangs on.
  package var lookups: Lookups

  package init(_ request: PipelineRequest) throws(InvalidSpec) {
    let loader = PipelineLoader(request)
    guard let checked = loader.check(), let graph = loader.graph(of: checked) else {
      throw InvalidSpec(loader.errors)
    }
    name = checked.name
    experiment = checked.experiment
    self.graph = graph
    warnings = loader.warnings
    lookups = loader.faults.lookups
  }
}

/// A pipeline without faults, its stages not yet written out point by point.
struct CheckedPipeline {
  /// One point of the sweep, or the pipeline itself.
  struct Point {
    /// Nil without a sweep.
    var name: String?
    /// What reports tell points by.
    var label: JSONValue?
    var stages: [StageTemplate]
  }

  var name: String
  var experiment: String?
  var points: [Point]

  var stageCount: Int { points.reduce(0) { $0 + $1.stages.count } }
}
