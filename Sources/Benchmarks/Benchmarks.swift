//! `make bench`: finds the subcommand and turns every way to end into an exit code.

import ArgumentParser
import Glibc

struct Benchmarks: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "Benchmarks",
    abstract: """
      Times training steps and inference against oneDNN's primitives and QKeras, and features of \
      sound against TensorFlow and librosa, and the runner against ninja, snakemake and DVC; \
      compares tuners.
      """,
    subcommands: [
      CompareCommand.self, FeaturesCommand.self, RunnerCommand.self, SearchCommand.self,
      MeasureCommand.self, MeasureFeaturesCommand.self, SearchObjectiveCommand.self,
    ],
    defaultSubcommand: CompareCommand.self)
}

@main enum Main {
  static func main() async {
    do {
      var command = try Benchmarks.parseAsRoot()
      if var waiting = command as? any AsyncParsableCommand {
        try await waiting.run()
      } else {
        try command.run()
      }
    } catch {
      let code = Benchmarks.exitCode(for: error)
      let message = Benchmarks.fullMessage(for: error)
      if !message.isEmpty { Console.write(message, isError: !code.isSuccess) }
      exit(code == .validationFailure ? 2 : code.rawValue)
    }
  }
}

enum Console {
  /// A whole line at once.
  static func write(_ line: String, isError: Bool = false) {
    let bytes = Array((line + "\n").utf8)
    _ = Glibc.write(isError ? STDERR_FILENO : STDOUT_FILENO, bytes, bytes.count)
  }
}
