//! HDF5 files: what goes in comes out, the same bytes each time, and hostile files are refused.

import Diagnostics
import Foundation
import Records
import Tensors
import TestSupport
import Testing

@Suite struct HDF5FileTests {
  private static let hostile = TestPaths.fixtures + "/hdf5/hostile.h5"

  private func temporaryPath(_ name: String) -> String {
    NSTemporaryDirectory() + "/shiftwork-\(UUID().uuidString)-\(name)"
  }

  private func sample(at path: String) throws -> HDF5File {
    let file = try HDF5File(creating: path)
    try file.createGroup("a/b")
    try file.write(Tensor(shape: [2, 3], values: [1, -2, 3.5, .infinity, 0, 1e-30]), to: "a/b/x")
    try file.write(Tensor(shape: [], values: [7]), to: "a/scalar")
    try file.write(Tensor(shape: [0, 4], values: []), to: "a/nothing")
    try file.setStrings(["kernel:0", "é", ""], for: "names", of: "a")
    try file.setString("tensorflow", for: "backend")
    try file.setStrings([], for: "none")
    try file.setNumber(3, for: "epoch")
    try file.setNumber(0.1, for: "rate", of: "a/b")
    return file
  }

  @Test func whatIsWrittenIsRead() throws {
    let path = temporaryPath("round.h5")
    defer { try? FileManager.default.removeItem(atPath: path) }
    try sample(at: path).save()
    let file = try HDF5File(reading: path)
    #expect(try file.members(of: "a").map(\.name) == ["b", "nothing", "scalar"])
    #expect(try file.members(of: "a").map(\.kind) == [.group, .dataset, .dataset])
    #expect(
      try file.tensor("a/b/x")
        == Tensor(shape: [2, 3], values: [1, -2, 3.5, .infinity, 0, 1e-30]))
    #expect(try file.tensor("/a/scalar") == Tensor(shape: [], values: [7]))
    #expect(try file.tensor("a/nothing") == Tensor(shape: [0, 4], values: []))
    #expect(try file.doubles("a/b/x")[2] == 3.5)
    #expect(try file.strings("names", of: "a") == ["kernel:0", "é", ""])
    #expect(try file.strings("none") == [])
    #expect(try file.string("backend") == "tensorflow")
    #expect(try file.string("absent") == nil)
    #expect(try file.number("epoch") == 3)
    #expect(try file.number("rate", of: "a/b") == 0.1)
    #expect(try file.kind(of: "a/c") == nil)
  }

  @Test func sameContentGivesSameBytes() throws {
    let first = try sample(at: "one.h5").image()
    Thread.sleep(forTimeInterval: 1.1)  // longer than the resolution of HDF5's times
    #expect(try sample(at: "one.h5").image() == first)
  }

  @Test func nothingIsOnDiskBeforeSaving() throws {
    let path = temporaryPath("unsaved.h5")
    do { _ = try sample(at: path) }
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test func foreignTypesAreRead() throws {
    let file = try HDF5File(reading: Self.hostile)
    #expect(try file.tensor("good") == Tensor(shape: [2, 3], values: [0, 1, 2, 3, 4, 5]))
    #expect(try file.strings("fixed") == ["one", "three"])
    #expect(try file.strings("variable") == ["uno", "due", "tre"])
    #expect(try file.number("number") == 7)
    #expect(
      try file.tensor("good").shape == [2, 3])
    #expect(try file.members(of: "cycle/self/self/self").map(\.name) == ["self"])
  }

  @Test(arguments: [
    ("soft", "link"), ("external", "link"), ("text", "does not hold numbers"),
    ("complex", "does not hold numbers"), ("empty", "is empty"), ("huge", "larger"),
    ("large", "more data than the file has"), ("unallocated", "more data than the file has"),
    ("elsewhere", "outside"), ("virtual", "outside"), ("cycle", "is not a dataset"),
    ("absent", "there is no `absent`"), ("good/below", "there is no `good/below`"),
  ])
  func hostileDatasetsAreRefused(dataset: String, why: String) throws {
    let file = try HDF5File(reading: Self.hostile)
    let error = #expect(throws: HDF5Error.self) { try file.tensor(dataset) }
    let text = String(describing: error)
    #expect(text.contains(why), "\(text)")
    #expect(text.contains(Self.hostile), "\(text)")
  }

  @Test func hostileAttributesAreRefused() throws {
    let file = try HDF5File(reading: Self.hostile)
    #expect(throws: HDF5Error.self) { try file.strings("latin") }
    #expect(throws: HDF5Error.self) { try file.string("fixed") }
    #expect(throws: HDF5Error.self) { try file.strings("number") }
    #expect(throws: HDF5Error.self) { try file.number("variable") }
  }

  @Test func whatIsNoHDF5FileIsRefused() throws {
    let path = temporaryPath("text.h5")
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data("not HDF5".utf8).write(to: URL(fileURLWithPath: path))
    let error = #expect(throws: HDF5Error.self) { try HDF5File(reading: path) }
    #expect(String(describing: error).contains("not an HDF5 file"))
    #expect(throws: HDF5Error.self) { try HDF5File(reading: NSTemporaryDirectory()) }
    #expect(throws: LibraryError.self) { try HDF5File(reading: path + ".absent") }
  }

  /// Truncations and many flipped bytes: an error or values, never a crash.
  @Test func damagedFilesGiveErrors() throws {
    let path = temporaryPath("damaged.h5")
    defer { try? FileManager.default.removeItem(atPath: path) }
    let whole = try sample(at: path).image()
    var failures = 0
    func attempt(_ bytes: [UInt8]) throws {
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      do {
        let file = try HDF5File(reading: path)
        _ = try file.members(of: "a")
        _ = try file.tensor("a/b/x")
        _ = try file.strings("names", of: "a")
      } catch {
        failures += 1
      }
    }
    for length in stride(from: 0, to: whole.count, by: 61) { try attempt(Array(whole[..<length])) }
    for index in stride(from: 0, to: whole.count, by: 11) {
      var bytes = whole
      bytes[index] ^= UInt8(truncatingIfNeeded: 1 + index &* 37)
      try attempt(bytes)
    }
    #expect(failures > 20)
  }
}
