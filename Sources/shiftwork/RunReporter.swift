//! What a run says while it runs, as lines, a live line or JSON. Decides nothing.

import Diagnostics
import Experiments
import Files
import Glibc
import Pipeline
import Synchronization

/// Receives the scheduler's events from any thread.
final class RunReporter: Sendable {
  private struct State {
    var live: LiveLine
    var rows: [String: ReportRow] = [:]
    /// What kept results from being written.
    var troubles: [String] = []
    /// When a stage last printed a plain progress line, by its epoch.
    var lastEpoch: [String: Int] = [:]
  }

  private let json: Bool
  private let style: Style
  private let errorStyle: Style
  private let results: ResultsFolder
  private let store: Store
  private let interruption: Interruption
  private let state: Mutex<State>
  private let width: Int

  init(
    json: Bool, color: ColorChoice, results: ResultsFolder, store: Store, plan: Plan,
    interruption: Interruption
  ) {
    self.json = json
    self.results = results
    self.store = store
    self.interruption = interruption
    style = Style(isColored: color.applies(to: STDOUT_FILENO))
    errorStyle = Style(isColored: color.applies(to: STDERR_FILENO))
    width = plan.entries.map(\.stage.name.count).max() ?? 0
    state = Mutex(
      State(live: LiveLine(isOn: !json && Console.isTerminal(STDOUT_FILENO))))
  }

  /// The rows so far, in the order of `names`.
  func rows(in plan: Plan) -> [ReportRow] {
    state.withLock { state in
      plan.entries.map { entry in
        var row =
          state.rows[entry.stage.name]
          ?? ReportRow(stage: entry.stage.name, kind: entry.stage.kind, state: "skipped")
        row.key = entry.planKey
        row.point = SweepPoint(of: entry.stage)
        return row
      }
    }
  }

  var troubles: [String] { state.withLock { $0.troubles } }

  func receive(_ event: SchedulerEvent) {
    var trouble: String?
    switch event.state {
    case .hit(let record, _), .done(let record, _):
      do {
        let source = store.path(of: record.artifact)
        try results.materialise(stage: event.stage, artifact: record.artifact, from: source) {
          event.kind == StageKind.search.rawValue
            ? try TrialTimings.files(of: source, in: store) : []
        }
      } catch {
        trouble = "stage `\(event.stage)`: its results were not written: \(error)"
      }
    default: break
    }
    state.withLock { state in
      if let trouble {
        state.troubles.append(trouble)
        Console.error(errorStyle.red("error: ") + trouble)
      }
      note(event, in: &state)
      guard json else { return tell(event, in: &state) }
      Console.out(Self.object(event).canonicalText)
      if case .failed(let failure) = event.state, !interruption.happened {
        tell(failure, in: &state)
      }
    }
  }

  private func note(_ event: SchedulerEvent, in state: inout State) {
    var row = ReportRow(stage: event.stage, kind: event.kind, state: event.stateName)
    switch event.state {
    case .hit(let record, _), .done(let record, _):
      row.seconds = record.seconds
      row.artifact = record.artifact.hex
      row.record = record
    case .failed where interruption.happened: row.state = "interrupted"
    case .failed, .skipped, .interrupted: break
    case .waiting, .running, .progress, .retrying: return
    }
    // What ran stays `done` when another stage with the same key then finds it.
    if case .hit = event.state, state.rows[event.stage]?.state == "done" { return }
    state.rows[event.stage] = row
  }

  private func tell(_ event: SchedulerEvent, in state: inout State) {
    // Hits are told together, in the table at the end.
    if case .hit = event.state { return }
    let name = Text.padded(event.stage, to: width)
    switch event.state {
    case .hit: break
    case .waiting:
      state.live.say("\(name)  waiting: another process runs the same")
    case .running:
      state.live.start(event.stage, kind: event.kind)
      if !state.live.isOn { state.live.say("\(name)  running") }
    case .progress(let progress):
      state.live.update(event.stage, progress)
      if !state.live.isOn { tellPlainly(progress, of: event.stage, name: name, in: &state) }
    case .retrying(let failure, let attempt):
      state.live.say(
        "\(name)  \(style.yellow("failed")), attempt \(attempt) begins: \(failure.message)")
    case .done(let record, let isUnlikeBefore):
      state.live.finish(event.stage)
      let metrics = Metrics(record.metrics).summary
      let time = Text.duration(record.seconds)
      state.live.say("\(name)  \(style.green("done")) in \(time)  \(metrics)")
      if isUnlikeBefore {
        state.live.say(
          "\(name)  \(style.yellow("warning")): an earlier run of the same came out otherwise")
      }
    case .failed(let failure):
      state.live.finish(event.stage)
      if !interruption.happened { tell(failure, in: &state) }
    case .skipped(let producer):
      if let producer, !interruption.happened {
        state.live.say("\(name)  \(style.yellow("skipped")), since it needs \(producer)")
      }
    case .interrupted:
      state.live.finish(event.stage)
    }
  }

  private func tellPlainly(
    _ progress: StageEvent.Progress, of stage: String, name: String, in state: inout State
  ) {
    // One line an epoch, not one a report: logs are read later.
    guard let epoch = progress.epoch, state.lastEpoch[stage] != epoch else { return }
    state.lastEpoch[stage] = epoch
    state.live.say("\(name)  \(LiveLine.text(progress))")
  }

  private func tell(_ failure: StageFailure, in state: inout State) {
    state.live.clear()
    var lines = [errorStyle.red("error: ") + "\(failure)"]
    if let location = failure.location { lines.append(" --> \(location)") }
    // The worker's last words are the message itself; what it said before may explain it.
    let message = "error: \(failure.message)".split(separator: "\n").map(String.init)
    let shared = min(message.count, failure.logTail.count)
    let isRepeated = failure.logTail.suffix(shared) == message.suffix(shared)
    let tail = isRepeated ? failure.logTail.dropLast(shared) : failure.logTail[...]
    if !tail.isEmpty {
      lines.append("  its log ends:")
      lines += tail.map { "    \($0)" }
    }
    if let log = failure.log { lines.append("  the whole log: \(log)") }
    Console.error(lines.joined(separator: "\n"))
    state.live.draw()
  }

  private static func object(_ event: SchedulerEvent) -> JSONValue {
    var members = event.members
    switch event.state {
    case .hit(let record, _), .done(let record, _): members["metrics"] = record.metrics
    default: break
    }
    return .object(members)
  }

  /// Removes the live line for good.
  func finish() { state.withLock { $0.live.clear() } }
}
