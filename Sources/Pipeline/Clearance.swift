//! What a store can do without, and its removal. Decides by ages, sizes and what plans still need.

import Files
import Glibc

/// Things in a store that nobody needs, found without touching them.
package struct Clearance: Sendable {
  package enum Kind: String, Sendable {
    case artifact, log, checkpoint, run
  }

  package struct Item: Sendable {
    package let kind: Kind
    package let path: String
    /// A stage's name, or a run's.
    package let name: String
    package let bytes: Int
    package let ageSeconds: Double
  }

  /// What limits it.
  package struct Limits: Sendable {
    /// What is younger stays.
    package var olderThanSeconds: Double?
    /// Only so much goes, the oldest first, that the rest takes at most this.
    package var maxBytes: Int?

    package init(olderThanSeconds: Double? = nil, maxBytes: Int? = nil) {
      self.olderThanSeconds = olderThanSeconds
      self.maxBytes = maxBytes
    }
  }

  /// The oldest first.
  package private(set) var items: [Item] = []
  /// Of all artifacts, logs, checkpoints and runs.
  package private(set) var totalBytes = 0

  package var bytes: Int { items.reduce(0) { $0 + $1.bytes } }

  /// What of `store` neither `reachable` holds nor `limits` spare.
  package init(of store: Store, reachable: Reachable, limits: Limits) throws {
    try store.refresh()
    let now = WallTime.now
    var byArtifact: [String: Record] = [:]
    var kept: Set<String> = []
    var logged: Set<String> = []
    for record in store.records {
      byArtifact[record.artifact.hex] = record
      guard reachable.contains(record) else { continue }
      kept.insert(record.artifact.hex)
      for key in record.keys { logged.insert(key.hex) }
    }
    func isOld(_ item: Item) -> Bool { item.ageSeconds >= limits.olderThanSeconds ?? 0 }
    var candidates: [Item] = []
    func add(
      _ kind: Kind, in folder: String, name: (String) -> String, unless isKept: (String) -> Bool
    )
      throws
    {
      let folder = store.root + "/" + folder
      guard Files.exists(folder) else { return }
      for entry in try Files.list(folder) {
        guard let item = Item(kind, folder + "/" + entry, name: name(entry), now: now) else {
          continue
        }
        totalBytes += item.bytes
        if !isKept(entry), isOld(item) { candidates.append(item) }
      }
    }
    try add(.artifact, in: "artifacts", name: { byArtifact[$0]?.name ?? "unknown" }) {
      kept.contains($0)
    }
    func isKept(key: String) -> Bool {
      logged.contains(key) || Digest(hex: key).map(reachable.contains(key:)) ?? false
    }
    // While a key is not known, any checkpoint may be its.
    let sparesAll = !reachable.isComplete && limits.olderThanSeconds == nil
    try add(.log, in: "logs", name: { String($0.prefix(12)) }) { entry in
      isKept(key: String(entry.prefix { $0 != "." }))
    }
    try add(.checkpoint, in: "checkpoints", name: { String($0.prefix(12)) }) { entry in
      sparesAll || isKept(key: entry)
    }
    try add(.run, in: "runs", name: { $0 }) { entry in
      limits.olderThanSeconds == nil
        || HeldLock.isHeld(file: "\(store.runsPath)/\(entry)/lock")
    }
    candidates.sort { ($1.ageSeconds, $0.path) < ($0.ageSeconds, $1.path) }
    if let maxBytes = limits.maxBytes {
      var rest = totalBytes
      candidates = Array(
        candidates.prefix { item in
          defer { rest -= item.bytes }
          return rest > maxBytes
        })
    }
    items = candidates
  }
}

extension Clearance.Item {
  /// Nil where it is gone.
  fileprivate init?(_ kind: Clearance.Kind, _ path: String, name: String, now: Double) {
    guard let state = try? FileState(path: path, followingLinks: false) else { return nil }
    self.kind = kind
    self.path = path
    self.name = name
    ageSeconds = max(0, now - Double(state.modifiedNanoseconds) / 1e9)
    bytes = Self.size(path, state)
  }

  private static func size(_ path: String, _ state: FileState) -> Int {
    guard state.isDirectory else { return Int(state.size) }
    let names = (try? Files.list(path)) ?? []
    return names.reduce(0) { sum, name in
      let inner = path + "/" + name
      guard let state = try? FileState(path: inner, followingLinks: false) else { return sum }
      return sum + size(inner, state)
    }
  }
}

extension Store {
  /// The right to clear away, held as long as the value lives; nil while somebody runs something.
  package func ownForClearing() throws -> HeldLock? { try tryOwn() }

  /// Removes what `clearance` found and writes the journal anew without it. The caller has the right
  /// to from before `clearance` was made. Killed at any point it leaves a store that works.
  package func clear(_ clearance: Clearance) throws {
    for item in clearance.items { try Files.remove(item.path) }
    let present = Set(try Files.list(root + "/artifacts"))
    var isWhole: [Digest: Bool] = [:]
    for record in records where present.contains(record.artifact.hex) {
      guard isWhole[record.artifact] == nil, let key = record.keys.first else { continue }
      // Looking it up checks the bytes where a loss of power may have spoilt them.
      if case .usable(let found) = try lookup(key), found.artifact == record.artifact {
        isWhole[record.artifact] = true
      }
    }
    try rewriteJournal { isWhole[$0.artifact] == true }
    // They hang on the journal as it was.
    let snapshots = Self.snapshotsPath(in: root)
    if Files.exists(snapshots) { try Files.remove(snapshots) }
  }
}
