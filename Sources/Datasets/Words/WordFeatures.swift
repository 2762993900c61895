//! Clips of words to features: read, cut or filled up, divided by their largest sample, transformed.
//! Knows no folder and no noise.

import Files

/// How a clip becomes features.
package struct WordFeatures: Sendable {
  package let mfcc: MFCC

  package init(_ parameters: MFCC.Parameters) { mfcc = MFCC(parameters) }

  package var shape: [Int] {
    [mfcc.frameCount(samples: WordTree.clipLength), mfcc.coefficients, 1]
  }

  /// What one thread makes features with: 16-bit samples of any length to one row.
  package func makeTransform() -> ([Int16]) -> PreparedRows {
    let scratch = mfcc.makeScratch()
    let size = shape.reduce(1, *)
    return { samples in
      let floats = samples.map { Float($0) * 0x1p-15 }
      let clip = [Float](unsafeUninitializedCapacity: WordTree.clipLength) { clip, count in
        floats.withUnsafeBufferPointer { floats in
          guard let base = clip.baseAddress else { return }
          MFCC.prepare(floats, length: WordTree.clipLength, to: base)
        }
        count = WordTree.clipLength
      }
      let features = [Float](unsafeUninitializedCapacity: size) { features, count in
        if let base = features.baseAddress {
          clip.withUnsafeBufferPointer { mfcc.write($0, to: base, scratch: scratch) }
        }
        count = size
      }
      return PreparedRows(floats: features)
    }
  }
}

extension WordClip {
  /// The clip's samples, at most a second.
  ///
  /// - Parameter noise: what silence is cut from.
  package func samples(noise: [NoiseRecording]) throws -> [Int16] {
    if let offset, let recording = noise.first(where: { $0.path == path }) {
      return Array(recording.samples[offset..<offset + WordTree.clipLength])
    }
    let clip = try WAVFile.read(path, expectedRate: WordTree.clipLength)
    return Array(clip.int16Samples.prefix(WordTree.clipLength))
  }

  package var prepared: PreparedClip { PreparedClip(file: name, label: label) }
}
