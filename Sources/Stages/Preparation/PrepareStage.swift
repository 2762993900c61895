//! The prepare_data stage: a data set's files, decoded once for all stages that read them. Knows the
//! kinds by name alone.

import Datasets
import Experiments
import Files
import Pipeline

extension StageContext {
  func prepareData() throws {
    let fields = try fields(PrepareDataFields.self)
    var threads = 1
    if case .int(let count)? = task.unkeyed["threads"] { threads = max(1, min(count, 256)) }
    let contents =
      switch fields.kind {
      case .dcase2020: try prepareMachineSounds(fields, threads: threads)
      case .speechCommands: try prepareWords(fields, threads: threads)
      case .visualWakeWords: try prepareWakeWords(fields, threads: threads)
      case .cifar10: throw StageError.wrongTask("cifar10 is not prepared")
      }
    var metrics: [String: JSONValue] = [:]
    for block in contents.blocks {
      metrics[block.name + "_clips"] = .int(block.clips)
      if block.rows != block.clips { metrics[block.name + "_rows"] = .int(block.rows) }
      metrics[block.name + "_bytes"] = .int(block.rows * block.rowBytes)
    }
    try finish(with: metrics)
  }

  /// Tells how many clips of a block are done, a few times a second.
  func clipProgress(_ name: String, of count: Int) -> (Int) -> Void {
    let clock = ContinuousClock()
    let start = clock.now
    var last = start
    return { done in
      let now = clock.now
      if now - last < .milliseconds(250), done < count { return }
      last = now
      let seconds = (now - start) / .seconds(1)
      let rate = seconds > 0 ? Double(done) / seconds : 0
      report(
        StageEvent.Progress(
          samplesPerSecond: rate, secondsLeft: rate > 0 ? Double(count - done) / rate : nil,
          message: "\(name): \(done) of \(count) clips"))
    }
  }

  /// The folders whose roles begin so, in the order of their numbers.
  func folders(_ role: String, count: Int) throws -> [String] {
    try (0..<count).map { try input(InputRole.dataset("\(role)_\($0)")) }
  }
}
