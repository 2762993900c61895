//! Cepstra against TensorFlow's, direct sums, and the benchmark's own int8 features.

import Datasets
import Foundation
import TestSupport
import Testing

@Suite struct MFCCTests {
  /// A clip from its samples, filled up to a second, to features.
  private func features(_ samples: [Float], _ transform: MFCC) -> [Float] {
    var clip = [Float](repeating: .nan, count: 16_000)
    samples.withUnsafeBufferPointer { MFCC.prepare($0, length: 16_000, to: &clip) }
    var result = [Float](
      repeating: .nan,
      count: transform.frameCount(samples: clip.count) * transform.coefficients)
    clip.withUnsafeBufferPointer {
      transform.write($0, to: &result, scratch: transform.makeScratch())
    }
    return result
  }

  @Test func equalsTensorFlows() throws {
    let expected = try AudioFixture.floats(AudioFixture.folder + "/mfcc.f32")
    let transform = MFCC()
    // Beside the faint constant of the last one stand bins in which there is TensorFlow's rounding
    // alone, 1e-6 and less, but above the 1e-6 that is added.
    for (kind, tolerance) in zip(0..<5, [Float(5e-4), 5e-4, 5e-4, 5e-4, 1e-2]) {
      let samples = AudioFixture.signal(kind, 16_000).map(Float.init)
      let ours = features(samples, transform)
      let theirs = Array(expected[kind * 490..<(kind + 1) * 490])
      let distance = largestDistance(ours, theirs)
      print("MFCC of signal \(kind): largest distance \(distance)")
      #expect(distance < tolerance, "signal \(kind)")
    }
  }

  @Test func bandsAreTensorFlows() throws {
    let rows = MelBands.htk(
      bands: 40, length: 512, sampleRate: 16_000, lowest: 20, highest: 4000)
    let weights = rows.flatMap { $0.filter { $0 != 0 } }
    let expected = try AudioFixture.floats(AudioFixture.folder + "/htk.f32")
    // Its logarithm is off by a last bit here and there, which is 2e-4 mel.
    #expect(largestDistance(weights, expected) <= 1e-5)
  }

  /// The transform, the bands and the cosines by their definitions.
  @Test(arguments: [(320, 160, 20, 13), (480, 320, 40, 10), (500, 250, 33, 33)])
  func equalsDirectSums(_ shape: (window: Int, hop: Int, bins: Int, coefficients: Int)) {
    var parameters = MFCC.Parameters()
    parameters.windowLength = shape.window
    parameters.hop = shape.hop
    parameters.melBins = shape.bins
    parameters.coefficients = shape.coefficients
    let transform = MFCC(parameters)
    var samples = AudioFixture.signal(1, 16_000).map(Float.init)
    let largest = samples.max() ?? 1
    let ours = features(samples, transform)
    samples = samples.map { $0 / largest }
    let rows = MelBands.htk(
      bands: shape.bins, length: 512, sampleRate: 16_000, lowest: 20, highest: 4000)
    for frame in [0, 11, 17] {
      let windowed = (0..<shape.window).map { n in
        Double(samples[frame * shape.hop + n])
          * (0.5 - 0.5 * cos(2 * Double.pi * Double(n) / Double(shape.window)))
      }
      let power = AudioFixture.power(windowed, bins: 257, length: 512)
      let logs = rows.map { row in
        log(zip(row, power).reduce(0) { $0 + Double($1.0) * $1.1.squareRoot() } + 1e-6)
      }
      let expected = (0..<shape.coefficients).map { k in
        let sum = logs.enumerated().reduce(0) { sum, entry in
          let angle = Double.pi * Double(k) * (Double(entry.offset) + 0.5) / Double(shape.bins)
          return sum + entry.element * cos(angle)
        }
        return Float(sum * (2 / Double(shape.bins)).squareRoot())
      }
      let start = frame * shape.coefficients
      let part = Array(ours[start..<start + shape.coefficients])
      #expect(largestDistance(part, expected) < 2e-4, "frame \(frame)")
    }
  }

  @Test func preparesClips() {
    func prepared(_ samples: [Float], _ length: Int) -> [Float] {
      var clip = [Float](repeating: .nan, count: length)
      samples.withUnsafeBufferPointer { MFCC.prepare($0, length: length, to: &clip) }
      return clip
    }
    #expect(prepared([1, -4, 2], 5) == [0.5, -2, 1, 0, 0])
    #expect(prepared([1, -4, 2], 2) == [0.5, -2])
    #expect(prepared([0, 0], 3) == [0, 0, 0])
    #expect(prepared([], 2) == [0, 0])
  }

  @Test func codesWrapOrSaturate() {
    let scale = FeatureCode.scale
    #expect(FeatureCode.encode(0, .wrap) == 83)
    #expect(FeatureCode.encode(-0.9 * scale, .wrap) == 82)
    // Truncation is towards zero on both sides.
    #expect(FeatureCode.encode(-83.9 * scale, .saturate) == 0)
    #expect(FeatureCode.encode(50 * scale, .wrap) == -123)
    #expect(FeatureCode.encode(50 * scale, .saturate) == 127)
    #expect(FeatureCode.encode(-300 * scale, .saturate) == -128)
    #expect(FeatureCode.encode(-300 * scale, .wrap) == 39)
    for value in [Float.infinity, -.infinity, .nan] {
      _ = FeatureCode.encode(value, .wrap)
      _ = FeatureCode.encode(value, .saturate)
    }
    for code in Int8.min...Int8.max {
      let back = FeatureCode.encode(FeatureCode.decode(code) + (code < 0 ? -0.1 : 0.1), .saturate)
      #expect(back == code)
    }
  }

  /// MLPerf Tiny's kws01 from the recordings that it was made of: at least 88 % of its rows, and no
  /// code off by more than 1.
  @Test(.enabled(if: TestPaths.sharedData != nil, "needs ../shared/data"))
  func reproducesTheBenchmarksFeatures() throws {
    let folder = (TestPaths.sharedData ?? "") + "/speech_commands"
    let path = folder + "/mlperf_tiny_kws01/"
    let codes = try Data(contentsOf: URL(fileURLWithPath: path + "kws01_mfcc_1000x49x10.i8"))
    let index = try String(contentsOfFile: path + "kws01_index.csv", encoding: .utf8)
    let rows = index.split(whereSeparator: \.isNewline).dropFirst().map {
      $0.split(separator: ",").map(String.init)
    }
    #expect(rows.count == 1000 && codes.count == 490_000)
    let transform = MFCC()
    var (identical, largest) = (0, 0)
    for (row, fields) in rows.enumerated() {
      let clip = try WAVFile.read(
        folder + "/speech_commands_test_set_v0.02/" + fields[4], expectedRate: 16_000)
      let values = features(clip.samples, transform)
      let distances = values.enumerated().map { place, value in
        let expected = Int8(bitPattern: codes[row * 490 + place])
        return Int(abs(Int(FeatureCode.encode(value, .wrap) &- expected)))
      }
      largest = max(largest, distances.max() ?? 0)
      if distances.allSatisfy({ $0 == 0 }) { identical += 1 }
    }
    print("kws01: \(identical) of 1000 rows identical, largest difference \(largest)")
    #expect(identical >= 980)
    #expect(largest <= 1)
  }
}
