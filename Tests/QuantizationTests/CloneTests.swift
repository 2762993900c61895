//! Every instruction set's version of a kernel gives the same bits, in place too.

import CKernels
import Testing

/// Deterministic values between -1 and 1, cubed for a heavy middle.
func sampleValues(_ count: Int, seed: UInt32 = 1) -> [Float] {
  (0..<count).map { index in
    var hash = UInt32(truncatingIfNeeded: index) &* 0x9E37_79B9 &+ seed &* 0x85EB_CA6B
    hash ^= hash >> 16
    hash &*= 0x85EB_CA6B
    hash ^= hash >> 13
    hash &*= 0xC2B2_AE35
    hash ^= hash >> 16
    let value = Float(hash) / 2_147_483_648 - 1
    return value * value * value
  }
}

private typealias Kernel =
  @Sendable (
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ rows: Int, _ channels: Int,
    _ scales: UnsafeMutablePointer<Float>
  ) -> Void

/// One kernel with fixed parameters: as the loader chose it, then default, avx2, avx512f.
private struct Clones: CustomTestStringConvertible, Sendable {
  var testDescription: String
  var kernels: [Kernel]

  init<Function>(_ name: String, _ functions: [Function], _ call: (Function) -> Kernel) {
    testDescription = name
    kernels = functions.map(call)
  }
}

private let allClones: [Clones] = [
  Clones(
    "fixed",
    [
      shiftwork_fixed, shiftwork_fixed_default, shiftwork_fixed_avx2, shiftwork_fixed_avx512f,
    ]
  ) { f in { x, y, rows, channels, _ in f(x, y, rows * channels, 37, -100, 99, 1 / 37, 0.75) } },
  Clones(
    "binary",
    [
      shiftwork_binary, shiftwork_binary_default, shiftwork_binary_avx2, shiftwork_binary_avx512f,
    ]
  ) { f in { x, y, rows, channels, _ in f(x, y, rows * channels, -0.3, 0.3, 1) } },
  Clones(
    "auto by channel",
    [
      shiftwork_auto, shiftwork_auto_default, shiftwork_auto_avx2, shiftwork_auto_avx512f,
    ]
  ) { f in { x, y, rows, channels, scales in f(x, y, rows, channels, 0, 127, 1, scales) } },
  Clones(
    "auto by tensor",
    [
      shiftwork_auto, shiftwork_auto_default, shiftwork_auto_avx2, shiftwork_auto_avx512f,
    ]
  ) { f in { x, y, rows, channels, scales in f(x, y, rows, channels, 1, 127, 0.5, scales) } },
  Clones(
    "auto_po2 by channel",
    [
      shiftwork_auto_po2, shiftwork_auto_po2_default, shiftwork_auto_po2_avx2,
      shiftwork_auto_po2_avx512f,
    ]
  ) { f in { x, y, rows, channels, scales in f(x, y, rows, channels, 0, 4, 7, 1, scales) } },
  Clones(
    "auto_po2 by tensor",
    [
      shiftwork_auto_po2, shiftwork_auto_po2_default, shiftwork_auto_po2_avx2,
      shiftwork_auto_po2_avx512f,
    ]
  ) { f in { x, y, rows, channels, scales in f(x, y, rows, channels, 1, 4, 127, 1, scales) } },
  Clones(
    "auto_po2 by element",
    [
      shiftwork_auto_po2, shiftwork_auto_po2_default, shiftwork_auto_po2_avx2,
      shiftwork_auto_po2_avx512f,
    ]
  ) { f in { x, y, rows, channels, scales in f(x, y, rows, channels, 2, 16, 32_767, 1, scales) } },
  Clones(
    "best_po2 by channel",
    [
      shiftwork_best_po2, shiftwork_best_po2_default, shiftwork_best_po2_avx2,
      shiftwork_best_po2_avx512f,
    ]
  ) { f in { x, y, rows, channels, scales in f(x, y, rows, channels, 0, -7, 7, 1, scales) } },
  Clones(
    "best_po2 by tensor",
    [
      shiftwork_best_po2, shiftwork_best_po2_default, shiftwork_best_po2_avx2,
      shiftwork_best_po2_avx512f,
    ]
  ) { f in { x, y, rows, channels, scales in f(x, y, rows, channels, 1, -127, 127, 1, scales) } },
  Clones(
    "map auto",
    [
      shiftwork_map, shiftwork_map_default, shiftwork_map_avx2, shiftwork_map_avx512f,
    ]
  ) { f in { x, y, rows, channels, scales in f(x, y, rows * channels, 127, 0, 1, scales) } },
  Clones(
    "map auto_po2",
    [
      shiftwork_map, shiftwork_map_default, shiftwork_map_avx2, shiftwork_map_avx512f,
    ]
  ) { f in { x, y, rows, channels, scales in f(x, y, rows * channels, 32_767, 1, 0.5, scales) } },
]

@Suite struct CloneTests {
  @Test(arguments: allClones)
  private func instructionSetsAgreeBitForBit(clones: Clones) {
    for (rows, channels) in [(9, 70), (1, 1), (300, 5), (64, 64), (131, 33)] {
      // Halves of codes are where a fused multiply-add would show.
      var x = sampleValues(rows * channels, seed: UInt32(rows))
      for index in stride(from: 0, to: x.count, by: 7) {
        x[index] = Float(index % 50) / 100 - 0.245
      }
      func run(_ kernel: Kernel, inPlace: Bool) -> [UInt32] {
        var y = inPlace ? x : [Float](repeating: -1, count: x.count)
        var scales = [Float](repeating: 0, count: x.count + 2)
        if inPlace {
          y.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            kernel(start, start, rows, channels, &scales)
          }
        } else {
          kernel(x, &y, rows, channels, &scales)
        }
        return (y + scales).map(\.bitPattern)
      }
      let expected = run(clones.kernels[1], inPlace: false)
      #expect(run(clones.kernels[0], inPlace: false) == expected)
      #expect(run(clones.kernels[0], inPlace: true) == expected)
      for level in [0, 1, 2] where shiftwork_runs(Int32(level)) == 1 {
        let kernel = clones.kernels[level + 1]
        #expect(run(kernel, inPlace: false) == expected, "level \(level)")
        #expect(run(kernel, inPlace: true) == expected, "level \(level) in place")
      }
    }
  }
}
