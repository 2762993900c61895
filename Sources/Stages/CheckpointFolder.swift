//! The folder that a fit's checkpoints lie in: the newest good one, and when the next is due. Knows
//! no training.

import Files
package import Networks
package import Training

/// Holds one checkpoint, `epoch_5` where epoch 5 is the next; another one only while a newer one
/// takes its place.
package struct CheckpointFolder {
  /// A checkpoint may cost a fiftieth of the time since the last one. How long an epoch takes decides
  /// nothing but where a killed fit goes on: its result is the same from any epoch.
  private static let costFactor = 50

  private let path: String
  private let owner: FitCheckpoint.Owner
  /// Tells the log what was not as it should be.
  private let note: (String) -> Void
  private let clock = ContinuousClock()
  private var notBefore: ContinuousClock.Instant?

  /// - Parameter path: ends with the key; the folder is made when something is kept.
  package init(
    path: String, kind: String, version: Int, note: @escaping (String) -> Void
  ) {
    self.path = path
    let key = path.split(separator: "/").last.map(String.init) ?? ""
    owner = FitCheckpoint.Owner(key: key, kind: kind, version: version)
    self.note = note
  }

  /// The newest checkpoint that is whole and suits the fit; whatever else lies there is removed.
  ///
  /// - Parameter files: the paths that logs may have; a checkpoint with others is nobody's.
  package func load(
    for network: Network, _ settings: FitSettings, files: Set<String>
  ) -> FitCheckpoint? {
    guard Files.exists(path), let names = try? Files.list(path) else { return nil }
    let numbered = names.compactMap { name in Self.epoch(of: name).map { ($0, name) } }
    for (_, name) in numbered.sorted(by: { $0.0 > $1.0 }) {
      do {
        let bytes = try Files.read(path + "/" + name, limit: 4 << 30)
        let checkpoint = try FitCheckpoint(parsing: bytes, of: owner)
        guard checkpoint.state.suits(network, settings), files.isSuperset(of: checkpoint.files.keys)
        else {
          throw FitCheckpoint.Refusal.doesNotSuit
        }
        removeAll(but: name)
        return checkpoint
      } catch let error as FitCheckpoint.Refusal {
        note("checkpoint \(path)/\(name) is left out: \(error)")
      } catch {
        note("a checkpoint is left out: \(error)")
      }
    }
    removeAll(but: nil)
    return nil
  }

  /// Keeps where a fit stands, if that is due. A disk that is full costs the checkpoint, not the fit.
  ///
  /// - Parameter isDue: it is, whenever the last one was.
  package mutating func keep(isDue: Bool = false, _ checkpoint: () throws -> FitCheckpoint) {
    let start = clock.now
    if let notBefore, start < notBefore, !isDue { return }
    do {
      let checkpoint = try checkpoint()
      try Files.createDirectories(path)
      let name = "epoch_\(checkpoint.state.nextEpoch + 1)"
      try Files.writeAtomically(checkpoint.bytes(of: owner), to: path + "/" + name)
      removeAll(but: name)
    } catch {
      note("no checkpoint was kept: \(error)")
    }
    notBefore = clock.now + (clock.now - start) * Self.costFactor
  }

  /// Gives the folder up: what it was kept for is finished.
  package func remove() {
    guard Files.exists(path) else { return }
    do {
      try Files.remove(path)
    } catch {
      note("a checkpoint was not removed: \(error)")
    }
  }

  /// Also what a killed process left half written.
  private func removeAll(but kept: String?) {
    for name in (try? Files.list(path)) ?? [] where name != kept {
      try? Files.remove(path + "/" + name)
    }
  }

  private static func epoch(of name: String) -> Int? {
    name.hasPrefix("epoch_") ? Int(name.dropFirst(6)) : nil
  }
}
