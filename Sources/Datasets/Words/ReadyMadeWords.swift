//! MLPerf Tiny's ready-made features of keyword spotting (kws01): 490 int8 codes a clip. Knows no
//! recording.

import Files

/// A folder of ready-made features: all rows in one file with an index, or a file a row as the
/// benchmark's runner has them.
package struct ReadyMadeWords: Sendable {
  /// (frames, coefficients, 1).
  package static let shape = [49, 10, 1]
  private static let size = 490
  private static let limit = 256 << 20
  private static let labelsFile = "y_labels.csv"

  /// By row, its codes' place and label.
  package let clips: [PreparedClip]
  private let codes: [UInt8]

  /// - Throws: `FileError`, `DatasetError`.
  package init(_ folder: String) throws {
    let names = try Files.list(folder)
    if names.contains(Self.labelsFile) {
      (clips, codes) = try Self.separate(folder)
    } else if let index = names.first(where: { $0.hasSuffix("_index.csv") }),
      let joined = names.first(where: { $0.hasSuffix(".i8") })
    {
      (clips, codes) = try Self.joined(folder, index: index, codes: joined)
    } else {
      throw DatasetError.folder(
        path: folder,
        .nothing(
          wanted: "ready-made features: y_labels.csv with its .bin files, or NAME_index.csv with "
            + "its .i8 file"))
    }
  }

  /// The features of a row.
  package func rows(of index: Int) -> PreparedRows {
    PreparedRows(
      floats: codes[index * Self.size..<(index + 1) * Self.size].map {
        FeatureCode.decode(Int8(bitPattern: $0))
      })
  }

  private static func joined(
    _ folder: String, index: String, codes name: String
  ) throws -> ([PreparedClip], [UInt8]) {
    let lines = try lines(of: folder + "/" + index)
    let header = lines.first.flatMap { CSVText.fields($0.text) } ?? []
    guard let rowColumn = header.firstIndex(of: "row"),
      let labelColumn = header.firstIndex(of: "label")
    else {
      throw DatasetError.folder(
        path: folder, .index(file: index, line: 1, reason: "no columns `row` and `label`"))
    }
    let nameColumn = header.firstIndex(of: "wav") ?? header.firstIndex(of: "mlperf_name")
    let bytes = try Files.read(folder + "/" + name, limit: limit)
    var clips: [PreparedClip] = []
    for line in lines.dropFirst() {
      let fields = CSVText.fields(line.text) ?? []
      guard fields.count == header.count, Int(fields[rowColumn]) == clips.count,
        let label = label(fields[labelColumn])
      else {
        throw DatasetError.folder(
          path: folder,
          .index(
            file: index, line: line.number,
            reason: "expected row \(clips.count) with a label 0...11: `\(line.text.prefix(80))`"))
      }
      clips.append(
        PreparedClip(file: nameColumn.map { fields[$0] } ?? "row_\(clips.count)", label: label))
    }
    guard !clips.isEmpty, bytes.count == clips.count * size else {
      throw DatasetError.features(
        file: folder + "/" + name,
        reason: "\(bytes.count) bytes, and \(clips.count) rows of \(size) are listed")
    }
    return (clips, bytes)
  }

  /// `tst_000000_Stop_7.bin, 12, 7` a line.
  private static func separate(_ folder: String) throws -> ([PreparedClip], [UInt8]) {
    var clips: [PreparedClip] = []
    var codes: [UInt8] = []
    for line in try lines(of: folder + "/" + labelsFile) {
      let fields = (CSVText.fields(line.text) ?? []).map { field in
        String(field.drop(while: \.isWhitespace))
      }
      guard fields.count >= 3, let label = label(fields[2]), !fields[0].contains("/"),
        !fields[0].isEmpty
      else {
        throw DatasetError.folder(
          path: folder,
          .index(
            file: labelsFile, line: line.number,
            reason: "expected FILE.bin,12,LABEL: `\(line.text.prefix(80))`"))
      }
      let file = folder + "/" + fields[0]
      let bytes = try Files.read(file, limit: size + 1)
      guard bytes.count == size else {
        throw DatasetError.features(
          file: file, reason: "\(bytes.count) bytes, expected \(size) int8 codes")
      }
      guard codes.count + size <= limit else {
        throw FileError.tooLarge(path: folder, bytes: codes.count + size, limit: limit)
      }
      codes += bytes
      clips.append(PreparedClip(file: fields[0], label: label))
    }
    return (clips, codes)
  }

  private static func label(_ text: String) -> Int32? {
    Int32(text).flatMap { (0..<12).contains($0) ? $0 : nil }
  }

  private static func lines(
    of path: String
  ) throws -> [(number: Int, text: Substring)] {
    let text = String(decoding: try Files.read(path, limit: 64 << 20), as: UTF8.self)
    // A copy of the lines' text outlives this function with them.
    return text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .enumerated().filter { !$0.element.allSatisfy(\.isWhitespace) }
      .map { ($0.offset + 1, $0.element) }
  }
}
