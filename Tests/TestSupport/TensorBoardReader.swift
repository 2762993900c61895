//! TensorBoard's own reader of event files, installed into an environment of its own and asked.

import Foundation

/// A Python with TensorBoard; made once and kept beside the build.
package struct TensorBoardReader: Sendable {
  private static let version = "2.20.0"
  private static let folder = TestPaths.root + "/.build/tensorboard-" + version

  private let python: String

  /// nil where there is no python3 with venv, no pip or no network.
  package static let shared: TensorBoardReader? = {
    let python = folder + "/bin/python"
    let ready = folder + "/ready"
    if !FileManager.default.fileExists(atPath: ready) {
      try? FileManager.default.removeItem(atPath: folder)
      guard run("/usr/bin/env", ["python3", "-m", "venv", folder]) != nil,
        run(
          python,
          [
            "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
            "tensorboard==" + version,
          ]
        ) != nil
      else { return nil }
      _ = FileManager.default.createFile(atPath: ready, contents: nil)
    }
    return TensorBoardReader(python: python)
  }()

  /// What an accumulator holds of one run's folder.
  package struct Run: Decodable, Sendable {
    package struct Scalar: Decodable, Sendable, Equatable {
      package var wall_time: Double
      package var step: Int
      /// nil: not a number.
      package var value: Float?
    }

    package struct Histogram: Decodable, Sendable {
      package var step: Int
      package var min: Double
      package var max: Double
      package var num: Double
      package var sum: Double
      package var sum_squares: Double
      package var bucket_limit: [Double]
      package var bucket: [Double]
    }

    package var scalars: [String: [Scalar]]
    package var histograms: [String: [Histogram]]
  }

  /// Reads every event of a folder with TensorBoard's EventAccumulator.
  package func read(_ folder: String) throws -> Run {
    guard let output = Self.run(python, ["-c", Self.script, folder]) else {
      throw CocoaError(.fileReadCorruptFile)
    }
    return try JSONDecoder().decode(Run.self, from: output)
  }

  /// Numbers that JSON has no spelling for become null.
  private static let script = """
    import json, math, sys
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "histograms": 0})
    events.Reload()
    tags = events.Tags()
    def scalar(e):
      return dict(wall_time=e.wall_time, step=e.step, value=e.value if math.isfinite(e.value) else None)
    def histogram(e):
      return dict(vars(e.histogram_value), step=e.step)
    print(json.dumps(dict(
      scalars={tag: [scalar(e) for e in events.Scalars(tag)] for tag in tags["scalars"]},
      histograms={tag: [histogram(e) for e in events.Histograms(tag)] for tag in tags["histograms"]})))
    """

  /// Standard output of a program that ended well.
  private static func run(_ program: String, _ arguments: [String]) -> Data? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }
    let data = try? output.fileHandleForReading.readToEnd()
    process.waitUntilExit()
    return process.terminationStatus == 0 ? data ?? Data() : nil
  }
}
