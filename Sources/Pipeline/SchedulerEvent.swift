//! What a run tells those who watch it, and its outcome; prints nothing.

package import Diagnostics
package import Files

/// A stage that could not be brought to its end.
package struct StageFailure: Error, Hashable, Sendable, CustomStringConvertible {
  package var stage: String
  package var location: SourceLocation?
  /// What went wrong, in words.
  package var message: String
  /// The file with all that the worker said, nil when it did not get that far.
  package var log: String?
  /// The end of the log.
  package var logTail: [String]

  package var description: String { "stage `\(stage)` failed: \(message)" }
}

/// Something that happened to one stage.
package struct SchedulerEvent: Sendable {
  package enum State: Sendable {
    /// The output was there already; `isCutoff` when only the run showed it, since its inputs came
    /// out as they were before.
    case hit(Record, isCutoff: Bool)
    /// Another process runs the very same; its result will be taken.
    case waiting
    /// Sent before the worker starts.
    case running(log: String)
    case progress(StageEvent.Progress)
    /// It failed and begins again: attempt 2 is the first of these.
    case retrying(StageFailure, attempt: Int)
    /// `isUnlikeBefore`: an earlier run with the same key wrote other bytes.
    case done(Record, isUnlikeBefore: Bool)
    case failed(StageFailure)
    /// It needs `stage`, which failed or was skipped; nil when the run ended before its turn.
    case skipped(because: String?)
    /// It was ended because the whole run was.
    case interrupted
  }

  package var stage: String
  package var kind: String
  package var planKey: Digest
  /// Nil until the inputs are known.
  package var contentKey: Digest?
  package var state: State

  /// The state in one word, as `--json` prints it.
  package var stateName: String {
    switch state {
    case .hit: "hit"
    case .waiting: "waiting"
    case .running: "running"
    case .progress: "progress"
    case .retrying: "retrying"
    case .done: "done"
    case .failed: "failed"
    case .skipped: "skipped"
    case .interrupted: "interrupted"
    }
  }
}

/// How a run ended.
package struct RunSummary: Sendable {
  /// By stage, what is now in the store: hits and what ran.
  package var records: [String: Record] = [:]
  package var hits: [String] = []
  /// In the order in which they finished.
  package var ran: [String] = []
  package var failures: [StageFailure] = []
  package var skipped: [String] = []
  package var isInterrupted = false

  package init() {}

  /// 0 when everything is there, 1 after a failure, 130 when interrupted.
  package var exitCode: Int32 { isInterrupted ? 130 : failures.isEmpty ? 0 : 1 }
}
