//! The comparison of features of sound with TensorFlow and librosa, round after round. Knows nothing
//! of how a time is taken.

import ArgumentParser
import Datasets
import Files
import Glibc

struct FeaturesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "features",
    abstract: "Times MFCC and log-mel spectrograms of WAV files, reading included.",
    discussion: """
      Made recordings are written into a temporary folder: words of a second for MFCC, machines of \
      ten seconds for log-mel spectrograms. Then passes over all of them are timed, ours and theirs by \
      turns, each in a process of its own, after a pass that brings the files into memory. Theirs is \
      the fastest of several forms: TensorFlow's tf.data with batches of three sizes and without, \
      librosa's own function and its stft with a matrix made once, in as many processes as threads.

      The table also goes to OUTPUT/features.csv, every measurement to OUTPUT/features_rounds.csv.
      """)

  @Option(help: "A Python with TensorFlow 2.12, for MFCC.")
  var tensorflow: String?

  @Option(help: "A Python with librosa, for log-mel spectrograms.")
  var librosa: String?

  @Option(help: "Threads, ours and theirs.")
  var threads = sysconf(Int32(_SC_NPROCESSORS_ONLN))

  @Option(help: "Words to make; of the longer recordings of machines a tenth of it.")
  var files = 1000

  @Option(help: "Measurements of everything.")
  var rounds = 3

  @Option(help: "Seconds of passes in a measurement.")
  var seconds = 4.0

  @Option(help: "The folder for the CSV files.")
  var output = "results/bench"

  /// Their half, relative to the top of the checkout.
  private static let script = "Tests/Fixtures/audio/features_speed.py"
  private static let limit = Duration.seconds(600)

  func validate() throws {
    guard (1...1024).contains(threads) else {
      throw ValidationError("--threads must be 1 to 1024")
    }
    guard (10...100_000).contains(files) else {
      throw ValidationError("--files must be 10 to 100000")
    }
    guard (1...100).contains(rounds), seconds > 0, seconds <= 600 else {
      throw ValidationError("--rounds must be 1 to 100, --seconds more than 0, at most 600")
    }
    for python in [tensorflow, librosa].compactMap({ $0 }) where !Files.exists(python) {
      throw ValidationError("there is no \(python)")
    }
  }

  func run() async throws {
    if tensorflow ?? librosa != nil, !Files.exists(Self.script) {
      throw MeasurementError.noScript(path: Self.script)
    }
    try Files.createDirectories(output)
    let folder = try Files.temporaryDirectory(in: "/tmp", prefix: "shiftwork-features-")
    defer { try? Files.remove(folder) }
    var times: [FeatureTask: (ours: [Double], theirs: [Double])] = [:]
    for task in FeatureTask.allCases { try makeFiles(of: task, in: path(of: task, folder)) }
    for _ in 1...rounds {
      for task in FeatureTask.allCases {
        let ours = try await measure(task, path(of: task, folder), python: nil)
        times[task, default: ([], [])].ours.append(ours)
        guard let python = task == .mfcc ? tensorflow : librosa else { continue }
        let theirs = try await measure(task, path(of: task, folder), python: python)
        times[task, default: ([], [])].theirs.append(theirs)
      }
    }
    try report(times)
  }

  private func path(of task: FeatureTask, _ folder: String) -> String {
    "\(folder)/\(task.rawValue)"
  }

  private func makeFiles(of task: FeatureTask, in folder: String) throws {
    try Files.createDirectories(folder)
    for index in 0..<(task == .mfcc ? files : files / 10) {
      let samples =
        task == .mfcc
        ? SyntheticWords.clip(
          label: SyntheticWords.label(index: index), seed: 1, stream: .training, index: index)
        : SyntheticMachines.clip(
          machine: index % 4, isAnomaly: false, seed: 1, stream: .training, index: index)
      try WAVFile.write(samples, sampleRate: 16_000, to: "\(folder)/\(index).wav")
    }
  }

  /// Microseconds a file.
  private func measure(_ task: FeatureTask, _ folder: String, python: String?) async throws
    -> Double
  {
    let options = [task.rawValue, folder, "--threads", "\(threads)", "--seconds", "\(seconds)"]
    let (program, arguments) =
      python.map { ($0, [Self.script] + options) }
      ?? ("/proc/self/exe", ["measure-features"] + options)
    let what = "\(task.rawValue) by \(python ?? "ours")"
    let figures = try await MeasurementRunner.figures(
      of: what, title: task.rawValue, program, arguments, within: Self.limit)
    guard let time = figures?["us_per_file"] else {
      throw MeasurementError.noFigures(what: what, said: "")
    }
    return time
  }

  private func report(_ times: [FeatureTask: (ours: [Double], theirs: [Double])]) throws {
    let other = [FeatureTask.mfcc: "tensorflow", .logMel: "librosa"]
    var table = [
      [
        "features", "clip_seconds", "threads", "us_per_file", "other", "other_us_per_file",
        "speedup",
      ]
    ]
    var rounds = ["features,round,who,us_per_file\n"]
    for task in FeatureTask.allCases {
      guard let (ours, theirs) = times[task] else { continue }
      let name = theirs.isEmpty ? "" : other[task] ?? ""
      table.append([
        task.rawValue, "\(task.clipSeconds)", "\(threads)", BenchTable.number(ours.median), name,
        theirs.isEmpty ? "" : BenchTable.number(theirs.median),
        theirs.isEmpty ? "" : BenchTable.number(theirs.median / ours.median),
      ])
      for (who, values) in [("shiftwork", ours), (name, theirs)] {
        for (round, value) in values.enumerated() {
          rounds.append("\(task.rawValue),\(round + 1),\(who),\(value)\n")
        }
      }
    }
    for line in BenchTable.aligned(table) { Console.write(line) }
    let csv = table.map { $0.joined(separator: ",") + "\n" }.joined()
    try Files.writeAtomically(csv, to: output + "/features.csv")
    try Files.writeAtomically(rounds.joined(), to: output + "/features_rounds.csv")
    Console.write("\(output)/features.csv, \(output)/features_rounds.csv")
  }
}
