//! Recordings of noise, in memory: what silence is cut from and what is mixed into words. Knows no
//! clip.

import Files

/// A recording longer than a clip.
package struct NoiseRecording: Hashable, Sendable {
  package var path: String
  /// Below the data set's folder.
  package var name: String
  package var samples: [Int16]

  /// The block of prepared noise: one sample a row.
  package static let block = "noise"
  /// Two and a half hours; Speech Commands has seven minutes.
  private static let limit = 1 << 27

  package init(path: String, name: String, samples: [Int16]) {
    self.path = path
    self.name = name
    self.samples = samples
  }

  /// The recordings in a tree's `_background_noise_`, by name; none where there is no such folder.
  package static func all(in root: String) throws -> [NoiseRecording] {
    let folder = root + "/" + WordTree.noiseFolder
    guard Files.isDirectory(folder) else { return [] }
    var count = 0
    return try WordTree.recordings(in: folder).map { name in
      let path = folder + "/" + name
      let samples = try WAVFile.read(path, expectedRate: WordTree.clipLength).int16Samples
      guard samples.count > WordTree.clipLength else {
        throw DatasetError.features(
          file: path, reason: "noise of \(samples.count) samples is no longer than a clip")
      }
      count += samples.count
      guard count <= limit else {
        throw DatasetError.folder(path: root, .tooMuchNoise(samples: count, limit: limit))
      }
      return NoiseRecording(path: path, name: "\(WordTree.noiseFolder)/\(name)", samples: samples)
    }
  }

  /// Prepared noise, read.
  package static func all(in folder: PreparedFolder) throws -> [NoiseRecording] {
    let block = try folder.block(Self.block, .int16, shape: [1])
    guard block.rows <= limit else {
      throw DatasetError.folder(
        path: folder.path, .tooMuchNoise(samples: block.rows, limit: limit))
    }
    return try block.clips.map { clip in
      guard clip.rows > WordTree.clipLength else {
        throw DatasetError.features(
          file: folder.path, reason: "noise of \(clip.rows) samples is no longer than a clip")
      }
      var samples = [Int16](repeating: 0, count: clip.rows)
      try samples.withUnsafeMutableBytes {
        try block.read(rows: clip.firstRow..<clip.firstRow + clip.rows, into: $0)
      }
      return NoiseRecording(path: clip.file, name: clip.file, samples: samples)
    }
  }
}
