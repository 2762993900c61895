//! What a run's folder tells about it, now or later. Knows no terminal.

package import Files
import Glibc

/// A stage of a run, as its last event has it.
package struct StageStory: Hashable, Sendable {
  package var name: String
  /// `SchedulerEvent.stateName`; `ended` where the run died while it ran.
  package var state: String
  /// When it began to run, in seconds since 1970.
  package var began: Double?
  package var seconds: Double?
  /// What it wrote, or what was there already.
  package var artifact: Digest?
  package var log: String?
  package var message: String?
  package var progress: StageEvent.Progress?
}

/// How a run stands.
package struct RunStory: Sendable {
  package enum Outcome: String, Sendable {
    case running, done, failed, interrupted
    /// Its process is gone without a last word.
    case killed
  }

  package let info: RunInfo
  package private(set) var outcome: Outcome
  /// When it ended, or when something was last heard of it.
  package private(set) var ended: Double
  package private(set) var counts = Counts()
  /// In the order in which they were first heard of; empty for `brief` stories of ended runs.
  package private(set) var stages: [StageStory] = []
  private var places: [String: Int] = [:]

  package struct Counts: Hashable, Sendable {
    package var ran = 0
    package var hits = 0
    package var failed = 0
    package var skipped = 0

    package init(ran: Int = 0, hits: Int = 0, failed: Int = 0, skipped: Int = 0) {
      self.ran = ran
      self.hits = hits
      self.failed = failed
      self.skipped = skipped
    }
  }

  package var running: [StageStory] { stages.filter { $0.state == "running" } }

  /// The run in `folder`, nil where there is none.
  ///
  /// - Parameter brief: the last line alone counts, where it says how the run ended.
  package init?(folder: String, id: String, brief: Bool = false) {
    guard let bytes = try? Files.read(folder + "/run.json", limit: 16 << 20),
      let json = try? JSONValue(parsing: bytes), let info = RunInfo(id: id, json)
    else { return nil }
    self.info = info
    // Asked first: a run that ends in between has written its last word by then.
    let isLive = HeldLock.isHeld(file: folder + "/lock")
    outcome = isLive ? .running : .killed
    ended = info.started
    let events = folder + "/events.jsonl"
    if brief, let last = LogTail.lines(of: events, limit: 1).last,
      let event = try? JSONValue(parsing: Array(last.utf8)), event["event"] == .string("end")
    {
      take(event)
      return
    }
    let text = (try? Files.read(events, limit: 1 << 30)) ?? []
    for line in text.split(separator: 10) {
      if let event = try? JSONValue(parsing: Array(line)) { take(event) }
    }
    if !isLive, outcome == .killed || outcome == .interrupted {
      for index in stages.indices where stages[index].state == "running" {
        stages[index].state = "ended"
      }
    }
  }

  private mutating func take(_ event: JSONValue) {
    let time = event["time"]?.number ?? ended
    ended = max(ended, time)
    switch event["event"] {
    case .string("hits")?:
      guard case .array(let names)? = event["stages"] else { return }
      var artifacts: [JSONValue] = []
      if case .array(let values)? = event["artifacts"] { artifacts = values }
      for (index, name) in names.enumerated() {
        guard let name = name.text else { continue }
        counts.hits += 1
        let artifact = index < artifacts.count ? artifacts[index].text : nil
        change(name) {
          $0.state = "hit"
          $0.artifact = artifact.flatMap { Digest(hex: $0) }
        }
      }
    case .string("stage")?: takeStage(event, at: time)
    case .string("end")?:
      counts = Counts(
        ran: event["ran"]?.whole ?? 0, hits: event["hits"]?.whole ?? 0,
        failed: event["failed"]?.whole ?? 0, skipped: event["skipped"]?.whole ?? 0)
      switch event["code"]?.whole {
      case 0?: outcome = .done
      case 130?: outcome = .interrupted
      default: outcome = .failed
      }
    default: break
    }
  }

  private mutating func takeStage(_ event: JSONValue, at time: Double) {
    guard let name = event["stage"]?.text, let state = event["state"]?.text else { return }
    switch state {
    case "done": counts.ran += 1
    case "failed": counts.failed += 1
    case "skipped": counts.skipped += 1
    default: break
    }
    change(name) { stage in
      switch state {
      case "progress":
        stage.progress = StageEvent.Progress(
          epoch: event["epoch"]?.whole, epochs: event["epochs"]?.whole,
          samplesPerSecond: event["samples_per_second"]?.number,
          secondsLeft: event["seconds_left"]?.number, message: event["message"]?.text)
        return
      case "retrying":
        stage.message = event["message"]?.text
        return
      case "running": stage.began = time
      default: break
      }
      stage.state = state
      stage.log = event["log"]?.text ?? stage.log
      stage.message = event["message"]?.text ?? stage.message
      stage.seconds = event["seconds"]?.number
      stage.artifact = event["artifact"]?.text.flatMap { Digest(hex: $0) } ?? stage.artifact
    }
  }

  private mutating func change(_ name: String, _ body: (inout StageStory) -> Void) {
    let place =
      places[name]
      ?? {
        stages.append(StageStory(name: name, state: "waiting"))
        places[name] = stages.count - 1
        return stages.count - 1
      }()
    body(&stages[place])
  }
}

extension Store {
  /// Where runs are told of.
  package var runsPath: String { Self.runsPath(in: root) }

  static func runsPath(in root: String) -> String { root + "/runs" }

  /// The names of the runs, the newest first.
  package var runs: [String] { ((try? Files.list(runsPath)) ?? []).reversed() }

  /// What is known of a run; nil where there is none of this name.
  package func story(of run: String, brief: Bool = false) -> RunStory? {
    guard !run.contains("/"), run != ".." else { return nil }
    return RunStory(folder: "\(runsPath)/\(run)", id: run, brief: brief)
  }
}
