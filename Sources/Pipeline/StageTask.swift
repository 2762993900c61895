//! What a worker is told, and what it tells back; knows neither processes nor the graph.

package import Files

/// One stage to run, as the worker reads it from TASK.json.
package struct StageTask: Sendable, Codable, Hashable {
  /// The stage's name, for messages.
  package var name: String
  package var kind: String
  package var version: Int
  package var fields: JSONValue
  /// By role: the folder of an artifact, or a source file or folder.
  package var inputs: [String: String]
  /// An empty folder that the worker fills.
  package var output: String
  /// A folder that outlives a killed attempt with the same key and is removed after success. The
  /// worker creates it when it has something to keep.
  package var checkpoint: String
  /// The root of the store.
  package var store: String
  package var unkeyed: JSONValue
  /// The file that receives the worker's standard error.
  package var log: String
  /// Variables on top of the runner's environment.
  package var environment: [String: String]
  /// What runs instead of the worker.
  package var command: Command?
  /// What the stage has of the machine.
  package var cores: Int
  /// Processes that it may have at once.
  package var jobs: Int

  package init(
    name: String, kind: String, version: Int, fields: JSONValue, inputs: [String: String],
    output: String, checkpoint: String, store: String, unkeyed: JSONValue, log: String,
    environment: [String: String] = [:], command: Command? = nil,
    cores: Int = 1, jobs: Int = 1
  ) {
    self.name = name
    self.kind = kind
    self.version = version
    self.fields = fields
    self.inputs = inputs
    self.output = output
    self.checkpoint = checkpoint
    self.store = store
    self.unkeyed = unkeyed
    self.log = log
    self.environment = environment
    self.command = command
    self.cores = cores
    self.jobs = jobs
  }

  /// The task in the file at `path`.
  package init(path: String) throws {
    let bytes = try Files.read(path, limit: 64 << 20)
    self = try JSONValue(parsing: bytes).decode(as: StageTask.self)
  }
}

/// What a worker says while it runs, one JSON object a line.
package enum StageEvent: Hashable, Sendable {
  /// How far a stage is; every part is optional.
  package struct Progress: Hashable, Sendable {
    package var epoch: Int?
    package var epochs: Int?
    package var samplesPerSecond: Double?
    package var secondsLeft: Double?
    package var message: String?

    package init(
      epoch: Int? = nil, epochs: Int? = nil, samplesPerSecond: Double? = nil,
      secondsLeft: Double? = nil, message: String? = nil
    ) {
      self.epoch = epoch
      self.epochs = epochs
      self.samplesPerSecond = samplesPerSecond
      self.secondsLeft = secondsLeft
      self.message = message
    }
  }

  case progress(Progress)
  case metrics(JSONValue)
  case failure(message: String)
}

extension StageEvent {
  /// The event as the line that a worker prints, without its newline.
  package var line: String {
    var members: [String: JSONValue] = [:]
    switch self {
    case .progress(let progress):
      members["event"] = .string("progress")
      members["epoch"] = progress.epoch.map { .int($0) }
      members["epochs"] = progress.epochs.map { .int($0) }
      members["samples_per_second"] = Self.finite(progress.samplesPerSecond)
      members["seconds_left"] = Self.finite(progress.secondsLeft)
      members["message"] = progress.message.map { .string($0) }
    case .metrics(let metrics):
      members["event"] = .string("metrics")
      members["metrics"] = metrics
    case .failure(let message):
      members["event"] = .string("failure")
      members["message"] = .string(message)
    }
    return JSONValue.object(members).canonicalText
  }

  /// Nil for a line that is no event: libraries print too.
  package init?(line: [UInt8]) {
    guard line.first == UInt8(ascii: "{"), let value = try? JSONValue(parsing: line),
      case .string(let event)? = value["event"]
    else { return nil }
    switch event {
    case "progress":
      self = .progress(
        Progress(
          epoch: value["epoch"]?.whole, epochs: value["epochs"]?.whole,
          samplesPerSecond: value["samples_per_second"]?.number,
          secondsLeft: value["seconds_left"]?.number, message: value["message"]?.text))
    case "metrics": self = .metrics(value["metrics"] ?? .object([:]))
    case "failure": self = .failure(message: value["message"]?.text ?? "no reason given")
    default: return nil
    }
  }

  private static func finite(_ number: Double?) -> JSONValue? {
    number.flatMap { $0.isFinite ? .double($0) : nil }
  }
}

extension JSONValue {
  var whole: Int? { if case .int(let value) = self { value } else { nil } }

  var text: String? { if case .string(let value) = self { value } else { nil } }

  var number: Double? {
    switch self {
    case .int(let value): Double(value)
    case .double(let value): value
    default: nil
    }
  }
}

/// What a successful run of a stage says besides the files that it wrote.
package struct StageOutcome: Hashable, Sendable {
  package var metrics: JSONValue

  package init(metrics: JSONValue = .object([:])) { self.metrics = metrics }
}

/// What runs one stage: a process here, a closure in tests.
package protocol StageRunner: Sendable {
  /// Fills the task's `output`; throws when the stage failed, `CancellationError` when it was ended.
  func run(
    _ task: StageTask, report: @escaping @Sendable (StageEvent) -> Void
  ) async throws -> StageOutcome
}
