//! What every stage has at hand: its task, its output folder, and a voice. Knows no kind of stage.

import Files
import Glibc
package import Pipeline
import Records

/// A running stage's surroundings.
package struct StageContext: Sendable {
  package let task: StageTask
  let say: @Sendable (StageEvent) -> Void

  package init(_ task: StageTask, say: @escaping @Sendable (StageEvent) -> Void) {
    self.task = task
    self.say = say
  }

  /// The stage's resolved fields.
  func fields<Fields: Decodable>(_ type: Fields.Type) throws -> Fields {
    do {
      return try task.fields.decode(as: type)
    } catch {
      throw StageError.wrongTask("the fields of \(task.kind) do not decode: \(error)")
    }
  }

  /// The path of the input that plays `role`.
  func input(_ role: String) throws -> String {
    guard let path = task.inputs[role] else {
      throw StageError.wrongTask("\(task.kind) was given no input `\(role)`")
    }
    return path
  }

  func output(_ name: String) -> String { task.output + "/" + name }

  func report(_ progress: StageEvent.Progress) { say(.progress(progress)) }

  /// Writes a line to the stage's log, which is the worker's standard error.
  func note(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = write(STDERR_FILENO, bytes, bytes.count)
  }

  /// Writes metrics.json and tells the runner.
  func finish(with metrics: [String: JSONValue]) throws {
    let metrics = Metrics.spellable(.object(metrics))
    try Metrics.write(metrics, to: output("metrics.json"))
    say(.metrics(metrics))
  }
}

/// What is wrong with a task itself.
enum StageError: Error, CustomStringConvertible {
  case wrongTask(String)
  case unknownNetwork(String)
  case nothingValidates(examples: Int)
  case badQuantizers(path: String, reason: String)

  var description: String {
    switch self {
    case .wrongTask(let reason): reason
    case .unknownNetwork(let kind): "no network is called \(kind)"
    case .nothingValidates(let examples):
      "beside \(examples) examples none is left to validate on, and a callback or the search looks "
        + "at the validation set: raise dataset.split.validation"
    case .badQuantizers(let path, let reason): "\(path): no quantizer map: \(reason)"
    }
  }
}
