//! Writes down what a run does while it does it: events, and a trace for a browser. Decides nothing.

package import Files
import Glibc
import Synchronization

/// The folder of one run, `runs/ID/` in the store:
///
/// - `run.json`: the command line, where and when.
/// - `events.jsonl`: what happened, a line each, with the time of day.
/// - `trace.json`: the same in Chrome's trace format, a lane for each stage that ran at once with
///   others. Its closing bracket may be missing after a kill, which the format allows.
/// - `lock`: held while the run lives.
///
/// Nothing is synced: a run's story may end early after a loss of power, its results do not.
package final class RunRecorder: Sendable {
  private struct State {
    var events: AppendingFile
    var trace: AppendingFile
    var hits: [(stage: String, artifact: Digest)] = []
    /// By stage that runs: its lane and when it began.
    var running: [String: (lane: Int, began: Double)] = [:]
    var lanes: [Bool] = []
    /// When a stage's progress was last written, and its epoch then.
    var progress: [String: (time: Double, epoch: Int?)] = [:]
    var isTraced = false
  }

  private let state: Mutex<State>
  private let lock: HeldLock?
  private let info: RunInfo
  /// Reports of progress that say nothing new come at most this often.
  private static let progressSeconds = 1.0

  /// - Parameter root: the store's folder.
  package init(_ info: RunInfo, in root: String) throws {
    let folder = "\(Store.runsPath(in: root))/\(info.id)"
    try Files.createDirectories(folder)
    lock = try HeldLock.tryAcquire(file: folder + "/lock")
    try Files.writeAtomically(info.json.line + [10], to: folder + "/run.json")
    self.info = info
    state = Mutex(
      State(
        events: try AppendingFile(folder + "/events.jsonl"),
        trace: try AppendingFile(folder + "/trace.json")))
  }

  /// - Parameter time: when it happened.
  package func receive(_ event: SchedulerEvent, at time: Double = WallTime.now) {
    state.withLock { state in
      switch event.state {
      case .hit(let record, _):
        state.hits.append((event.stage, record.artifact))
        return
      case .progress(let progress):
        let last = state.progress[event.stage]
        if let last, last.epoch == progress.epoch, time - last.time < Self.progressSeconds {
          return
        }
        state.progress[event.stage] = (time, progress.epoch)
      default: break
      }
      flushHits(at: time, in: &state)
      var members = event.members
      members["event"] = .string("stage")
      members["time"] = .double(time)
      state.events.write(JSONValue.object(members).line)
      trace(event, at: time, in: &state)
    }
  }

  /// Takes in that all these stages were there already.
  package func receive(_ hits: SpelledHits) {
    let time = WallTime.now
    state.withLock { $0.events.write(hits.event(at: time)) }
  }

  /// The run's last word.
  package func finish(_ summary: RunSummary, code: Int32) {
    finish(
      RunStory.Counts(
        ran: summary.ran.count, hits: summary.hits.count, failed: summary.failures.count,
        skipped: summary.skipped.count), isInterrupted: summary.isInterrupted, code: code)
  }

  package func finish(_ counts: RunStory.Counts, isInterrupted: Bool = false, code: Int32) {
    let time = WallTime.now
    state.withLock { state in
      flushHits(at: time, in: &state)
      state.events.write(
        JSONValue.object([
          "event": .string("end"), "time": .double(time), "code": .int(Int(code)),
          "ran": .int(counts.ran), "hits": .int(counts.hits), "failed": .int(counts.failed),
          "skipped": .int(counts.skipped), "interrupted": .bool(isInterrupted),
        ]).line)
      traceName(in: &state)
      state.trace.writeRaw(Array("\n]\n".utf8))
    }
    lock?.release()
  }

  private func flushHits(at time: Double, in state: inout State) {
    guard !state.hits.isEmpty else { return }
    state.events.write(SpelledHits(state.hits).event(at: time))
    state.hits = []
  }

  // MARK: The trace

  private func trace(_ event: SchedulerEvent, at time: Double, in state: inout State) {
    switch event.state {
    case .running:
      let lane = state.lanes.firstIndex(of: false) ?? state.lanes.count
      if lane == state.lanes.count { state.lanes.append(true) } else { state.lanes[lane] = true }
      state.running[event.stage] = (lane, time)
    case .progress(let progress):
      guard let epoch = progress.epoch, let (lane, _) = state.running[event.stage] else { return }
      write(
        [
          "name": .string("epoch of \(event.stage)"), "ph": .string("C"), "tid": .int(lane),
          "args": .object(["epoch": .int(epoch)]),
        ], at: time, in: &state)
    case .retrying, .waiting:
      let lane = state.running[event.stage]?.lane ?? 0
      write(
        [
          "name": .string("\(event.stage) \(event.stateName)"), "ph": .string("i"),
          "s": .string("t"), "tid": .int(lane),
        ], at: time, in: &state)
    case .done, .failed, .interrupted:
      guard let (lane, began) = state.running.removeValue(forKey: event.stage) else { return }
      state.lanes[lane] = false
      state.progress[event.stage] = nil
      write(
        [
          "name": .string(event.stage), "cat": .string(event.kind), "ph": .string("X"),
          "dur": .int(Int((time - began) * 1e6)), "tid": .int(lane),
          "args": .object(["state": .string(event.stateName)]),
        ], at: began, in: &state)
    case .hit, .skipped: break
    }
  }

  private func traceName(in state: inout State) {
    write(
      [
        "name": .string("process_name"), "ph": .string("M"), "tid": .int(0),
        "args": .object(["name": .string("\(info.pipeline) \(info.id)")]),
      ], at: info.started, in: &state)
  }

  private func write(_ members: [String: JSONValue], at time: Double, in state: inout State) {
    var members = members
    members["pid"] = .int(1)
    // From the run's beginning, in microseconds.
    members["ts"] = .int(max(0, Int((time - info.started) * 1e6)))
    let opening = state.isTraced ? ",\n" : "[\n"
    state.isTraced = true
    state.trace.writeRaw(Array(opening.utf8) + JSONValue.object(members).line)
  }
}

/// Stages that were there already, as a run's events have them but for the time.
package struct SpelledHits: Sendable {
  /// All of a JSON object but its last value.
  package let bytes: ArraySlice<UInt8>

  package init(_ hits: [(stage: String, artifact: Digest)]) {
    var bytes = JSONValue.object([
      "event": .string("hits"),
      "stages": .array(hits.map { .string($0.stage) }),
      "artifacts": .array(hits.map { .string($0.artifact.hex) }),
    ]).line
    bytes.removeLast()
    self.bytes = bytes[...] + Array(#","time":"#.utf8)
  }

  /// What was `bytes` before.
  package init(bytes: ArraySlice<UInt8>) { self.bytes = bytes }

  fileprivate func event(at time: Double) -> [UInt8] {
    bytes + JSONValue.double(time).line + [UInt8(ascii: "}")]
  }
}

/// A new file that takes whole pieces at its end. What cannot be written is left out: the run counts,
/// its story less.
private final class AppendingFile: Sendable {
  private let descriptor: Int32

  init(_ path: String) throws {
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw PipelineError.unreadable(path: path, why: ChildProcess.text(errno))
    }
  }

  deinit { close(descriptor) }

  func write(_ line: [UInt8]) { writeRaw(line + [10]) }

  func writeRaw(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { _ = Glibc.write(descriptor, $0.baseAddress, $0.count) }
  }
}

extension SchedulerEvent {
  /// The event as named values, as `run --json` and a run's events have it.
  package var members: [String: JSONValue] {
    var members: [String: JSONValue] = [
      "stage": .string(stage), "kind": .string(kind), "state": .string(stateName),
      "key": .string((contentKey ?? planKey).hex),
    ]
    switch state {
    case .hit(let record, _), .done(let record, _):
      members["artifact"] = .string(record.artifact.hex)
      members["seconds"] = .double(record.seconds)
    case .progress(let progress):
      members["epoch"] = progress.epoch.map { .int($0) }
      members["epochs"] = progress.epochs.map { .int($0) }
      members["samples_per_second"] = Self.finite(progress.samplesPerSecond)
      members["seconds_left"] = Self.finite(progress.secondsLeft)
      members["message"] = progress.message.map { .string($0) }
    case .retrying(let failure, let attempt):
      members["message"] = .string(failure.message)
      members["attempt"] = .int(attempt)
    case .failed(let failure):
      members["message"] = .string(failure.message)
      members["log"] = failure.log.map { .string($0) }
    case .skipped(let producer): members["because"] = producer.map { .string($0) }
    case .running(let log): members["log"] = .string(log)
    case .waiting, .interrupted: break
    }
    return members
  }

  private static func finite(_ number: Double?) -> JSONValue? {
    number.flatMap { $0.isFinite ? .double($0) : nil }
  }
}
