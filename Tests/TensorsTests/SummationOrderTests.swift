//! Sums that decide codes, bit for bit against TensorFlow's.

import CKernels
import Records
import Tensors
import TestSupport
import Testing

/// Without AVX2 there are no fused multiply-adds, and oneDNN's products round otherwise.
@Suite(.enabled(if: shiftwork_runs(1) != 0, "the processor has no AVX2"))
struct SummationOrderTests {
  /// Made by make_order.py with seed 1.
  private static let path = TestPaths.fixtures + "/golden/order.h5"

  /// Depths in one slice and in several, of whole and of halved blocks; columns with a narrow rest,
  /// without one, and nothing but it.
  @Test(arguments: [(96, 24), (144, 40), (320, 16), (384, 32), (576, 24), (640, 16), (960, 8)])
  func pointwise(depth: Int, columns: Int) throws {
    let geometry = ConvolutionGeometry(
      batch: 2, input: (3, 2, depth), output: (3, 2, columns), kernel: (1, 1), stride: (1, 1),
      padding: (0, 0, 0, 0), isDepthwise: false)
    try expectTensorFlows("pointwise_\(depth)_\(columns)", geometry)
  }

  @Test(arguments: [3, 5], [1, 2]) func depthwise(kernel: Int, stride: Int) throws {
    func same(_ extent: Int) -> (output: Int, before: Int, after: Int) {
      let output = (extent + stride - 1) / stride
      let total = max((output - 1) * stride + kernel - extent, 0)
      return (output, total / 2, total - total / 2)
    }
    let (rows, columns) = (same(7), same(6))
    func geometry(_ channels: Int) -> ConvolutionGeometry {
      ConvolutionGeometry(
        batch: 2, input: (7, 6, channels), output: (rows.output, columns.output, channels),
        kernel: (kernel, kernel), stride: (stride, stride),
        padding: (rows.before, columns.before, rows.after, columns.after), isDepthwise: true)
    }
    let name = "depthwise_\(kernel)_\(stride)"
    try expectTensorFlows(name, geometry(27))
    // With channels more, which fill whole vectors, a kernel slides.
    for channels in [32, 40] {
      let wide = try output(of: geometry(channels), channels: 27)
      let expected = try HDF5File(reading: Self.path).tensor(name).values
      #expect(narrowed(wide, from: channels, to: 27) == expected)
    }
  }

  /// Rows of `channels` values of which the first `used` are hashed, the rest 0.
  private func padded(_ count: Int, stream: UInt32, _ channels: Int, _ used: Int) -> Storage {
    let values = hashed(count / channels * used, stream: stream)
    return Storage(
      (0..<count).map { index in
        index % channels < used ? values[index / channels * used + index % channels] : 0
      })
  }

  private func narrowed(_ values: [Float], from channels: Int, to used: Int) -> [Float] {
    values.enumerated().filter { $0.offset % channels < used }.map(\.element)
  }

  private func output(of geometry: ConvolutionGeometry, channels used: Int) throws -> [Float] {
    let channels = geometry.inputChannels
    let input = padded(geometry.inputCount, stream: 1, channels, used)
    let kernel = padded(geometry.kernelCount, stream: 2, channels, used)
    let bias = padded(channels, stream: 3, channels, used)
    let output = Storage(count: geometry.outputCount)
    let convolution = try Convolution(
      .forward, geometry, on: OneDNN(), input: input.pointer, kernel: kernel.pointer,
      bias: bias.pointer, output: output.pointer)
    convolution.loadKernel()
    convolution.execute()
    return output.values
  }

  private func expectTensorFlows(_ name: String, _ geometry: ConvolutionGeometry) throws {
    let input = Storage(hashed(geometry.inputCount, stream: 1))
    let kernel = Storage(hashed(geometry.kernelCount, stream: 2))
    let bias = Storage(hashed(geometry.outputChannels, stream: 3))
    let output = Storage(count: geometry.outputCount)
    let convolution = try Convolution(
      .forward, geometry, on: OneDNN(), input: input.pointer, kernel: kernel.pointer,
      bias: bias.pointer, output: output.pointer)
    convolution.loadKernel()
    convolution.execute()
    #expect(output.values == (try HDF5File(reading: Self.path).tensor(name).values))
  }

  @Test(arguments: [(9, 24), (73, 27), (288, 72), (1153, 40)])
  func moments(rows: Int, channels: Int) throws {
    let file = try HDF5File(reading: Self.path)
    let x = Storage(hashed(rows * channels, stream: 1))
    let bias = Storage(hashed(channels, stream: 3))
    let (mean, variance) = (Storage(count: channels), Storage(count: channels))
    let (fusedMean, fusedVariance) = (Storage(count: channels), Storage(count: channels))
    let scratch = Storage(count: 8 * channels)
    var moments = ck_moments(
      x: x.pointer, bias: bias.pointer, rows: rows, channels: channels, mean: mean.pointer,
      variance: variance.pointer, fused_mean: fusedMean.pointer,
      fused_variance: fusedVariance.pointer, scratch: scratch.pointer)
    ck_channel_moments(&moments)
    for (name, actual) in [
      ("mean", mean), ("variance", variance), ("fused_mean", fusedMean),
      ("fused_variance", fusedVariance),
    ] {
      let expected = try file.tensor("moments_\(rows)_\(channels)/\(name)").values
      #expect(actual.values == expected, "\(name)")
    }
    // Threads hand one sum on from share to share of the rows.
    let usual = ck_threads()
    defer { OneDNN.use(threads: usual) }
    let all = [mean, variance, fusedMean, fusedVariance]
    let before = all.map(\.values)
    for threads in [1, 2, 3, 5] {
      OneDNN.use(threads: threads)
      ck_channel_moments(&moments)
      #expect(all.map(\.values) == before, "\(threads) threads")
    }
    let (plainMean, plainVariance) = (mean.values, variance.values)
    (moments.fused_mean, moments.fused_variance) = (nil, nil)
    ck_channel_moments(&moments)
    #expect(mean.values == plainMean && variance.values == plainVariance)
  }
}
