//! Prepared folders that were damaged: every one is refused with its file and what is wrong.

import Datasets
import Foundation
import TestSupport
import Testing

@Suite struct HostilePreparedTests {
  private let workspace: Workspace

  init() throws {
    workspace = try Workspace()
    try FileManager.default.createDirectory(
      atPath: workspace.path("data"), withIntermediateDirectories: true)
    let writer = PreparedWriter(folder: workspace.path("data"), classes: ["a", "b"], threads: 1)
    try writer.write(
      "rows", .float32, rowShape: [3],
      clips: (0..<4).map { PreparedClip(file: "f\($0)", label: Int32($0 % 2)) },
      makeWorker: { { PreparedRows(floats: [Float($0), 1, 2, 3, 4, 5], rows: 2) } })
    _ = try writer.finish()
  }

  private func open() throws -> PreparedBlock {
    try PreparedFolder(workspace.path("data")).block("rows", .float32)
  }

  private func refused(_ file: String, _ old: String, _ new: String) throws -> String {
    let text = try workspace.read("data/" + file)
    #expect(text.contains(old))
    try workspace.write(text.replacingOccurrences(of: old, with: new), to: "data/" + file)
    defer { try? workspace.write(text, to: "data/" + file) }
    do {
      _ = try open()
      return "nothing is wrong"
    } catch { return "\(error)".replacingOccurrences(of: workspace.path("data/"), with: "") }
  }

  @Test func theWholeOneIsRead() throws {
    let block = try open()
    #expect(block.rows == 8 && block.clips.map(\.firstRow) == [0, 2, 4, 6])
    let examples = StoredExamples(features: block)
    #expect(examples.count == 8 && examples.label(of: 3) == 1)
  }

  @Test func descriptionsAreChecked() throws {
    let file = "prepared.json"
    #expect(try refused(file, "\"format\":1", "\"format\":2").contains("its format is 2"))
    #expect(try refused(file, "{", "[").contains("describes no prepared data"))
    #expect(try refused(file, "\"rows\":8", "\"rows\":9").hasPrefix("rows.samples: 96 bytes"))
    #expect(
      try refused(file, "\"rows\":8", "\"rows\":9223372036854775807").contains("cannot be"))
    #expect(try refused(file, "\"rows\":8", "\"rows\":-8").contains("cannot be"))
    #expect(try refused(file, "[3]", "[0]").contains("cannot be"))
    #expect(try refused(file, "[3]", "[16777216,16777216]").contains("cannot be"))
    #expect(try refused(file, "\"name\":\"rows\"", "\"name\":\"../x\"").contains("cannot be"))
    #expect(try refused(file, "float32", "uint8").contains("expected float32"))
    #expect(try refused(file, "float32", "float64").contains("describes no prepared data"))
    #expect(try refused(file, "\"clips\":4", "\"clips\":5").contains("4 clips, and 5"))
  }

  @Test func linesAreChecked() throws {
    let file = "rows.csv"
    #expect(try refused(file, "first_row", "row").contains("begins with `row,rows"))
    #expect(try refused(file, "2,2,f1,1,", "2,3,f1,1,").contains("line 4: 2 rows from 4 on"))
    #expect(try refused(file, "2,2,f1,1,", "3,2,f1,1,").contains("line 3: 2 rows from 3 on"))
    #expect(try refused(file, "2,2,f1,1,", "2,2,f1,7,").contains("line 3: the label 7"))
    #expect(try refused(file, "2,2,f1,1,", "2,2,\"f1,1,").contains("line 3: no clip"))
    #expect(try refused(file, "6,2,f3,1,", "6,1,f3,1,").contains("7 rows, 8 are promised"))
    #expect(
      try refused(file, "6,2,f3,1,", "6,9223372036854775807,f3,1,").contains("line 5"))
  }

  @Test func aFileThatShrinksFailsTheBatch() throws {
    let examples = StoredExamples(features: try open())
    let handle = try #require(FileHandle(forUpdatingAtPath: workspace.path("data/rows.samples")))
    try handle.truncate(atOffset: 60)
    try handle.close()
    let prefetcher = try BatchPrefetcher(
      BatchStream(
        examples, indices: Array(0..<8), batchSize: 2,
        draw: ExampleDraw(seed: 0, epoch: 0, augments: false), shuffles: false))
    for _ in 0..<2 { #expect(try prefetcher.next { _, _, count in count } == 2) }
    #expect(throws: (any Error).self) { try prefetcher.next { _, _, count in count } }
    #expect(throws: (any Error).self) { try prefetcher.next { _, _, count in count } }
  }
}
