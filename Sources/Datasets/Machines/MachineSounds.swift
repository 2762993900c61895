//! Recordings of machines to prepared log-mel frames. Knows no windows of frames and no split.

import Files

/// How recordings become frames.
package struct MachineSounds: Sendable {
  /// The block of frames, (mel bins) a row.
  package static let block = "frames"
  package static let sampleRate = 16_000

  private let spectrogram: LogMelSpectrogram
  /// Frames of a clip that are kept, as far as it has them.
  private let kept: Range<Int>
  /// A clip with fewer is refused.
  private let least: Int

  package init(_ parameters: LogMelSpectrogram.Parameters, keeping kept: Range<Int>, least: Int) {
    spectrogram = LogMelSpectrogram(parameters)
    self.kept = kept
    self.least = least
  }

  package var bands: Int { spectrogram.bands }

  /// What one thread makes frames with: samples and the recording's name to rows.
  package func makeTransform() -> ([Float], _ name: String) throws -> PreparedRows {
    let scratch = spectrogram.makeScratch()
    return { samples, name in
      let all = 0..<spectrogram.frameCount(samples: samples.count)
      let frames = kept.clamped(to: all)
      guard frames.count >= least else {
        throw DatasetError.features(
          file: name,
          reason: "too short: it has \(all.count) frames, \(kept.lowerBound + least) are needed")
      }
      let values = [Float](unsafeUninitializedCapacity: frames.count * bands) { target, count in
        if let base = target.baseAddress {
          samples.withUnsafeBufferPointer {
            spectrogram.write($0, frames: frames, to: base, scratch: scratch)
          }
        }
        count = frames.count * bands
      }
      return PreparedRows(floats: values, rows: frames.count)
    }
  }

  /// Ready-made frames: float32, little endian, (frames, mel bins).
  package func frames(of recording: MachineRecording) throws -> PreparedRows {
    let bytes = try Files.read(recording.path, limit: 64 << 20)
    let row = bands * 4
    let rows = bytes.count / row
    guard bytes.count.isMultiple(of: row), rows >= least else {
      throw DatasetError.features(
        file: recording.path,
        reason:
          "no ready-made features: \(bytes.count) bytes are no \(least) or more frames of \(bands) float32 numbers"
      )
    }
    let isFinite = bytes.withUnsafeBytes { raw in
      (0..<rows * bands).allSatisfy {
        raw.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self).isFinite
      }
    }
    guard isFinite else {
      throw DatasetError.features(
        file: recording.path,
        reason: "no ready-made features: a number in it is infinite or no number")
    }
    return PreparedRows(bytes: bytes, rows: rows)
  }
}
