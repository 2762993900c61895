//! A run that has nothing to do, known at a glance by what an earlier one left. Reads no spec.

import CPlatform
import Experiments
import Files
import Glibc
import Pipeline
import Specs

/// What the same command would say again, for as long as nothing changed that it hangs on.
struct UnchangedRun {
  let pipeline: String
  /// How many stages there are.
  let count: Int
  /// What the run says when it finds every stage's output there: the table, without colours.
  let table: [String]
  private let hits: SpelledHits

  /// What an earlier run left for `command`; nil where something changed, or nothing is known.
  init?(of command: RunIdentity) {
    guard let words = Snapshot.words(at: command.path),
      let end = words.firstIndex(of: UInt8(ascii: "\n")),
      let head = try? JSONValue(parsing: Array(words[..<end])),
      case .string(let pipeline)? = head["pipeline"], case .int(let count)? = head["count"],
      case .array(let lines)? = head["table"], case .object(let variables)? = head["variables"],
      variables.allSatisfy({ $0.value == Self.value($0.key) })
    else { return nil }
    self.pipeline = pipeline
    self.count = count
    table = lines.compactMap { if case .string(let line) = $0 { line } else { nil } }
    hits = SpelledHits(bytes: words[(end + 1)...])
  }

  /// Keeps a record of a run that found just this.
  func record(in store: String) throws {
    let recorder = try RunRecorder(
      RunInfo(
        pipeline: pipeline, arguments: CommandLine.arguments, version: Version.text,
        stages: count), in: store)
    recorder.receive(hits)
    recorder.finish(RunStory.Counts(hits: count), code: 0)
  }

  fileprivate static func value(_ name: String) -> JSONValue {
    Environment[name].map { .string($0) } ?? .null
  }
}

/// A run that brought everything out.
struct FinishedRun {
  var pipeline: ResolvedPipeline
  /// In the plan's order.
  var stages: [String]
  var records: [String: Record]
  var results: ResultsFolder
  var store: Store
  /// Of the environment, those that were read.
  var variables: Set<String>

  /// Leaves what the next run of the same command needs to tell with one look that nothing changed.
  /// Without it that run looks at everything, so what cannot be written is left out.
  ///
  /// - Parameter table: what that run is to say.
  func save(_ table: [String], for command: RunIdentity) {
    var snapshot = Snapshot()
    let records = stages.compactMap { self.records[$0] }
    guard records.count == stages.count, pipeline.warnings.isEmpty, pipeline.lookups.isSteady,
      store.add(records, to: &snapshot), let paths = results.watched(stages),
      paths.allSatisfy({ snapshot.add(stateAt: $0) })
    else { return }
    for (path, text) in pipeline.lookups.texts { snapshot.add(bytes: text, at: path) }
    for (path, presence) in pipeline.lookups.presences {
      snapshot.add(presence: presence.rawValue, at: path)
    }
    let head: JSONValue = .object([
      "pipeline": .string(pipeline.name), "count": .int(stages.count),
      "table": .array(table.map { .string($0) }),
      "variables": .object(
        Dictionary(uniqueKeysWithValues: variables.map { ($0, UnchangedRun.value($0)) })),
    ])
    let hits = SpelledHits(zip(stages, records).map { ($0, $1.artifact) })
    try? snapshot.write(to: command.path, saying: head.line + [UInt8(ascii: "\n")] + hits.bytes)
  }
}

/// What decides on a run besides files and variables: the command, this program, the machine.
struct RunIdentity {
  let store: String
  private let digest: Digest

  /// - Parameter words: the command as far as it decides what is done and where it lies.
  init(store: String, words: [String]) {
    self.store = store
    let machine = [
      Self.program, Store.boot, "\(Processor.cores)", "\(Processor.instructionSet)", Self.folder,
    ]
    // No word holds the byte that parts them.
    digest = SHA256.digest(of: (machine + words).joined(separator: "\0"))
  }

  /// Where a run leaves how things looked.
  var path: String { "\(Store.snapshotsPath(in: store))/\(digest.hex)" }

  private static var folder: String {
    guard let path = getcwd(nil, 0) else { return "" }
    defer { free(path) }
    return String(cString: path)
  }

  /// Another build may find something else.
  static var program: String {
    var status = stat()
    guard stat("/proc/self/exe", &status) == 0 else { return Version.text }
    return "\(status.st_size) \(status.st_mtim.tv_sec) \(status.st_mtim.tv_nsec)"
  }
}
