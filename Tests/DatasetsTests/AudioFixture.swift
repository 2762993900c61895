//! The signals and reference values of Tests/Fixtures/audio, and direct sums to compare with.

import Foundation
import TestSupport

enum AudioFixture {
  static let folder = TestPaths.fixtures + "/audio"

  /// `signal` of make_audio.py.
  static func signal(_ kind: Int, _ count: Int) -> [Int16] {
    (0..<count).map { n in
      let sweep = n * n * 3 % 20011 - 10005
      let noise = (n * 7919 + n * n % 10007 * 104_729) % 65521 - 32760
      let swell = min(n % 8000, 8000 - n % 8000)
      let value =
        switch kind {
        case 0: sweep
        case 1: floored(noise * swell, 4000)
        case 2: n < count / 2 ? floored(sweep, 3) + floored(noise, 9) : 0
        case 3: n == 5000 ? 12000 : 0
        default: n == 100 ? 9000 : -1
        }
      return Int16(value)
    }
  }

  private static func floored(_ a: Int, _ b: Int) -> Int {
    Int((Double(a) / Double(b)).rounded(.down))
  }

  /// A file of float32 values, little endian.
  static func floats(_ path: String) throws -> [Float] {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    return (0..<data.count / 4).map { index in
      let bits = (0..<4).reduce(UInt32(0)) { $0 | UInt32(data[index * 4 + $1]) << (8 * $1) }
      return Float(bitPattern: bits)
    }
  }

  /// Squared magnitudes of a frame's bins, by the definition of the transform.
  static func power(_ frame: [Double], bins: Int, length: Int) -> [Double] {
    (0..<bins).map { bin in
      var (re, im) = (0.0, 0.0)
      for (n, value) in frame.enumerated() {
        let angle = 2 * Double.pi * Double(bin * n % length) / Double(length)
        re += value * cos(angle)
        im -= value * sin(angle)
      }
      return re * re + im * im
    }
  }
}

/// The largest distance between two lists of equal length.
func largestDistance(_ a: [Float], _ b: [Float]) -> Float {
  guard a.count == b.count else { return .infinity }
  return zip(a, b).reduce(0) { max($0, ($1.0 - $1.1).magnitude) }
}
