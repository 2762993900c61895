//! Triangles over a spectrum's bins, equally far apart in mel: Slaney's as librosa has them, HTK's as
//! TensorFlow has them. Knows no transform.

internal import CKernels
import Glibc
internal import Tensors

/// What `ck_band_sums` wants, never changed.
package final class MelBands: @unchecked Sendable {
  let count: Int
  /// Bins that any band looks at: 0..<bins.
  let bins: Int
  /// Points at the buffers below.
  let tables: ck_bands
  private let first: Buffer<UInt32>
  private let end: Buffer<UInt32>
  private let weights: Storage

  /// Bands of a dense matrix, one row a band; what lies outside a row's first and last weight that
  /// is not 0 is left out.
  init(rows: [[Float]]) {
    count = rows.count
    let ranges = rows.map { row in
      let first = row.firstIndex { $0 != 0 } ?? 0
      return first..<(row.lastIndex { $0 != 0 } ?? first - 1) + 1
    }
    bins = ranges.map(\.upperBound).max() ?? 0
    first = Buffer(ranges.map { UInt32($0.lowerBound) })
    end = Buffer(ranges.map { UInt32($0.upperBound) })
    weights = Storage(zip(rows, ranges).flatMap { $0[$1] })
    tables = ck_bands(
      count: count, first: first.pointer, end: end.pointer, weights: weights.pointer)
  }

  /// librosa's `filters.mel` (0.6 and later, `htk=False`, `norm` its default): triangles linear in
  /// Hz between points equally far apart in Slaney's mel, each divided by half its width.
  ///
  /// - Returns: (bands, length / 2 + 1).
  package static func slaney(
    bands: Int, length: Int, sampleRate: Int, lowest: Double, highest: Double
  ) -> [[Float]] {
    let low = slaneyMel(lowest)
    let step = (slaneyMel(highest) - low) / Double(bands + 1)
    let edges = (0..<bands + 2).map { slaneyHertz(low + step * Double($0)) }
    return (0..<bands).map { band in
      let (lower, centre, upper) = (edges[band], edges[band + 1], edges[band + 2])
      return (0...length / 2).map { bin in
        let hertz = Double(sampleRate) * Double(bin) / Double(length)
        let weight = max(
          0, min((hertz - lower) / (centre - lower), (upper - hertz) / (upper - centre)))
        // Rounded twice, as there.
        return Float(Double(Float(weight)) * (2 / (upper - lower)))
      }
    }
  }

  /// TensorFlow's `signal.linear_to_mel_weight_matrix`: triangles linear in HTK's mel, in float32 in
  /// its order; bin 0 has no weight.
  ///
  /// - Returns: (bands, length / 2 + 1).
  package static func htk(
    bands: Int, length: Int, sampleRate: Int, lowest: Float, highest: Float
  ) -> [[Float]] {
    let bins = length / 2
    let step = Float(sampleRate) / 2 / Float(bins)
    let mels = (0...bins).map { bin in
      htkMel(bin == bins ? Float(sampleRate) / 2 : step * Float(bin))
    }
    let (low, high) = (htkMel(lowest), htkMel(highest))
    let distance = (high - low) / Float(bands + 1)
    let edges = (0..<bands + 2).map { $0 == bands + 1 ? high : low + distance * Float($0) }
    return (0..<bands).map { band in
      let (lower, centre, upper) = (edges[band], edges[band + 1], edges[band + 2])
      return mels.enumerated().map { bin, mel in
        bin == 0
          ? 0 : max(0, min((mel - lower) / (centre - lower), (upper - mel) / (upper - centre)))
      }
    }
  }

  private static func htkMel(_ hertz: Float) -> Float {
    1127 * Float(log(Double(1 + hertz / 700)))
  }

  /// 15 mel a kHz up to 1 kHz, then 27 mel for each factor of 6.4.
  private static func slaneyMel(_ hertz: Double) -> Double {
    hertz < 1000 ? hertz * 3 / 200 : 15 + 27 * log(hertz / 1000) / log(6.4)
  }

  private static func slaneyHertz(_ mel: Double) -> Double {
    mel < 15 ? mel * 200 / 3 : 1000 * exp((mel - 15) * log(6.4) / 27)
  }
}
