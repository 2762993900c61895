//! Options that several subcommands share.

import ArgumentParser
import Diagnostics
import Experiments
import Glibc
import Pipeline
import Synchronization

/// Which pipeline, with which overrides.
struct PipelineOptions: ParsableArguments {
  @Argument(
    help: "A pipeline's YAML file, or an experiment's: then the pipeline of the same name.",
    completion: .file(extensions: ["yaml"]))
  var path: String

  @OptionGroup var fields: FieldOptions

  /// - Parameter variables: takes the names of the variables of the environment that were read.
  func resolve(
    requiresFiles: Bool = true, noting variables: VariableNames? = nil
  ) throws -> ResolvedPipeline {
    let pipeline = try ResolvedPipeline(
      PipelineRequest(
        path: path, overrides: fields.set, data: fields.dataFolder, requiresFiles: requiresFiles,
        variable: {
          variables?.add($0)
          return Environment[$0]
        }))
    Console.show(pipeline.warnings, color: fields.color)
    return pipeline
  }
}

/// Names that were asked for.
final class VariableNames: Sendable {
  private let names = Mutex<Set<String>>([])

  var all: Set<String> { names.withLock { $0 } }

  func add(_ name: String) { names.withLock { _ = $0.insert(name) } }
}

/// Which of the pipeline's stages.
struct SelectionOptions: ParsableArguments {
  @Argument(
    help: "Stages, with what they need (default: all). Patterns such as '*/evaluate' are allowed.")
  var stages: [String] = []

  @Option(
    help: ArgumentHelp(
      "Only this stage and what needs it; what they need must be there. Repeatable.",
      valueName: "stage"))
  var from: [String] = []

  @Option(
    help: ArgumentHelp("Nothing that needs this stage. Repeatable.", valueName: "stage"))
  var until: [String] = []

  @Option(
    help: ArgumentHelp(
      "Run this stage though its output is there; '*' means all. Repeatable.", valueName: "stage"))
  var force: [String] = []

  func plan(_ pipeline: ResolvedPipeline, store: Store) throws -> Plan {
    let selection = try StageSelection(
      StageRequest(targets: stages, from: from, until: until, forced: force), in: pipeline.graph)
    let plan = try Plan(graph: selection.graph, store: store, forced: selection.forced)
    try selection.check(plan)
    return plan
  }
}

/// What changes fields, and how output looks.
struct FieldOptions: ParsableArguments {
  @Option(
    name: .customLong("set"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "Override a field of the experiment by its path, or stages.NAME.FIELD. Repeatable.",
      valueName: "path=value"))
  var set: [String] = []

  @Option(
    help: ArgumentHelp(
      "What ${data} stands for (default: $SHIFTWORK_DATA, else data).", valueName: "dir"))
  var data: String?

  @Option(help: "Colours: auto, always or never.")
  var color: ColorChoice = .auto

  var dataFolder: String { data ?? Environment["SHIFTWORK_DATA"] ?? "data" }
}

/// A command whose user may ask for colours, also in faults that end it.
protocol ColoringCommand: ParsableCommand {
  var color: ColorChoice { get }
}

/// Where artifacts are kept.
struct StoreOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The cache.", valueName: "dir"))
  var store = ".shiftwork"
}

enum Environment {
  /// The variable's value; nil where it is unset or empty.
  static subscript(name: String) -> String? {
    guard let value = getenv(name) else { return nil }
    let text = String(cString: value)
    return text.isEmpty ? nil : text
  }
}
