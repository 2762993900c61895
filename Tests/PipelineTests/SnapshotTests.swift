//! Whether a snapshot sees every change of what it holds, and is none when it is damaged.

import Files
import Foundation
import Glibc
import Pipeline
import TestSupport
import Testing

@Suite struct SnapshotTests {
  let workspace: Workspace
  private static let words = Array("there already\n".utf8)

  init() throws {
    workspace = try Workspace()
    try workspace.write("text\n", to: "spec.yaml")
    try workspace.write("data\n", to: "data/a")
  }

  private var file: String { workspace.path("snapshots/one") }

  private func take() throws {
    var snapshot = Snapshot()
    snapshot.add(bytes: Array("text\n".utf8), at: workspace.path("spec.yaml"))
    snapshot.add(presence: 0, at: workspace.path("other.yaml"))
    snapshot.add(presence: 1, at: workspace.path("spec.yaml"))
    snapshot.add(presence: 2, at: workspace.path("data"))
    let areThere = ["data", "data/a", "data/none"].map {
      snapshot.add(stateAt: workspace.path($0))
    }
    #expect(areThere == [true, true, false])
    try snapshot.write(to: file, saying: Self.words)
  }

  private var isUnchanged: Bool {
    Snapshot.words(at: file).map { Array($0) == Self.words } ?? false
  }

  @Test func everyChangeShows() throws {
    #expect(!isUnchanged)
    try take()
    #expect(isUnchanged)

    // The same bytes in another file: a text may be written anew, a source is looked at again.
    try workspace.write("text\n", to: "spec.yaml")
    #expect(isUnchanged)
    try workspace.write("Text\n", to: "spec.yaml")
    #expect(!isUnchanged)
    try workspace.write("text\n", to: "spec.yaml")

    try workspace.write("", to: "other.yaml")
    #expect(!isUnchanged)
    try FileManager.default.removeItem(atPath: workspace.path("other.yaml"))
    #expect(isUnchanged)

    // One byte, and the time of modification as it was.
    let path = workspace.path("data/a")
    var status = stat()
    #expect(stat(path, &status) == 0)
    let handle = try #require(FileHandle(forUpdatingAtPath: path))
    try handle.write(contentsOf: Data("D".utf8))
    try handle.close()
    #expect(utimensat(AT_FDCWD, path, [status.st_atim, status.st_mtim], 0) == 0)
    #expect(!isUnchanged)

    try take()
    try workspace.write("", to: "data/b")
    #expect(!isUnchanged)
    try take()
    try FileManager.default.removeItem(atPath: path)
    #expect(!isUnchanged)
  }

  /// What was read just after it was written may change again without a trace in its times.
  @Test func freshSourcesAreReadAgain() throws {
    let path = workspace.path("data/a")
    let store = try Bench().store()
    var snapshot = Snapshot()
    let clock = ContinuousClock()
    // A busy machine may take a break between the two.
    while true {
      let start = clock.now
      try workspace.write("data\n", to: "data/a")
      _ = try store.digest(ofSource: path)
      if clock.now - start < .seconds(1) { break }
    }
    #expect(store.add([Record](), to: &snapshot))
    try snapshot.write(to: file, saying: Self.words)
    try workspace.write("data\n", to: "data/a")
    // Other times, the same bytes.
    #expect(isUnchanged)
    try workspace.write("Data\n", to: "data/a")
    #expect(!isUnchanged)

    // The names of a folder that just changed cannot be compared like this.
    try workspace.write("", to: "data/c")
    _ = try store.digest(ofSource: workspace.path("data"))
    #expect(!store.add([Record](), to: &snapshot))
  }

  @Test func damagedOnesSayNothing() throws {
    try take()
    let whole = try Files.read(file, limit: 1 << 20)
    for count in 0..<whole.count {
      try Files.writeAtomically(Array(whole[..<count]), to: file)
      #expect(Snapshot.words(at: file) == nil)
    }
    for index in whole.indices {
      var bytes = whole
      bytes[index] ^= 0x41
      try Files.writeAtomically(bytes, to: file)
      #expect(Snapshot.words(at: file) == nil)
    }
    // Whole by its digest, but nothing that we would write.
    for body in [[UInt8]](
      [[], [9], Array(repeating: 255, count: 8), [3, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3]])
    {
      let head = Array("shiftwork snapshot 1\n".utf8) + SHA256.digest(of: body).hex.utf8
      try Files.writeAtomically(head + body, to: file)
      #expect(Snapshot.words(at: file) == nil)
    }
  }
}
