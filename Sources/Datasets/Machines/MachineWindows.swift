//! Windows of consecutive frames as examples: MLPerf Tiny's input of anomaly detection. Knows no
//! split and no score.

/// Each window of `frames` consecutive frames of a clip is one example, and its clip its group; the
/// frames are stored once, so windows that overlap share them.
package struct MachineWindows: ExampleSet {
  package let block: PreparedBlock
  /// Frames of a window.
  package let frames: Int
  /// By clip, the number of its first window; one more at the end.
  package let firstWindows: [Int]

  /// - Throws: `DatasetError` where a clip has no window.
  package init(_ folder: PreparedFolder, frames: Int) throws {
    block = try folder.block(MachineSounds.block, .float32)
    self.frames = frames
    var firsts = [0]
    for clip in block.clips {
      guard clip.rows >= frames else {
        throw DatasetError.prepared(
          file: folder.path,
          .badBlock(
            name: MachineSounds.block,
            reason: "\(clip.rows) frames of \(clip.file) hold no window of \(frames)"))
      }
      firsts.append((firsts.last ?? 0) + clip.rows - frames + 1)
    }
    firstWindows = firsts
  }

  package var clips: [PreparedClip] { block.clips }
  package var count: Int { firstWindows.last ?? 0 }
  package var exampleSize: Int { frames * block.block.rowCount }
  package func label(of row: Int) -> Int32 { block.clips[clip(of: row)].label }
  package func group(of row: Int) -> Int32 { Int32(clip(of: row)) }

  /// The windows of a clip.
  package func windows(of clip: Int) -> Range<Int> {
    firstWindows[clip]..<firstWindows[clip + 1]
  }

  private func clip(of row: Int) -> Int {
    // The last clip that begins at or before the window.
    var range = 0..<block.clips.count
    while range.count > 1 {
      let middle = range.lowerBound + range.count / 2
      range = firstWindows[middle] <= row ? middle..<range.upperBound : range.lowerBound..<middle
    }
    return range.lowerBound
  }

  package func makeWriter(_ draw: ExampleDraw) -> any ExampleWriter { Writer(windows: self) }

  private struct Writer: ExampleWriter {
    let windows: MachineWindows

    mutating func write(_ row: Int, to output: UnsafeMutablePointer<Float>) throws {
      let clip = windows.clip(of: row)
      let first = windows.block.clips[clip].firstRow + row - windows.firstWindows[clip]
      try windows.block.read(
        rows: first..<first + windows.frames,
        into: UnsafeMutableRawBufferPointer(
          start: output, count: windows.exampleSize * MemoryLayout<Float>.size))
    }
  }
}
