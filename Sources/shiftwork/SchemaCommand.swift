//! `schema`: what editors complete and check YAML by.

import ArgumentParser
import Experiments
import Files

struct SchemaCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema",
    abstract: "Print the JSON Schema of experiments' or pipelines' files, for editors.",
    discussion: "Redirect it to a file, and write into a YAML file's first line: "
      + "# yaml-language-server: $schema=FILE")

  @Argument(help: "Which files: experiment or pipeline.")
  var kind: SpecSchema = .pipeline

  func run() { Console.out(kind.json.prettyText) }
}

extension SpecSchema: ExpressibleByArgument {}
