//! How long each trial of a search took, by what the cache recorded of it. Times are in no artifact,
//! so this is written beside a search's tables and not among them.

import Files
import Pipeline

enum TrialTimings {
  static let file = "timings.csv"

  /// A row a trial of trials.csv: `trial,state,seconds,key`; no seconds where it failed or where
  /// the cache no longer knows it.
  static func table(of search: FoundSearch) -> String {
    Text.csv(
      [["trial", "state", "seconds", "key"]]
        + search.trials.map { trial in
          [
            "\(trial.number)", trial.state, trial.seconds.map { Text.fixed($0, 3) } ?? "",
            trial.key,
          ]
        })
  }

  /// What lies beside the results of a search; nothing for other stages.
  static func files(of folder: String, in store: Store) throws -> [(name: String, text: String)] {
    guard var search = try FoundSearch.read(folder, name: folder) else { return [] }
    search.addSeconds(from: store)
    return [(file, table(of: search))]
  }
}

extension FoundSearch {
  static let file = "trials.csv"
  /// Some thousand trials of some hundred choices.
  private static let sizeLimit = 1 << 28

  /// The search whose table lies in `folder`; nil where there is none.
  static func read(_ folder: String, name: String) throws -> FoundSearch? {
    let path = "\(folder)/\(file)"
    guard Files.exists(path) else { return nil }
    let text = String(decoding: try Files.read(path, limit: sizeLimit), as: UTF8.self)
    return try FoundSearch(text, name: name)
  }

  /// Of each trial that the cache knows.
  mutating func addSeconds(from store: Store) {
    for index in trials.indices {
      guard let key = Digest(hex: trials[index].key) else { continue }
      trials[index].seconds = store.record(for: key)?.seconds
    }
  }

  /// Of each trial that the timings beside the table name.
  mutating func addSeconds(beside folder: String) throws {
    let path = "\(folder)/\(TrialTimings.file)"
    guard Files.exists(path) else { return }
    let text = String(decoding: try Files.read(path, limit: Self.sizeLimit), as: UTF8.self)
    var seconds: [String: Double] = [:]
    for line in text.split(separator: "\n").dropFirst() {
      let cells = line.split(separator: ",", omittingEmptySubsequences: false)
      if cells.count == 4 { seconds[String(cells[3])] = Self.number(cells[2]) }
    }
    for index in trials.indices { trials[index].seconds = seconds[trials[index].key] }
  }
}
