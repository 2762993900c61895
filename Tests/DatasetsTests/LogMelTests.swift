//! Log-mel spectrograms against librosa's, direct sums, and the benchmark's own features.

import Datasets
import Foundation
import TestSupport
import Testing

@Suite struct LogMelTests {
  private func spectrogram(
    _ samples: [Float], _ transform: LogMelSpectrogram, frames: Range<Int>? = nil
  ) -> [Float] {
    let count = frames?.count ?? transform.frameCount(samples: samples.count)
    var result = [Float](repeating: .nan, count: count * transform.bands)
    samples.withUnsafeBufferPointer {
      transform.write($0, frames: frames, to: &result, scratch: transform.makeScratch())
    }
    return result
  }

  private func padded(_ padding: LogMelSpectrogram.Padding) -> LogMelSpectrogram {
    var parameters = LogMelSpectrogram.Parameters()
    parameters.padding = padding
    return LogMelSpectrogram(parameters)
  }

  @Test func equalsLibrosas() throws {
    let expected = try AudioFixture.floats(AudioFixture.folder + "/logmel.f32")
    var offset = 0
    for padding in [LogMelSpectrogram.Padding.reflect, .constant] {
      for (kind, count) in [(0, 5000), (1, 3001), (3, 5200)] {
        let samples = AudioFixture.signal(kind, count).map { Float($0) / 32768 }
        let ours = spectrogram(samples, padded(padding))
        let theirs = Array(expected[offset..<offset + ours.count])
        offset += ours.count
        #expect(largestDistance(ours, theirs) < 1e-4, "signal \(kind), \(padding)")
      }
    }
    #expect(offset == expected.count)
  }

  @Test func bandsAreLibrosas() throws {
    let rows = MelBands.slaney(
      bands: 128, length: 1024, sampleRate: 16_000, lowest: 0, highest: 8000)
    let weights = rows.flatMap { $0.filter { $0 != 0 } }
    let expected = try AudioFixture.floats(AudioFixture.folder + "/slaney.f32")
    #expect(largestDistance(weights, expected) <= 1e-8)
  }

  /// The transform by its definition, dense bands, and the C library's logarithm.
  @Test(arguments: [256, 512, 1024, 2048]) func equalsDirectSums(_ length: Int) {
    var parameters = LogMelSpectrogram.Parameters()
    parameters.length = length
    parameters.hop = length / 4
    parameters.bands = 20
    let transform = LogMelSpectrogram(parameters)
    let samples = AudioFixture.signal(1, 4 * length).map { Float($0) / 32768 }
    let ours = spectrogram(samples, transform, frames: 3..<5)
    let rows = MelBands.slaney(
      bands: 20, length: length, sampleRate: 16_000, lowest: 0, highest: 8000)
    var expected: [Float] = []
    for frame in 3..<5 {
      let start = frame * length / 4 - length / 2
      let windowed = (0..<length).map { n in
        Double(samples[start + n]) * (0.5 - 0.5 * cos(2 * Double.pi * Double(n) / Double(length)))
      }
      let power = AudioFixture.power(windowed, bins: length / 2 + 1, length: length)
      for row in rows {
        let sum = zip(row, power).reduce(0) { $0 + Double($1.0) * $1.1 }
        expected.append(Float(10 * log10(sum + 0x1p-52)))
      }
    }
    #expect(largestDistance(ours, expected) < 1e-4)
  }

  /// A frame does not depend on which frames are computed with it.
  @Test func framesStandAlone() {
    let transform = LogMelSpectrogram()
    let samples = AudioFixture.signal(1, 20_000).map { Float($0) / 32768 }
    let all = spectrogram(samples, transform)
    for frames in [0..<1, 3..<14, 30..<40, 39..<40] {
      let part = spectrogram(samples, transform, frames: frames)
      #expect(part == Array(all[frames.lowerBound * 128..<frames.upperBound * 128]))
    }
  }

  @Test func shortRecordingsAndSilence() {
    for padding in [LogMelSpectrogram.Padding.reflect, .constant] {
      let transform = padded(padding)
      #expect(transform.frameCount(samples: 0) == 0)
      #expect(spectrogram([], transform) == [])
      for count in [1, 2, 300, 511, 512, 513] {
        let values = spectrogram(AudioFixture.signal(0, count).map { Float($0) / 32768 }, transform)
        #expect(values.count == 128 * (1 + count / 512))
        #expect(values.allSatisfy { $0.isFinite })
      }
    }
    // 10 log10 of the epsilon.
    let silence = spectrogram([Float](repeating: 0, count: 600), padded(.constant))
    #expect(silence.allSatisfy { ($0 + 156.5356).magnitude < 1e-3 })
  }

  /// MLPerf Tiny's own features of two recordings.
  @Test(.enabled(if: TestPaths.sharedData != nil, "needs ../shared/data"))
  func equalsTheBenchmarksFeatures() throws {
    let folder = (TestPaths.sharedData ?? "") + "/toyadmos/ToyCar"
    for name in ["normal_id_01_00000000", "anomaly_id_01_00000000"] {
      let clip = try WAVFile.read("\(folder)/test/\(name).wav", expectedRate: 16_000)
      let ours = spectrogram(
        clip.samples, LogMelSpectrogram(), frames: LogMelSpectrogram.benchmarkFrames)
      let theirs = try AudioFixture.floats("\(folder)/ad01_features/\(name)_hist_librosa.bin")
      let distance = largestDistance(ours, theirs)
      print("log-mel of \(name): largest distance \(distance)")
      #expect(distance < 1e-4)
    }
  }
}
