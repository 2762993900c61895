//! What `run --json` prints, a line an event. Knows no stage.

import Foundation

/// One event of a run.
package struct RunEvent: Decodable, Sendable {
  package var stage: String
  package var state: String
  package var artifact: String?
  package var log: String?
  package var epoch: Int?
  package var message: String?

  /// The events in the whole lines of `text`.
  package static func parse(_ text: String) -> [RunEvent] {
    text.split(separator: "\n").compactMap {
      try? JSONDecoder().decode(RunEvent.self, from: Data($0.utf8))
    }
  }

  /// Artifacts by stage.
  package static func artifacts(_ text: String) -> [String: String] {
    parse(text).reduce(into: [:]) { all, event in
      if let artifact = event.artifact { all[event.stage] = artifact }
    }
  }
}
