//! Prepared data, read: every size and every line is checked before a row is. Knows no kind of data.

import Files

/// A folder that `PreparedWriter` wrote.
package struct PreparedFolder: Sendable {
  package let path: String
  package let contents: PreparedContents

  private static let descriptionLimit = 1 << 20
  private static let nameLimit = 64

  /// Reads prepared.json.
  ///
  /// - Throws: `FileError`, `DatasetError`.
  package init(_ path: String) throws {
    let file = path + "/" + PreparedContents.file
    let bytes = try Files.read(file, limit: Self.descriptionLimit)
    do {
      contents = try JSONValue(parsing: bytes).decode(as: PreparedContents.self)
    } catch {
      throw DatasetError.prepared(file: file, .noJSON(reason: "\(error)"))
    }
    self.path = path
    if let fault = Self.fault(of: contents) { throw DatasetError.prepared(file: file, fault) }
  }

  private static func fault(of contents: PreparedContents) -> PreparedFault? {
    guard contents.format == PreparedContents.format else {
      return .format(found: contents.format, expected: PreparedContents.format)
    }
    for block in contents.blocks {
      func bad(_ reason: String) -> PreparedFault {
        .badBlock(name: String(block.name.prefix(nameLimit)), reason: reason)
      }
      // A name becomes a path.
      guard !block.name.isEmpty, block.name.utf8.count <= nameLimit,
        block.name.utf8.allSatisfy({ (97...122).contains($0) || $0 == UInt8(ascii: "_") })
      else { return bad("a name has small letters and `_`") }
      guard (1...4).contains(block.rowShape.count),
        block.rowShape.allSatisfy({ (1...(1 << 24)).contains($0) }),
        block.rowShape.reduce(1.0, { $0 * Double($1) }) <= 0x1p28
      else { return bad("its rows have the shape \(block.rowShape.prefix(8))") }
      guard (0...(1 << 40)).contains(block.rows), (0...(1 << 31)).contains(block.clips) else {
        return bad("\(block.rows) rows of \(block.clips) clips")
      }
    }
    return nil
  }

  /// Whether there is a block of this name.
  package func has(_ name: String) -> Bool { contents.blocks.contains { $0.name == name } }

  /// Opens a block, whose rows must be of this kind.
  ///
  /// - Parameter shape: nil takes any.
  package func block(
    _ name: String, _ element: PreparedContents.Element, shape: [Int]? = nil
  ) throws -> PreparedBlock {
    let file = path + "/" + PreparedContents.file
    guard let block = contents.blocks.first(where: { $0.name == name }) else {
      throw DatasetError.prepared(
        file: file, .noBlock(name: name, found: contents.blocks.map(\.name)))
    }
    guard block.element == element, shape ?? block.rowShape == block.rowShape else {
      throw DatasetError.prepared(
        file: file,
        .blockShape(
          name: name, found: "\(block.element) \(block.rowShape)",
          expected: "\(element) \(shape ?? block.rowShape)"))
    }
    return try PreparedBlock(block, folder: path, classes: contents.classes.count)
  }
}

/// Rows of one shape on disk, and what they are of.
package struct PreparedBlock: Sendable {
  package let block: PreparedContents.Block
  /// In the order of their rows.
  package let clips: [PreparedClip]
  private let samples: FileReader

  private static let indexLimit = 1 << 30

  init(_ block: PreparedContents.Block, folder: String, classes: Int) throws {
    self.block = block
    let path = "\(folder)/\(block.name).samples"
    samples = try FileReader(path)
    let (bytes, overflows) = block.rows.multipliedReportingOverflow(by: block.rowBytes)
    guard !overflows, bytes == samples.size else {
      throw DatasetError.prepared(
        file: path, .size(bytes: samples.size, rows: block.rows, rowBytes: block.rowBytes))
    }
    let index = "\(folder)/\(block.name).csv"
    do {
      clips = try Self.clips(
        String(decoding: Files.read(index, limit: Self.indexLimit), as: UTF8.self), block,
        classes: classes)
    } catch let fault as PreparedFault {
      throw DatasetError.prepared(file: index, fault)
    }
  }

  package var rows: Int { block.rows }

  private static func clips(
    _ text: String, _ block: PreparedContents.Block, classes: Int
  ) throws -> [PreparedClip] {
    let lines = text.split(separator: "\n")
    guard let header = lines.first, header == PreparedClip.header else {
      throw PreparedFault.header(
        found: String(lines.first?.prefix(80) ?? ""), expected: PreparedClip.header)
    }
    guard lines.count - 1 == block.clips else {
      throw PreparedFault.lineCount(found: lines.count - 1, expected: block.clips)
    }
    var clips: [PreparedClip] = []
    clips.reserveCapacity(block.clips)
    var next = 0
    for (index, line) in lines.enumerated().dropFirst() {
      guard let fields = CSVText.fields(line), fields.count == 5, let first = Int(fields[0]),
        let rows = Int(fields[1]), let label = Int32(fields[3])
      else { throw PreparedFault.badLine(index + 1, reason: "no clip: `\(line.prefix(80))`") }
      guard first == next, rows > 0, rows <= block.rows - first else {
        throw PreparedFault.badLine(
          index + 1,
          reason: "\(rows) rows from \(first) on, expected from \(next) on, "
            + "of \(block.rows) in all")
      }
      guard (0..<Int32(classes)).contains(label) else {
        throw PreparedFault.badLine(
          index + 1, reason: "the label \(label), expected 0...\(classes - 1)")
      }
      next += rows
      clips.append(
        PreparedClip(firstRow: first, rows: rows, file: fields[2], label: label, group: fields[4]))
    }
    guard next == block.rows else {
      throw PreparedFault.badLine(
        lines.count, reason: "the clips have \(next) rows, \(block.rows) are promised")
    }
    return clips
  }

  /// Reads consecutive rows.
  package func read(rows: Range<Int>, into target: UnsafeMutableRawBufferPointer) throws {
    precondition(
      0 <= rows.lowerBound && rows.upperBound <= block.rows
        && target.count == rows.count * block.rowBytes, "rows \(rows) of \(block.rows)")
    try samples.read(at: rows.lowerBound * block.rowBytes, into: target)
  }
}
