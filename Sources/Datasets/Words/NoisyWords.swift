//! Clips of words as examples that are never heard twice the same: noise is mixed into the samples,
//! then the features are made. Knows no folder of recordings.

internal import CKernels
import Tensors

/// How noise is mixed in.
package struct NoiseMixing: Hashable, Sendable {
  /// Share of the clips that get any.
  package var probability: Double
  /// Volumes are uniform in 0...volumeMax.
  package var volumeMax: Double
  /// One draw for all clips and epochs, as MLPerf Tiny's script comes to, instead of one for each.
  package var isDrawnOnce: Bool

  package init(probability: Double, volumeMax: Double, isDrawnOnce: Bool) {
    self.probability = probability
    self.volumeMax = volumeMax
    self.isDrawnOnce = isDrawnOnce
  }
}

/// Prepared clips of one second, 16 bits.
package struct NoisyWords: ExampleSet {
  /// The block of clips, (samples) a row.
  package static let block = "clips"

  private let block: PreparedBlock
  private let features: WordFeatures
  private let mixing: NoiseMixing?
  private let noise: [NoiseRecording]

  /// - Parameter mixing: nil leaves the clips as they are.
  package init(
    _ folder: PreparedFolder, features: WordFeatures, mixing: NoiseMixing?
  ) throws {
    block = try folder.block(Self.block, .int16, shape: [WordTree.clipLength])
    noise = mixing == nil ? [] : try NoiseRecording.all(in: folder)
    if mixing != nil, noise.isEmpty {
      throw DatasetError.folder(path: folder.path, .noNoise)
    }
    self.features = features
    self.mixing = mixing
  }

  package var count: Int { block.rows }
  package var exampleSize: Int { features.shape.reduce(1, *) }
  package func label(of row: Int) -> Int32 { block.clips[row].label }

  package func makeWriter(_ draw: ExampleDraw) -> any ExampleWriter {
    Writer(words: self, draw: draw)
  }

  /// Where the noise of a clip begins, and how loud it is.
  struct NoiseDraw: Hashable {
    var recording: Int
    var offset: Int
    /// 0 where the clip gets none.
    var volume: Float
  }

  /// All four numbers are drawn whatever they come to, so that the probability decides nothing else.
  func noise(of row: Int, _ draw: ExampleDraw) -> NoiseDraw? {
    guard draw.augments, let mixing else { return nil }
    var random =
      mixing.isDrawnOnce
      ? SeededGenerator(seed: draw.seed, RandomPurpose.noise, .max)
      : SeededGenerator(seed: draw.seed, RandomPurpose.noise, UInt64(draw.epoch), UInt64(row))
    let recording = random.integer(below: noise.count)
    let offset = random.integer(below: noise[recording].samples.count - WordTree.clipLength)
    let isMixed = random.uniformDouble() < mixing.probability
    let volume = random.uniformDouble() * mixing.volumeMax
    return NoiseDraw(recording: recording, offset: offset, volume: isMixed ? Float(volume) : 0)
  }

  private final class Writer: ExampleWriter {
    private let words: NoisyWords
    private let draw: ExampleDraw
    private let scratch: AudioScratch
    private let samples = Buffer<Int16>(count: WordTree.clipLength)
    private let floats = Storage(count: WordTree.clipLength)
    private let clip = Storage(count: WordTree.clipLength)

    init(words: NoisyWords, draw: ExampleDraw) {
      self.words = words
      self.draw = draw
      scratch = words.features.mfcc.makeScratch()
    }

    func write(_ row: Int, to output: UnsafeMutablePointer<Float>) throws {
      let length = WordTree.clipLength
      try words.block.read(
        rows: row..<row + 1,
        into: UnsafeMutableRawBufferPointer(
          start: samples.pointer, count: length * MemoryLayout<Int16>.size))
      ck_samples(samples.pointer, floats.pointer, length)
      MFCC.prepare(
        UnsafeBufferPointer(start: floats.pointer, count: length), length: length,
        to: clip.pointer)
      if let noise = words.noise(of: row, draw), noise.volume > 0 { mix(noise) }
      words.features.mfcc.write(
        UnsafeBufferPointer(start: clip.pointer, count: length), to: output, scratch: scratch)
    }

    /// In float32, clipped as the original clips it.
    private func mix(_ noise: NoiseDraw) {
      let length = WordTree.clipLength
      let clip = clip.pointer
      let sound = floats.pointer
      words.noise[noise.recording].samples.withUnsafeBufferPointer { samples in
        guard let base = samples.baseAddress else { return }
        ck_samples(base + noise.offset, sound, length)
      }
      for index in 0..<length {
        let sum = sound[index] * noise.volume + clip[index]
        let low = sum < -1 ? -1 : sum
        clip[index] = low > 1 ? 1 : low
      }
    }
  }
}
