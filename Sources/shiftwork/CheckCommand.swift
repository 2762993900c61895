//! `check`: every fault of some YAML files, without touching data or cache.

import ArgumentParser
import Diagnostics
import Experiments
import Files

struct CheckCommand: ColoringCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Report every fault in pipelines and experiments; data need not be there.")

  @Argument(
    help: "Files to check (default: all of pipelines and experiments).",
    completion: .file(extensions: ["yaml"]))
  var paths: [String] = []

  @Flag(help: "One JSON object a fault, and one a file without any.")
  var json = false

  @OptionGroup var fields: FieldOptions

  var color: ColorChoice { fields.color }

  func run() throws {
    let paths = paths.isEmpty ? Self.allSpecs : paths
    guard !paths.isEmpty else {
      throw ValidationError("there is no YAML file in pipelines or experiments here")
    }
    // Two pipelines over one experiment find the same in it.
    var faults: [Diagnostic] = []
    var warnings: [Diagnostic] = []
    for path in paths {
      do {
        let outcome = try SpecCheck(
          PipelineRequest(
            path: path, overrides: fields.set, data: fields.dataFolder, requiresFiles: false,
            variable: { Environment[$0] }))
        warnings += outcome.warnings.filter { !warnings.contains($0) }
        Console.out(
          json
            ? JSONValue.object(["file": .string(path), "summary": .string(outcome.summary)])
              .canonicalText
            : "\(path): \(outcome.summary)")
      } catch {
        faults += error.diagnostics.filter { !faults.contains($0) }
      }
    }
    if json {
      for fault in warnings + faults {
        Console.out(try JSONValue(encoding: fault).canonicalText)
      }
    } else {
      Console.show(warnings + faults, color: fields.color)
    }
    guard faults.isEmpty else {
      throw ExitCode(Exit.invalid)
    }
  }

  private static var allSpecs: [String] {
    ["experiments", "pipelines"].flatMap { folder in
      ((try? Files.list(folder)) ?? []).filter { $0.hasSuffix(".yaml") }.map { "\(folder)/\($0)" }
    }
  }
}
