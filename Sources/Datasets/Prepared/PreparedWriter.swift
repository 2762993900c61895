//! Prepared data, written in a stream: as many clips are held as threads work on, and their order
//! does not depend on the threads. Knows no kind of data.

import Files

/// The values of one clip, as bytes of whole rows.
package struct PreparedRows: Sendable {
  package var bytes: [UInt8]
  package var rows: Int

  /// - Parameter bytes: little endian.
  package init(bytes: [UInt8], rows: Int = 1) {
    self.bytes = bytes
    self.rows = rows
  }

  package init(floats: [Float], rows: Int = 1) {
    // All processors that this runs on are little endian.
    self.init(bytes: floats.withUnsafeBytes { Array($0) }, rows: rows)
  }

  package init(samples: [Int16]) { self.init(bytes: samples.withUnsafeBytes { Array($0) }) }
}

/// Writes one folder, block by block.
package final class PreparedWriter {
  private let folder: String
  private var contents: PreparedContents
  private let threads: Int

  /// Clips that each thread does before they are written.
  private static let share = 16

  /// - Parameter threads: how many clips are prepared at a time.
  package init(folder: String, classes: [String], threads: Int) {
    self.folder = folder
    self.threads = max(1, threads)
    contents = PreparedContents(classes: classes)
  }

  /// Writes NAME.samples and NAME.csv.
  ///
  /// - Parameters:
  ///   - clips: what to prepare, in the order of the rows; `firstRow` and `rows` are filled in here.
  ///   - makeWorker: what one thread prepares clips with: it may hold scratch of its own.
  ///   - progress: is told how many clips are done.
  /// - Throws: what preparing the first of the failing clips throws.
  package func write(
    _ name: String, _ element: PreparedContents.Element, rowShape: [Int], clips: [PreparedClip],
    makeWorker: @Sendable () -> (Int) throws -> PreparedRows, progress: (Int) -> Void = { _ in }
  ) throws {
    var block = PreparedContents.Block(
      name: name, element: element, rowShape: rowShape, rows: 0, clips: clips.count)
    let samples = try FileWriter("\(folder)/\(name).samples")
    let index = try FileWriter("\(folder)/\(name).csv")
    try index.append(Array((PreparedClip.header + "\n").utf8))
    let round = threads * Self.share
    for first in stride(from: 0, to: clips.count, by: round) {
      let indices = first..<min(first + round, clips.count)
      let results = try ParallelWork.map(indices, threads: threads, makeWorker: makeWorker)
      var lines = ""
      for (place, result) in zip(indices, results) {
        let rows = try result.get()
        precondition(rows.bytes.count == rows.rows * block.rowBytes, "rows of another size")
        try samples.append(rows.bytes)
        var clip = clips[place]
        clip.firstRow = block.rows
        clip.rows = rows.rows
        block.rows += rows.rows
        lines += clip.line + "\n"
      }
      try index.append(Array(lines.utf8))
      progress(indices.upperBound)
    }
    contents.blocks.append(block)
  }

  /// Writes prepared.json, last: a folder without it is nothing.
  package func finish() throws -> PreparedContents {
    try Files.writeAtomically(
      try JSONValue(encoding: contents).canonicalText + "\n",
      to: folder + "/" + PreparedContents.file)
    return contents
  }
}
