//! Files, locks, digests and checksums.

import Files
import Glibc
import TestSupport
import Testing

@Suite struct FilesTests {
  @Test func writesReadsCopiesAndRemoves() throws {
    let folder = try Files.temporaryDirectory(in: "/tmp", prefix: "shiftwork-files-")
    defer { try? Files.remove(folder) }
    try Files.createDirectories(folder + "/a/b")
    try Files.createDirectories(folder + "/a/b")
    try Files.writeAtomically("one", to: folder + "/a/b/file")
    try Files.writeAtomically("two", to: folder + "/a/b/file")
    #expect(try Files.read(folder + "/a/b/file", limit: 3) == Array("two".utf8))
    try Files.copy(folder + "/a/b/file", to: folder + "/a/copy")
    #expect(try Files.list(folder + "/a") == ["b", "copy"])
    #expect(try Files.digest(ofFile: folder + "/a/copy") == SHA256.digest(of: "two"))
    try Files.remove(folder + "/a")
    #expect(!Files.exists(folder + "/a"))
    #expect(try Files.list(folder) == [])
  }

  @Test func faultsNameThePath() throws {
    let folder = try Files.temporaryDirectory(in: "/tmp", prefix: "shiftwork-files-")
    defer { try? Files.remove(folder) }
    func message(_ body: () throws -> Void) -> String {
      do {
        try body()
        return "no error"
      } catch {
        return "\(error)"
      }
    }
    let file = folder + "/file"
    #expect(
      message { _ = try Files.read(file, limit: 9) }
        == "\(file): cannot open: No such file or directory")
    #expect(
      message { _ = try Files.read(folder, limit: 9) } == "\(folder): is a directory, not a file")
    try Files.writeAtomically("0123456789", to: file)
    #expect(
      message { _ = try Files.read(file, limit: 9) }
        == "\(file): 10 bytes, more than the 9 that are read at most")
    #expect(
      message { try Files.createDirectories(file + "/x") }
        == "\(file)/x: cannot make the folder: Not a directory")
    #expect(mkfifo(folder + "/pipe", 0o600) == 0)
    #expect(
      message { _ = try Files.read(folder + "/pipe", limit: 9) }
        == "\(folder)/pipe: is no regular file")
    #expect(
      message { try Files.writeAtomically("x", to: folder + "/none/x") }
        == "\(folder)/none/x: cannot write: No such file or directory")
  }

  @Test func aLockIsHeldOnce() throws {
    let folder = try Files.temporaryDirectory(in: "/tmp", prefix: "shiftwork-files-")
    defer { try? Files.remove(folder) }
    var lock: FileLock? = try FileLock(path: folder + "/lock")
    #expect(lock != nil)
    #expect(try FileLock.tryLock(path: folder + "/lock") == nil)
    lock = nil
    #expect(try FileLock.tryLock(path: folder + "/lock") != nil)
  }

  @Test func checksumsAreTheStandardOnes() {
    #expect(CRC32.checksum(Array("123456789".utf8)) == 0xCBF4_3926)
    #expect(
      SHA256.digest(of: "abc").hex
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(Digest(hex: "xyz") == nil)
  }

  @Test func jsonHasOneSpelling() throws {
    let value = JSONValue.object(["b": .int(1), "a": .array([.double(0.001), .null, .bool(true)])])
    #expect(value.canonicalText == #"{"a":[0.001,null,true],"b":1}"#)
    #expect(try JSONValue(parsing: Array(value.prettyText.utf8)) == value)
  }
}
