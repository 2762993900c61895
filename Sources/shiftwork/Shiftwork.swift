//! The command: finds the subcommand and turns every way to end into an exit code.

import ArgumentParser
import CPlatform
import Diagnostics
import Glibc

struct Root: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "shiftwork",
    abstract: "Runs quantization experiments from YAML; what has been computed is kept.",
    version: Version.text,
    subcommands: [
      RunCommand.self, PlanCommand.self, ExplainCommand.self, AcceptCommand.self,
      StatusCommand.self, LogCommand.self, HistoryCommand.self, CompareCommand.self,
      SearchCommand.self, CheckCommand.self, GraphCommand.self, StatsCommand.self,
      SchemaCommand.self,
      DataCommand.self, CleanUpCommand.self, CompletionsCommand.self, VersionCommand.self,
    ])
}

enum Version {
  static let text = "0.1.0"
}

struct VersionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "version", abstract: "Print the version.")

  func run() { Console.out(Version.text) }
}

/// How the process ends.
enum Exit {
  /// The user's text or command line is wrong.
  static let invalid: Int32 = 2
  /// The world failed.
  static let failed: Int32 = 1
}

@main enum Shiftwork {
  static func main() async {
    shiftwork_grow_heaps_in_steps()
    var color = ColorChoice.auto
    do {
      var command = try Root.parseAsRoot()
      if let command = command as? any ColoringCommand { color = command.color }
      if var waiting = command as? any AsyncParsableCommand {
        try await waiting.run()
      } else {
        try command.run()
      }
    } catch let error as InvalidSpec {
      Console.show(error.diagnostics, color: color)
      exit(Exit.invalid)
    } catch {
      end(error)
    }
  }

  private static func end(_ error: any Error) -> Never {
    let code = Root.exitCode(for: error)
    let message = Root.fullMessage(for: error)
    if code.isSuccess {
      if !message.isEmpty { Console.out(message) }
      exit(0)
    }
    if !message.isEmpty { Console.error(message) }
    exit(code == .validationFailure ? Exit.invalid : code.rawValue)
  }
}
