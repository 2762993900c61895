//! Archives that are good, that want to do harm, and that are not what they say.

import Archives
import Foundation
import TestSupport
import Testing

@Suite struct UnpackerTests {
  private let workspace: Workspace
  /// Archives made by Tests/Fixtures/data/make_archives.py.
  private let archives: String
  private let target: String

  init() throws {
    workspace = try Workspace()
    archives = workspace.path("archives")
    target = workspace.path("target")
    for folder in [archives, target] {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }
    try Python.run(TestPaths.fixtures + "/data/make_archives.py", [archives])
  }

  private func unpack(_ name: String, bytes: Int = 1 << 20, entries: Int = 1000) throws {
    try Unpacker.unpack(
      archives + "/" + name, into: target, limits: .init(bytes: bytes, entries: entries))
  }

  private var unpacked: [String] {
    workspace.files.filter { $0.hasPrefix("target/") }.map { String($0.dropFirst(7)) }
  }

  @Test(arguments: ["good.tar.gz", "good.tar.xz", "good.zip"])
  func aGoodArchiveComesOutWhole(_ name: String) throws {
    try unpack(name)
    #expect(unpacked == ["set/a.wav", "set/deep/b.wav", "set/list.txt"])
    #expect(try workspace.read("target/set/a.wav") == String(repeating: "a", count: 70_000))
    let attributes = try FileManager.default.attributesOfItem(
      atPath: workspace.path("target/set/a.wav"))
    // The archive asks for set-user-id and execution.
    let mode = try #require(attributes[.posixPermissions] as? Int)
    #expect(mode & 0o7111 == 0)
  }

  private static let hostile: [(String, String)] = [
    ("absolute.tar.gz", "the entry `/tmp/shiftwork-absolute.wav`: its path is absolute"),
    (
      "dotdot.tar.gz",
      "the entry `set/../../out.wav`: its path leads out of the folder by `..`"
    ),
    ("dotdot.zip", "the entry `set/../../out.wav`: its path leads out of the folder by `..`"),
    (
      "symlink.tar.gz",
      "the entry `set/link`: it is a symbolic link, and only files and folders are unpacked"
    ),
    (
      "hardlink.tar.gz",
      "the entry `set/b.wav`: it is a hard link, and only files and folders are unpacked"
    ),
    (
      "device.tar.gz",
      "the entry `set/null`: it is a device, a pipe or a socket, and only files and folders are "
        + "unpacked"
    ),
    (
      "pipe.tar.gz",
      "the entry `set/pipe`: it is a device, a pipe or a socket, and only files and folders are "
        + "unpacked"
    ),
    ("twice.tar.gz", "the entry `set/a.wav`: the archive has it before"),
    ("filefolder.tar.gz", "the entry `set/a.wav`: the archive has it before"),
    (
      "control.tar.gz",
      "the entry `set/a?[2J.wav`: its name has a control character or a backslash"
    ),
  ]

  @Test(arguments: hostile)
  func aHostileEntryIsRefusedByName(_ name: String, _ words: String) throws {
    #expect {
      try unpack(name)
    } throws: { error in
      "\(error)" == "\(archives)/\(name): refuses \(words)"
    }
    #expect(!FileManager.default.fileExists(atPath: "/tmp/shiftwork-absolute.wav"))
    #expect(!workspace.files.contains { $0.hasSuffix("out.wav") })
  }

  @Test(arguments: ["bomb.tar.gz", "bomb.zip"])
  func aBombIsLaidDownAtTheLimit(_ name: String) throws {
    #expect(throws: ArchiveError.tooManyBytes(archive: archives + "/" + name, limit: 1 << 20)) {
      try unpack(name)
    }
    let written = try FileManager.default.attributesOfItem(
      atPath: workspace.path("target/set/zeros.wav"))[.size]
    #expect(try #require(written as? Int) <= 1 << 20)
  }

  @Test func tooManyEntriesAreRefused() {
    #expect(
      throws: ArchiveError.tooManyEntries(archive: archives + "/many.tar.gz", limit: 1000)
    ) { try unpack("many.tar.gz") }
  }

  @Test(arguments: ["truncated.tar.gz", "damaged.zip", "text.tar.gz", "none.tar.gz"])
  func whatIsCutOffOrNoArchiveIsNamed(_ name: String) {
    #expect {
      try unpack(name)
    } throws: { error in
      "\(error)".hasPrefix("\(archives)/\(name): damaged, cut off, or no archive: ")
    }
  }

  @Test func anEmptyArchiveIsNamed() {
    #expect(throws: ArchiveError.empty(archive: archives + "/empty.tar.gz")) {
      try unpack("empty.tar.gz")
    }
  }
}
