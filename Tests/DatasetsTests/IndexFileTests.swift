//! Lists of rows: NumPy's files byte by byte, text, and what is said about neither.

import Datasets
import Foundation
import TestSupport
import Testing

@Suite struct IndexFileTests {
  private let workspace: Workspace

  init() throws { workspace = try Workspace() }

  private func read(_ bytes: [UInt8], count: Int = 1000) throws -> [Int] {
    let path = workspace.path("rows")
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return try IndexFile.read(path, count: count)
  }

  /// A .npy file as NumPy writes it.
  private func numpy(
    _ type: String, _ values: [UInt8], shape: String = "(3,)", version: UInt8 = 1
  ) -> [UInt8] {
    var header = "{'descr': '\(type)', 'fortran_order': False, 'shape': \(shape), }"
    while (10 + header.utf8.count) % 64 != 63 { header += " " }
    header += "\n"
    let length = header.utf8.count
    let sizes = [UInt8(length & 255), UInt8(length >> 8)] + (version > 1 ? [0, 0] : [])
    return [0x93] + Array("NUMPY".utf8) + [version, 0] + sizes + Array(header.utf8) + values
  }

  @Test func everyWholeTypeIsRead() throws {
    #expect(
      try read(
        numpy("<i8", [5, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0] + [0, 0, 0, 0, 0, 0, 0, 0]))
        == [5, 513, 0])
    #expect(try read(numpy(">i4", [0, 0, 1, 1, 0, 0, 0, 7, 0, 0, 0, 0])) == [257, 7, 0])
    #expect(try read(numpy("<u2", [232, 3, 1, 0, 2, 0]), count: 2000) == [1000, 1, 2])
    #expect(try read(numpy("|u1", [255, 1, 0], version: 3)) == [255, 1, 0])
    #expect(throws: IndexFileError.range(file: workspace.path("rows"), place: 1, row: -1, count: 9))
    { try read(numpy("|i1", [8, 255, 0]), count: 9) }
  }

  @Test func textIsRead() throws {
    #expect(try read(Array("3\n1, 2\r\n\n4".utf8)) == [3, 1, 2, 4])
    #expect(try read(Array("index\n3\n".utf8)) == [3])
  }

  @Test func whatIsNoListIsNamed() throws {
    let cases: [([UInt8], String)] = [
      ([], "the list has no rows"),
      (Array("index\n".utf8), "the list has no rows"),
      (Array("1\ntwo\n".utf8), "no list of rows: line 2 has `two`, expected whole numbers"),
      ([0xFF, 0xFE, 0], "no list of rows: it is neither .npy nor text"),
      (
        Array("99999999999999999999".utf8),
        "no list of rows: line 1 has `99999999999999999999`, expected whole numbers"
      ),
      (Array("1000".utf8), "entry 0 is row 1000, the test set has rows 0 to 999"),
      (Array(numpy("<i8", []).prefix(40)), "no list of rows: its header is cut off"),
      (
        Array(numpy("<i8", []).prefix(9)),
        "no list of rows: its .npy version is not 1, 2 or 3, or it is cut off"
      ),
      (
        numpy("<f8", [0]),
        "no list of rows: its values are <f8, expected whole numbers of up to 8 bytes"
      ),
      (
        numpy("|O", [0]),
        "no list of rows: its values are |O, expected whole numbers of up to 8 bytes"
      ),
      (numpy("<i8", [0]), "no list of rows: 1 bytes of values, 3 of 8 are promised"),
      (
        numpy("<i8", [], shape: "(2, 3)"),
        "no list of rows: its shape is (2, 3), expected one dimension"
      ),
      (
        numpy("<i8", [], shape: "(99999999999999999999,)"),
        "no list of rows: its shape is (99999999999999999999,), expected one dimension"
      ),
      (numpy("|u1", [], shape: "(0,)"), "the list has no rows"),
      (numpy("<u8", [UInt8](repeating: 255, count: 24)), "no list of rows: value 0 is beyond 2^63"),
      (
        numpy("<i8", [], version: 9),
        "no list of rows: its .npy version is not 1, 2 or 3, or it is cut off"
      ),
    ]
    for (bytes, words) in cases {
      #expect {
        try read(bytes)
      } throws: { error in
        "\(error)" == workspace.path("rows") + ": " + words
      }
    }
  }

  /// Every prefix and every flipped byte ends in a list or a named fault.
  @Test func damageNeverEndsTheProcess() throws {
    let whole = numpy("<i2", [1, 0, 2, 0, 3, 0])
    for count in 0..<whole.count { _ = try? read(Array(whole.prefix(count))) }
    for place in whole.indices {
      for flip in [UInt8(1), 0x80, 0xFF] {
        var damaged = whole
        damaged[place] ^= flip
        _ = try? read(damaged)
      }
    }
  }
}
