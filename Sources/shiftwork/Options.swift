//! Options that several subcommands share.

import ArgumentParser
import Diagnostics
import Experiments
import Glibc

/// Which pipeline, with which overrides.
struct PipelineOptions: ParsableArguments {
  @Argument(
    help: "A pipeline's YAML file, or an experiment's: then the pipeline of the same name.",
    completion: .file(extensions: ["yaml"]))
  var path: String

  @OptionGroup var fields: FieldOptions

  func resolve(requiresFiles: Bool = true) throws -> ResolvedPipeline {
    let pipeline = try ResolvedPipeline(
      PipelineRequest(
        path: path, overrides: fields.set, data: fields.dataFolder, requiresFiles: requiresFiles,
        variable: { Environment[$0] }))
    Console.show(pipeline.warnings, color: fields.color)
    return pipeline
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
