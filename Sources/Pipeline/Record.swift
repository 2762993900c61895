//! One finished stage as the journal keeps it; knows neither the journal's file nor the graph.

import CPlatform
package import Files

/// What is known of a stage that ran to its end.
package struct Record: Sendable {
  /// A file of the artifact, as it was published.
  struct File: Hashable, Sendable {
    var path: String
    var size: Int64
  }

  /// The digest of the output, which names its folder in the store.
  package let artifact: Digest
  /// All keys that the record answers to: plan key, content key, and whatever else.
  package let keys: [Digest]
  /// The stage's name when it ran, as `spelled` has it.
  package let name: String
  package let seconds: Double
  let files: [File]
  let kindTag: UInt64
  /// The boot of the machine during which it was written.
  let boot: String
  /// Metrics and manifest as JSON, read only when asked for: most runs ask for neither.
  let payload: ArraySlice<UInt8>

  package var metrics: JSONValue { parsedPayload?["metrics"] ?? .object([:]) }

  /// The flat manifest (`Manifest.json`) of the run.
  package var manifest: JSONValue { parsedPayload?["manifest"] ?? .object([:]) }

  /// The run that recorded it; nil where the record was made by none, such as a search's trial.
  package var run: String? {
    if case .string(let run)? = parsedPayload?["run"] { run } else { nil }
  }

  /// Who declared that this output is still right, where somebody did.
  package var acceptance: Acceptance? {
    // Most records have none, and journals are long.
    guard payload.contains(text: "\"accepted\":") else { return nil }
    return parsedPayload?["accepted"].flatMap(Acceptance.init)
  }

  /// The key by the bytes of the inputs, by which logs are found.
  package var contentKey: Digest? { keys.count > 1 ? keys[1] : keys.first }

  private var parsedPayload: JSONValue? { try? JSONValue(parsing: Array(payload)) }

  /// A number for a kind, to find records of it without reading their manifests.
  static func tag(ofKind kind: String) -> UInt64 {
    // FNV-1a: tags are compared and stored, so they must not change from run to run.
    kind.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }

  /// `name` on one line: as it is, unless it holds control characters.
  static func spelled(name: String) -> String {
    name.utf8.allSatisfy { $0 >= 32 && $0 != 127 } ? name : ScalarSpelling.quoted(name)
  }

  /// What is wrong with an artifact.
  enum Damage: Hashable, Sendable {
    case missing(path: String)
    case changed(path: String)
  }
}

extension ArraySlice<UInt8> {
  /// Whether the bytes of `text` stand somewhere in it.
  fileprivate func contains(text: StaticString) -> Bool {
    withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return false }
      return memmem(base, bytes.count, text.utf8Start, text.utf8CodeUnitCount) != nil
    }
  }
}
