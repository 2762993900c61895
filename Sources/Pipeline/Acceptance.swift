//! A change that the user declares harmless: an earlier output answers to a stage's present keys, and
//! the journal says who wanted that. Knows no command line.

package import Files

/// Who declared what harmless, as the journal keeps it.
package struct Acceptance: Hashable, Sendable {
  package var user: String
  package var host: String
  /// UTC, `2026-11-28T10:15:00Z`.
  package var time: String
  /// What was different, a line each.
  package var differences: [String]
  /// The content key of the run whose output was taken.
  package var from: Digest

  package init(
    user: String, host: String, time: String, differences: [String], from: Digest
  ) {
    self.user = user
    self.host = host
    self.time = time
    self.differences = differences
    self.from = from
  }

  init?(_ json: JSONValue) {
    guard case .string(let user)? = json["user"], case .string(let host)? = json["host"],
      case .string(let time)? = json["time"], case .string(let from)? = json["from"],
      let from = Digest(hex: from), case .array(let lines)? = json["differences"]
    else { return nil }
    self.init(
      user: user, host: host, time: time,
      differences: lines.compactMap { if case .string(let line) = $0 { line } else { nil } },
      from: from)
  }

  package var json: JSONValue {
    .object([
      "user": .string(user), "host": .string(host), "time": .string(time),
      "from": .string(from.hex), "differences": .array(differences.map { .string($0) }),
    ])
  }
}

/// Why nothing can be accepted.
package enum AcceptanceError: Error, Hashable, Sendable, CustomStringConvertible {
  case neverRan(stage: String)
  case inputsUnknown(stage: String, inputs: [String])
  case alreadyThere(stage: String)

  package var description: String {
    switch self {
    case .neverRan(let stage):
      "stage `\(stage)` has no earlier output that is still whole: there is nothing to accept"
    case .inputsUnknown(let stage, let inputs):
      "stage `\(stage)` needs \(inputs.map { "`\($0)`" }.joined(separator: ", ")), which has to be "
        + "there or be accepted first"
    case .alreadyThere(let stage): "stage `\(stage)` is there already: there is nothing to accept"
    }
  }
}

extension Store {
  /// Records the newest whole output of an earlier run of the entry's stage under its present keys.
  ///
  /// - Parameter entry: of a plan that was made just now.
  /// - Throws: `AcceptanceError` where there is no such output, or no need for it.
  package func accept(
    _ entry: Plan.Entry, by user: String, on host: String, at time: String
  ) throws -> Acceptance {
    let stage = entry.stage
    if case .hit = entry.state { throw AcceptanceError.alreadyThere(stage: stage.name) }
    guard let contentKey = entry.contentKey else {
      let open = stage.inputs.compactMap { role, source -> String? in
        guard case .stage(let name, _) = source, case .stage? = entry.manifest.inputs[role] else {
          return nil
        }
        return name
      }
      throw AcceptanceError.inputsUnknown(stage: stage.name, inputs: open)
    }
    let name = Record.spelled(name: stage.name)
    let tag = Record.tag(ofKind: stage.kind)
    var earlier: Record?
    for record in records.reversed() where record.name == name && record.kindTag == tag {
      guard let key = record.keys.first, case .usable(let usable) = try lookup(key),
        usable.artifact == record.artifact
      else { continue }
      earlier = record
      break
    }
    guard let earlier else { throw AcceptanceError.neverRan(stage: stage.name) }
    let difference = ManifestDifference(
      from: earlier.manifest, to: entry.manifest.json, stage: stage, isOpen: { _ in false })
    let acceptance = Acceptance(
      user: user, host: host, time: time,
      differences: difference.reasons(for: stage).map(\.description),
      from: earlier.contentKey ?? earlier.artifact)
    var payload = [
      "manifest": entry.manifest.json, "metrics": earlier.metrics, "accepted": acceptance.json,
    ]
    payload["run"] = earlier.run.map { .string($0) }
    try record(
      earlier, keys: [entry.planKey, contentKey, entry.shapeKey], name: stage.name,
      payload: .object(payload))
    return acceptance
  }
}
