//! Checkpoints on disk: what is read back, what is refused, and what a folder is left with.

import Foundation
import Networks
import Stages
import TestSupport
import Testing
import Training

@Suite struct CheckpointFolderTests {
  private let workspace: Workspace
  private let settings = FitSettings(
    epochs: 9, batchSize: 8, loss: .sparseCategoricalCrossentropy, learningRate: .constant(0.01))
  private let owner = FitCheckpoint.Owner(key: "abc", kind: "pretrain", version: 3)

  init() throws { workspace = try Workspace() }

  /// A checkpoint after `epochs` epochs, with numbers of every kind.
  private func checkpoint(_ epochs: Int) -> FitCheckpoint {
    let weights = WeightStore(network: TinyFit.network)
    weights.initialize(seed: UInt64(epochs))
    var snapshot = weights.snapshot()
    snapshot.statistics[0] = -0.0
    snapshot.statistics[1] = .infinity
    let zeros = [Float](repeating: .leastNonzeroMagnitude, count: weights.trainableCount)
    let log = (0..<epochs).map {
      EpochLog(epoch: $0, values: ["loss": 0.1 + 0.2, "val_loss": .infinity, "lr": 1e-5])
    }
    return FitCheckpoint(
      state: FitState(
        log: log, weights: snapshot,
        optimizer: OptimizerState(step: 3 * epochs, moments: [zeros, zeros]),
        callbacks: CallbackState(learningRate: 0.1),
        checkpoint: FitState.Kept(epoch: 0, weights: snapshot)),
      files: ["log.csv": Array("epoch,loss\n".utf8), "empty": []])
  }

  private func folder(
    _ notes: @escaping (String) -> Void = { _ in }, key: String = "abc"
  ) -> CheckpointFolder {
    CheckpointFolder(
      path: workspace.path("checkpoints/" + key), kind: "pretrain", version: 3, note: notes)
  }

  private func load(_ folder: CheckpointFolder) -> FitCheckpoint? {
    folder.load(for: TinyFit.network, settings, files: ["log.csv", "empty"])
  }

  private func put(_ bytes: [UInt8], _ name: String) throws {
    try FileManager.default.createDirectory(
      atPath: workspace.path("checkpoints/abc"), withIntermediateDirectories: true)
    try Data(bytes).write(to: URL(fileURLWithPath: workspace.path("checkpoints/abc/" + name)))
  }

  @Test func everyNumberComesBack() throws {
    let checkpoint = checkpoint(2)
    let bytes = try checkpoint.bytes(of: owner)
    let read = try FitCheckpoint(parsing: bytes, of: owner)
    #expect(read == checkpoint)
    #expect(read.state.weights.statistics[0].sign == .minus)
    #expect(try read.bytes(of: owner) == bytes)
  }

  @Test func damageIsRefusedWhereverItIs() throws {
    let bytes = try checkpoint(1).bytes(of: owner)
    for offset in stride(from: 0, to: bytes.count, by: 97) {
      var damaged = bytes
      damaged[offset] ^= 1
      #expect(throws: FitCheckpoint.Refusal.damaged) {
        try FitCheckpoint(parsing: damaged, of: owner)
      }
      #expect(throws: FitCheckpoint.Refusal.damaged) {
        try FitCheckpoint(parsing: Array(bytes.prefix(offset)), of: owner)
      }
    }
    for other in [
      FitCheckpoint.Owner(key: "abd", kind: "pretrain", version: 3),
      FitCheckpoint.Owner(key: "abc", kind: "fine_tune", version: 3),
      FitCheckpoint.Owner(key: "abc", kind: "pretrain", version: 4),
    ] {
      #expect(throws: FitCheckpoint.Refusal.otherOwner) {
        try FitCheckpoint(parsing: bytes, of: other)
      }
    }
  }

  @Test func theNewestGoodOneIsTaken() throws {
    var notes: [String] = []
    #expect(load(folder()) == nil && workspace.files.isEmpty)
    let (second, third) = (checkpoint(2), checkpoint(3))
    try put(second.bytes(of: owner), "epoch_3")
    try put(third.bytes(of: owner).dropLast(), "epoch_4")
    try put([1, 2, 3], "epoch_4.x1y2z3")
    try put(checkpoint(4).bytes(of: .init(key: "x", kind: "pretrain", version: 3)), "epoch_5")
    #expect(load(folder { notes.append($0) }) == second)
    let path = workspace.path("checkpoints/abc")
    #expect(
      notes == [
        "checkpoint \(path)/epoch_5 is left out: it belongs to another stage",
        "checkpoint \(path)/epoch_4 is left out: it is damaged",
      ])
    #expect(workspace.files == ["checkpoints/abc/epoch_3"])
    // One of more epochs than the fit has, and one with a file that no log has.
    notes = []
    try put(checkpoint(9).bytes(of: owner), "epoch_10")
    var strange = checkpoint(5)
    strange.files["../../escape"] = [1]
    try put(strange.bytes(of: owner), "epoch_6")
    #expect(load(folder { notes.append($0) }) == second)
    #expect(notes.count == 2 && notes.allSatisfy { $0.hasSuffix("it does not suit this fit") })
  }

  @Test func anOlderOneGoesWhenANewerStands() throws {
    var folder = folder()
    folder.keep { checkpoint(1) }
    #expect(workspace.files == ["checkpoints/abc/epoch_2"])
    // Another process's first is always due.
    folder = self.folder()
    folder.keep { checkpoint(2) }
    #expect(workspace.files == ["checkpoints/abc/epoch_3"])
    #expect(load(folder) == checkpoint(2))
    folder.remove()
    #expect(!FileManager.default.fileExists(atPath: workspace.path("checkpoints/abc")))
    folder.remove()
  }

  @Test func keepingCostsAFiftiethAtMost() {
    var folder = folder()
    var made = 0
    for epoch in 1..<9 {
      folder.keep {
        made += 1
        return checkpoint(epoch)
      }
    }
    // Nothing happens between these: only the first is worth its time.
    #expect(made == 1)
  }

  @Test func aPlaceThatCannotBeWrittenCostsNothingElse() throws {
    try workspace.write("a file where the folder should be", to: "checkpoints")
    var notes: [String] = []
    var folder = folder { notes.append($0) }
    folder.keep { checkpoint(1) }
    #expect(notes.count == 1 && notes[0].hasPrefix("no checkpoint was kept: "))
    #expect(load(folder) == nil)
  }
}
