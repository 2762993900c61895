//! Trials without processes: they score by their quantizers and end as they are told to.

import Files
import Pipeline
import Synchronization
import TestSupport
import Testing

/// Trials that score by their quantizers and fail where they are told to.
final class MadeTrials: StageRunner {
  private struct State {
    var running = 0
    var most = 0
    var started: [String] = []
    var floors: [String: JSONValue] = [:]
  }

  private let state = Mutex(State())
  private let failing: Set<String>

  init(failing: Set<String> = []) { self.failing = failing }

  /// At once.
  var most: Int { state.withLock { $0.most } }
  var started: [String] { state.withLock { $0.started } }
  /// By the trial's name, what it had to reach; those that had to reach nothing are left out.
  var floors: [String: JSONValue] { state.withLock { $0.floors } }

  func run(
    _ task: StageTask, report: @escaping @Sendable (StageEvent) -> Void
  ) async throws -> StageOutcome {
    state.withLock { state in
      state.running += 1
      state.most = max(state.most, state.running)
      state.started.append(task.name)
      state.floors[task.name] = task.fields["floor"]
    }
    defer { state.withLock { $0.running -= 1 } }
    // Later trials end earlier.
    let number = Int(task.name.split(separator: "_").last ?? "") ?? 0
    try await Task.sleep(for: .milliseconds(5 * (4 - number % 4)))
    if failing.contains(task.name) { throw PipelineError.workerKilled(signal: 9) }
    let model = try #require(task.inputs["model"])
    for file in ["weights.h5", "quantizers.json"] {
      try Files.copy("\(model)/\(file)", to: "\(task.output)/\(file)")
    }
    return StageOutcome(metrics: .object(Self.metrics(of: task)))
  }

  /// A tenth less for each slot of four bits; an epoch adds a hundredth.
  private static func metrics(of task: StageTask) -> [String: JSONValue] {
    let bits = task.fields.canonicalText.split(separator: "quantized_bits(4").count
    var epochs = 0
    if case .int(let whole)? = task.fields["training"]?["epochs"] { epochs = whole }
    var values: [Double] = []
    var metrics: [String: JSONValue] = [:]
    for epoch in 0..<epochs {
      values.append(1 / Double(bits) + 0.01 * Double(epoch))
      guard case .int(let from)? = task.fields["floor"]?["after_epochs"],
        case .array(let floors)? = task.fields["floor"]?["values"], epoch + 1 >= from,
        case .double(let least)? = floors.dropFirst(epoch + 1 - from).first,
        let value = values.last, value < least
      else { continue }
      metrics["stopped"] = .bool(true)
      break
    }
    metrics["val_accuracy"] = .double(values.max() ?? 0)
    metrics["by_epoch"] = .array(values.map { .double($0) })
    return metrics
  }
}
