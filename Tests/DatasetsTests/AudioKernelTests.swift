//! The loops for sound give the same bits with every instruction set.

import CKernels
import Glibc
import Tensors
import TestSupport
import Testing

@Suite struct AudioKernelTests {
  private static let suffixes = ["default", "avx2", "avx512f"]

  /// Runs what this processor can, and compares with what the loader chose.
  private func compare<Function>(
    _ name: String, _ chosen: Function, _ clones: [Function], _ run: (Function) -> [Float]
  ) {
    let expected = run(chosen)
    #expect(expected.allSatisfy { $0.isFinite })
    for (level, clone) in clones.enumerated() where shiftwork_runs(Int32(level)) != 0 {
      #expect(run(clone) == expected, "\(name) with \(Self.suffixes[level])")
    }
  }

  /// Any tables do: what is asked for is equal bits.
  @Test(arguments: [32, 64, 256, 512, 1024, 2048]) func spectra(_ length: Int) {
    let window = Buffer(hashed(length - length / 8 + 1, stream: 1).map(Double.init))
    let twiddles = Buffer(hashed(6 * length, stream: 2).map(Double.init))
    let split = Buffer(hashed(length / 2 + 2, stream: 3).map(Double.init))
    let radix = (length / 2).trailingZeroBitCount.isMultiple(of: 2) ? 4 : 8
    let places = Buffer<UInt32>((0..<length / 2 / radix).map { UInt32($0 * radix) })
    var tables = ck_fourier(
      length: length, window_length: window.count, window: window.pointer, places: places.pointer,
      twiddles: twiddles.pointer, split: split.pointer)
    let samples = Storage(hashed(length + 8, stream: 4))
    let frames: [UnsafePointer<Float>?] = (0..<8).map { UnsafePointer(samples.pointer + $0) }
    let bins = length / 2 + 1
    compare(
      "spectra of \(length)", ck_spectra,
      [ck_spectra_default, ck_spectra_avx2, ck_spectra_avx512f]
    ) { function in
      let work = Buffer<Double>(count: length * 4)
      let spectra = Storage(count: bins * 8)
      return [Int32(0), 1].flatMap { squared in
        function(&tables, frames, bins, squared, work.pointer, spectra.pointer)
        return spectra.values
      }
    }
  }

  @Test func sumsLogarithmsAndProducts() {
    let first = Buffer<UInt32>([1, 3, 0])
    let end = Buffer<UInt32>([4, 4, 4])
    let weights = Storage(hashed(8, stream: 8))
    var tables = ck_bands(
      count: 3, first: first.pointer, end: end.pointer, weights: weights.pointer)
    let spectra = Storage(hashed(32, stream: 3))
    let sums = Storage(count: 24)
    compare(
      "sums", ck_band_sums, [ck_band_sums_default, ck_band_sums_avx2, ck_band_sums_avx512f]
    ) { function in
      function(&tables, spectra.pointer, sums.pointer)
      return sums.values
    }
    compare(
      "logarithms", ck_logarithms,
      [ck_logarithms_default, ck_logarithms_avx2, ck_logarithms_avx512f]
    ) { function in
      var values = hashed(1000, stream: 4).map { $0 * $0 * $0 * $0 * 1e4 }
      function(&values, values.count, 1e-6, 3)
      return values
    }
    let matrix = hashed(6, stream: 5).map(Double.init)
    let products = Storage(count: 16)
    compare(
      "products", ck_frame_products,
      [ck_frame_products_default, ck_frame_products_avx2, ck_frame_products_avx512f]
    ) { function in
      function(matrix, 2, 3, sums.pointer, products.pointer)
      return products.values
    }
    let values = Storage(hashed(88, stream: 6))
    compare(
      "rows", ck_store_frames,
      [ck_store_frames_default, ck_store_frames_avx2, ck_store_frames_avx512f]
    ) { function in
      var rows = [Float](repeating: 0, count: 7 * 12)
      function(values.pointer, 11, 7, &rows, 12)
      for frame in 0..<7 {
        #expect((0..<11).allSatisfy { rows[frame * 12 + $0] == values.pointer[$0 * 8 + frame] })
      }
      return rows
    }
  }

  /// Within one unit of the last place of the largest result's size.
  @Test func logarithmsAreTheCLibrarys() {
    let values = (0..<4000).map {
      Float(sign: .plus, exponent: $0 % 60 - 40, significand: 1 + Float($0) / 4000)
    }
    var ours = values
    ck_logarithms(&ours, ours.count, 0, 1)
    for (value, result) in zip(values, ours) {
      let exact = reference(value)
      #expect((Double(result) - exact).magnitude <= 1.2e-7 * max(exact.magnitude, 0.5))
    }
  }
}

private func reference(_ value: Float) -> Double { log(Double(value)) }
