//! `check`: every fault of some YAML files, without touching data or cache.

import ArgumentParser
import Diagnostics
import Experiments
import Files

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Report every fault in pipelines and experiments; data need not be there.")

  @Argument(
    help: "Files to check (default: all of pipelines and experiments).",
    completion: .file(extensions: ["yaml"]))
  var paths: [String] = []

  @OptionGroup var fields: FieldOptions

  func run() throws {
    let paths = paths.isEmpty ? Self.allSpecs : paths
    guard !paths.isEmpty else {
      throw ValidationError("there is no YAML file in pipelines or experiments here")
    }
    var faults: [Diagnostic] = []
    for path in paths {
      do {
        let outcome = try SpecCheck(
          PipelineRequest(
            path: path, overrides: fields.set, data: fields.dataFolder, requiresFiles: false))
        Console.show(outcome.warnings, color: fields.color)
        Console.out("\(path): \(outcome.summary)")
      } catch {
        // Two pipelines over one experiment find its faults twice.
        faults += error.diagnostics.filter { !faults.contains($0) }
      }
    }
    guard faults.isEmpty else {
      Console.show(faults, color: fields.color)
      throw ExitCode(Exit.invalid)
    }
  }

  private static var allSpecs: [String] {
    ["experiments", "pipelines"].flatMap { folder in
      ((try? Files.list(folder)) ?? []).filter { $0.hasSuffix(".yaml") }.map { "\(folder)/\($0)" }
    }
  }
}
