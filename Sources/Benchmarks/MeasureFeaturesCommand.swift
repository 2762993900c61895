//! The time of features in this process, printed as a line of figures. Knows no other measurement.

import ArgumentParser
import Glibc

struct MeasureFeaturesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "measure-features",
    abstract: "Times the features of a folder's recordings in this process: what `features` starts."
  )

  @Argument(help: "mfcc, of clips of a second, or log_mel, of clips of ten.")
  var task: FeatureTask

  @Argument(help: "The folder with the WAV files.")
  var folder: String

  @Option(help: "Threads.")
  var threads = sysconf(Int32(_SC_NPROCESSORS_ONLN))

  @Option(help: "Seconds of passes over the folder.")
  var seconds = 5.0

  func run() async throws {
    guard (1...1024).contains(threads), seconds > 0 else {
      throw ValidationError("--threads must be 1 to 1024, --seconds more than 0")
    }
    let bench = try FeaturesBench(task, folder: folder)
    guard !bench.files.isEmpty else { throw ValidationError("\(folder) has no WAV file") }
    // The first pass brings the files into the system's cache, for everyone.
    var sum = try await bench.run(threads: threads)
    var times: [Double] = []
    while times.count < 3 || times.reduce(0, +) < seconds {
      let start = MeasureCommand.now()
      sum += try await bench.run(threads: threads)
      times.append(MeasureCommand.now() - start)
    }
    guard sum.isFinite else { throw ValidationError("a feature is no number") }
    let figures = Figures([
      ("us_per_file", times.median / Double(bench.files.count) * 1e6),
      ("passes", Double(times.count)), ("files", Double(bench.files.count)),
    ])
    Console.write(figures.line(task.rawValue))
  }
}

extension FeatureTask: ExpressibleByArgument {}
