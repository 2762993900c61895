//! A store in a temporary folder and stages whose outputs follow from their fields alone.

import Diagnostics
import Files
import Pipeline
import Synchronization
import TestSupport

/// A folder with a store and whatever else a test needs.
final class Bench: Sendable {
  private let workspace: Workspace

  init() throws { workspace = try Workspace() }

  var folder: String { workspace.root }

  var root: String { folder + "/store" }

  func store(boot: String = "boot-1") throws -> Store { try Store(root: root, boot: boot) }

  func write(_ text: String, to name: String) throws -> String {
    let path = folder + "/" + name
    try Files.writeAtomically(text, to: path)
    return path
  }

  /// Plans and runs as a process of its own would: with a store that is opened anew.
  func run(
    _ stages: [Stage], runner: FakeRunner = FakeRunner(), boot: String = "boot-1",
    options: Scheduler.Options = Scheduler.Options(jobs: 2, cores: 2), forced: Set<String> = []
  ) async throws -> (ran: [String], summary: RunSummary, events: [String]) {
    let store = try store(boot: boot)
    let plan = try Plan(graph: StageGraph(stages), store: store, forced: forced)
    let log = EventLog()
    let scheduler = Scheduler(
      store: store, runner: runner, options: options, observer: { log.add($0) })
    let summary = await scheduler.run(plan)
    return (runner.ran, summary, log.lines)
  }

  func plan(_ stages: [Stage], boot: String = "boot-1") throws -> Plan {
    try Plan(graph: StageGraph(stages), store: store(boot: boot))
  }
}

/// What the scheduler told, as `stage state`.
final class EventLog: Sendable {
  private let state = Mutex<[String]>([])

  var lines: [String] { state.withLock { $0 } }

  func add(_ event: SchedulerEvent) {
    state.withLock { $0.append("\(event.stage) \(event.stateName)") }
  }
}

/// Writes the stage's `value` field and its inputs' contents, and remembers who ran.
final class FakeRunner: StageRunner {
  private struct State {
    var ran: [String] = []
    var running = 0
    var mostAtOnce = 0
  }

  private let state = Mutex(State())
  private let failing: Set<String>
  private let pause: Duration
  private let nonce: String
  private let meddle: @Sendable () -> Void

  /// `nonce` is written by all stages: with another one the same stage gives other bytes.
  ///
  /// `meddle` is called while a stage runs.
  init(
    failing: Set<String> = [], pause: Duration = .zero, nonce: String = "",
    meddle: @escaping @Sendable () -> Void = {}
  ) {
    self.meddle = meddle
    self.failing = failing
    self.pause = pause
    self.nonce = nonce
  }

  /// The stages that were started, sorted by name.
  var ran: [String] { state.withLock { $0.ran.sorted() } }

  var mostAtOnce: Int { state.withLock { $0.mostAtOnce } }

  func run(
    _ task: StageTask, report: @escaping @Sendable (StageEvent) -> Void
  ) async throws -> StageOutcome {
    state.withLock {
      $0.ran.append(task.name)
      $0.running += 1
      $0.mostAtOnce = max($0.mostAtOnce, $0.running)
    }
    defer { state.withLock { $0.running -= 1 } }
    meddle()
    if pause > .zero { try await Task.sleep(for: pause) }
    if failing.contains(task.name) { throw PipelineError.stageFailed(message: "it is meant to") }
    var text = "\(task.fields["value"]?.canonicalText ?? "") \(nonce)\n"
    for (role, path) in task.inputs.sorted(by: { $0.key < $1.key }) {
      let file = Files.isDirectory(path) ? path + "/out.txt" : path
      text += "\(role): \(String(decoding: try Files.read(file, limit: 1 << 20), as: UTF8.self))"
    }
    try Files.writeAtomically(text, to: task.output + "/out.txt")
    return StageOutcome(metrics: .object(["length": .int(text.utf8.count)]))
  }
}

/// A stage with the field `value`, which its output shows, and `unseen`, which it does not.
func stage(
  _ name: String, value: Int = 1, unseen: JSONValue = .int(0), needs: [String] = [],
  file: String? = nil, cores: Int = 1, line: Int = 1
) -> Stage {
  var inputs = needs.map { (role: $0, source: Source.stage($0)) }
  if let file { inputs.append((role: "data", source: .file(path: file))) }
  return Stage(
    name: name, kind: "kind_\(name)",
    fields: .object(["value": .int(value), "training": .object(["unseen": unseen])]),
    locations: [
      "value": SourceLocation(file: "p.yaml", line: line, column: 10),
      "training": SourceLocation(file: "p.yaml", line: line + 1, column: 3),
    ],
    inputs: inputs, location: SourceLocation(file: "p.yaml", line: line, column: 3),
    resources: Resources(cores: cores))
}

/// a -> b -> d, a -> c -> d.
func diamond(
  a: Int = 1, aUnseen: JSONValue = .int(0), b: Int = 1, bUnseen: JSONValue = .int(0), d: Int = 1,
  file: String? = nil
) -> [Stage] {
  [
    stage("a", value: a, unseen: aUnseen, file: file),
    stage("b", value: b, unseen: bUnseen, needs: ["a"]),
    stage("c", value: 3, needs: ["a"]), stage("d", value: d, needs: ["b", "c"]),
  ]
}

extension Plan {
  /// Each stage's state in words.
  var words: [String] {
    entries.map { entry in
      switch entry.state {
      case .hit: "\(entry.stage.name) hit"
      case .run(let reasons):
        "\(entry.stage.name) run: \(reasons.map(\.description).joined(separator: "; "))"
      case .runUnlessEqual(let inputs): "\(entry.stage.name) unless \(inputs)"
      }
    }
  }
}

/// Truths that were seen from several threads.
final class EventCounter: Sendable {
  private let state = Mutex<[Bool]>([])

  var values: [Bool] { state.withLock { $0 } }

  func add(_ value: Bool) { state.withLock { $0.append(value) } }
}
