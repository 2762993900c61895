//! A search as its table of trials tells it, finished or not. Knows no tuner and no network.

import Files

/// One line of trials.csv.
struct FoundTrial: Hashable {
  var number: Int
  /// done, stopped or failed.
  var state: String
  /// Nil where it failed.
  var score: Double?
  var metric: Double?
  var delta: Double?
  var totalBits: Int?
  /// Nil where the goal is bits.
  var picojoules: Double?
  var epochs: Int?
  /// Names it in the cache.
  var key: String
  /// Of the run that made its result, whenever that was.
  var seconds: Double?
}

/// A search's trials so far.
struct FoundSearch {
  var name: String
  /// In their order.
  var trials: [FoundTrial] = []
  /// The metric's column: val_accuracy.
  var metric: String
  var tuner: String?
  /// How many trials it is to have; nil where nobody says.
  var planned: Int?
  var isFinished = true

  /// - Parameter text: trials.csv.
  /// - Throws: `UnreadableTable`.
  init(_ text: String, name: String) throws {
    self.name = name
    let lines = text.split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    let columns = ["trial", "state", "score", nil, "delta", "total_bits"]
    guard let header = lines.first, header.count > columns.count, header.last == "key",
      zip(header, columns).allSatisfy({ $1 == nil || $0 == $1 })
    else { throw UnreadableTable(name: name, line: 1) }
    metric = header[3]
    let places = Dictionary(header.enumerated().map { ($1, $0) }) { first, _ in first }
    for (index, line) in lines.enumerated().dropFirst() {
      guard line.count == header.count, let number = Int(line[0]) else {
        throw UnreadableTable(name: name, line: index + 1)
      }
      func cell(_ column: String) -> String { places[column].map { line[$0] } ?? "" }
      trials.append(
        FoundTrial(
          number: number, state: line[1], score: Self.number(line[2]),
          metric: Self.number(line[3]), delta: Self.number(line[4]), totalBits: Int(line[5]),
          picojoules: Self.number(cell("picojoules")),
          epochs: Int(cell("epochs")), key: cell("key")))
    }
  }

  /// A cell's number; nil where it is empty or none that could be compared.
  static func number(_ cell: some StringProtocol) -> Double? {
    Double(cell).flatMap { $0.isFinite ? $0 : nil }
  }

  /// The first of those with the best score.
  var best: FoundTrial? {
    trials.reduce(nil as FoundTrial?) { best, trial in
      guard let score = trial.score else { return best }
      return score > best?.score ?? -.infinity ? trial : best
    }
  }

  /// The best of the first `count` trials.
  func best(of count: Int) -> Double? { trials.prefix(count).compactMap(\.score).max() }

  /// Trials that were better than all before them.
  var improvements: [FoundTrial] {
    var highest = -Double.infinity
    return trials.filter { trial in
      guard let score = trial.score, score > highest else { return false }
      highest = score
      return true
    }
  }

  /// How many trials it took to come to `score`; nil where it never did.
  func trials(toReach score: Double) -> Int? {
    trials.firstIndex { $0.score.map { $0 >= score } ?? false }.map { $0 + 1 }
  }

  func count(_ state: String) -> Int { trials.count { $0.state == state } }

  /// Of all trials together; nil where no time is known.
  var seconds: Double? {
    let known = trials.compactMap(\.seconds)
    return known.isEmpty ? nil : known.reduce(0, +)
  }
}

/// A file that is no table of trials.
struct UnreadableTable: Error, CustomStringConvertible {
  var name: String
  var line: Int

  var description: String { "\(name): line \(line) of trials.csv is none of a search's" }
}

extension FoundSearch {
  /// As `--json` prints it.
  func json(withTrials: Bool) -> JSONValue {
    var members: [String: JSONValue] = [
      "search": .string(name), "metric": .string(metric), "is_finished": .bool(isFinished),
      "trials": .int(trials.count), "failed": .int(count("failed")),
      "stopped": .int(count("stopped")),
    ]
    members["tuner"] = tuner.map { .string($0) }
    members["planned"] = planned.map { .int($0) }
    members["seconds"] = seconds.flatMap { $0.isFinite ? .double($0) : nil }
    members["best"] = best?.json ?? .null
    if withTrials { members["table"] = .array(trials.map(\.json)) }
    return .object(members)
  }
}

extension FoundTrial {
  var json: JSONValue {
    .object([
      "trial": .int(number), "state": .string(state), "score": Self.value(score),
      "metric": Self.value(metric), "delta": Self.value(delta),
      "total_bits": totalBits.map { .int($0) } ?? .null, "picojoules": Self.value(picojoules),
      "epochs": epochs.map { .int($0) } ?? .null, "key": .string(key),
      "seconds": Self.value(seconds),
    ])
  }

  private static func value(_ number: Double?) -> JSONValue { number.map { .double($0) } ?? .null }
}
