//! TensorBoard's own reader of event files, asked.

import Foundation

/// A Python with TensorBoard.
package struct TensorBoardReader: Sendable {
  private let python: PythonEnvironment

  /// nil where there is no python3 with venv, no pip or no network.
  package static let shared: TensorBoardReader? =
    PythonEnvironment("tensorboard-2.20.0", packages: ["tensorboard==2.20.0"])
    .map { TensorBoardReader(python: $0) }

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
    guard let output = python.run(["-c", Self.script, folder]) else {
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
}
