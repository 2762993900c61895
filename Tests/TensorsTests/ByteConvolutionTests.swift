//! Convolutions in whole numbers against their naive twins: the very same numbers.

import Tensors
import TestSupport
import Testing

@Suite struct ByteConvolutionTests {
  /// More rows and columns than one tile, one unit and one block hold, beside the convolutions' own.
  private static let geometries =
    ConvolutionTests.geometries.filter(ByteConvolution.suits) + [
      pointwise(extent: 40, channels: 64, filters: 72),
      pointwise(extent: 3, channels: 301, filters: 130),
      ConvolutionGeometry(
        batch: 2, input: (10, 33, 12), output: (10, 33, 33), kernel: (5, 5), stride: (1, 1),
        padding: (2, 2, 2, 2), isDepthwise: false),
    ]

  private static func pointwise(extent: Int, channels: Int, filters: Int) -> ConvolutionGeometry {
    ConvolutionGeometry(
      batch: 3, input: (extent, extent, channels), output: (extent, extent, filters),
      kernel: (1, 1), stride: (1, 1), padding: (0, 0, 0, 0), isDepthwise: false)
  }

  @Test(arguments: [(3, 13, 5), (20, 125, 64), (17, 50, 33), (40, 1, 24), (2, 9, 160)])
  func productsWithItselfAreTheSums(samples: Int, positions: Int, channels: Int) throws {
    let (count, perSample) = (samples * positions * channels, positions * channels)
    let grids = (0..<samples).map {
      (step: Float([0.5, 0x1p-9, 4][$0 % 3]), zero: Float($0 % 255 - 127))
    }
    let input = Storage(Self.codes(count, stream: 1, limit: 127))
    for index in 0..<count {
      let grid = grids[index / perSample]
      input.pointer[index] = grid.step * (input.pointer[index] - grid.zero)
    }
    let grid = Storage(grids.flatMap { [$0.step, $0.zero] })
    func run(isPlain: Bool) throws -> (product: [Float], sums: [Double]) {
      let (product, sums) = (Storage(count: channels * channels), Buffer<Double>(count: channels))
      let byteProduct = try #require(
        ByteProduct(
          samples: samples, positions: positions, channels: channels, isPlain: isPlain,
          grids: grid.pointer, product: product.pointer, sums: sums.pointer))
      let scratch = Storage(count: byteProduct.scratchCount)
      byteProduct.bind(input: input.pointer, scratch: scratch.pointer)
      byteProduct.execute()
      return (product.values, sums.values)
    }
    let (plain, usual) = (try run(isPlain: true), try run(isPlain: false))
    #expect(plain == usual)
    var expected = [Double](repeating: 0, count: channels * channels)
    var expectedSums = [Double](repeating: 0, count: channels)
    for row in 0..<samples * positions {
      for i in 0..<channels {
        let value = Double(input.pointer[row * channels + i])
        expectedSums[i] += value
        for j in 0..<channels {
          expected[i * channels + j] += value * Double(input.pointer[row * channels + j])
        }
      }
    }
    #expect(relativeDistance(usual.product.map(Double.init), expected) < 3e-7)
    #expect(relativeDistance(usual.sums, expectedSums) < 3e-7)
  }

  /// Whole numbers of -limit to limit.
  private static func codes(_ count: Int, stream: UInt32, limit: Float) -> [Float] {
    hashed(count, stream: stream).map { ($0 * limit).rounded().clamped(to: limit) }
  }

  @Test(
    .enabled(if: ByteConvolution.suits(pointwise(extent: 2, channels: 1, filters: 1))),
    arguments: geometries)
  func givesTheNaiveTwinsNumbers(geometry: ConvolutionGeometry) {
    // Grids as of a map without negative values, of one with both signs, of one without a zero point.
    let grids: [(step: Float, zero: Float)] = [(0.5, -127), (0x1p-9, 40), (4, 0)]
    let perSample = geometry.inputCount / geometry.batch
    let channels = geometry.outputChannels
    let input = Storage(Self.codes(geometry.inputCount, stream: 1, limit: 127))
    for index in 0..<input.count {
      let grid = grids[index / perSample]
      input.pointer[index] = grid.step * (input.pointer[index] - grid.zero)
    }
    let kernel = Storage(Self.codes(geometry.kernelCount, stream: 2, limit: 127))
    let output = Storage(count: geometry.outputCount)
    let grid = Storage(grids.prefix(geometry.batch).flatMap { [$0.step, $0.zero] })
    let convolution = ByteConvolution(
      geometry, input: input.pointer, grids: grid.pointer, kernel: kernel.pointer)
    for channel in 0..<channels {
      convolution.steps.pointer[channel] = Float(
        sign: .plus, exponent: channel % 5 - 8, significand: 1)
    }
    for index in 0..<kernel.count {
      kernel.pointer[index] *= convolution.steps.pointer[index % channels]
    }
    #expect(convolution.loadKernel())
    let maker = convolution.maker
    let count = geometry.outputCount / geometry.batch
    for sample in 0..<geometry.batch {
      maker.make(maker.maker, sample, output.pointer + sample * count, 0)
    }
    let expected = ConvolutionReference.forward(
      geometry, input: input.values, kernel: kernel.values,
      bias: [Float](repeating: 0, count: channels))
    #expect(output.values == expected)
  }

  @Test(
    .enabled(if: ByteConvolution.suits(pointwise(extent: 2, channels: 1, filters: 1))),
    arguments: [518, 519])
  func leavesSumsAloneThatFloatsRound(depth: Int) {
    let geometry = Self.pointwise(extent: 2, channels: depth, filters: 20)
    let input = Storage([Float](repeating: 255, count: geometry.inputCount))
    let grid = Storage([1, -127, 1, -127, 1, -127])
    var values = [Float](repeating: 1, count: geometry.kernelCount)
    for row in 0..<depth { values[row * 20 + 18] = -127 }
    let kernel = Storage(values)
    let output = Storage(count: geometry.outputCount)
    let convolution = ByteConvolution(
      geometry, input: input.pointer, grids: grid.pointer, kernel: kernel.pointer)
    convolution.steps.load([Float](repeating: 1, count: 20))
    #expect(convolution.loadKernel() == (depth == 518))
    let maker = convolution.maker
    maker.make(maker.maker, 0, output.pointer, 0)
    #expect(output.pointer[18] == (depth == 518 ? -127 * 255 * 518 : 0))
  }

  @Test(.enabled(if: ByteConvolution.suits(pointwise(extent: 2, channels: 1, filters: 1))))
  func takesMapsThatAreNotFinite() {
    let geometry = Self.pointwise(extent: 2, channels: 8, filters: 8)
    let input = Storage([Float](repeating: .nan, count: geometry.inputCount))
    let grid = Storage([.nan, .nan, -.infinity, .infinity, 0, 1e30])
    let kernel = Storage([Float](repeating: .nan, count: geometry.kernelCount))
    let output = Storage(count: geometry.outputCount)
    let convolution = ByteConvolution(
      geometry, input: input.pointer, grids: grid.pointer, kernel: kernel.pointer)
    _ = convolution.loadKernel()
    let maker = convolution.maker
    let count = geometry.outputCount / geometry.batch
    for sample in 0..<geometry.batch {
      maker.make(maker.maker, sample, output.pointer + sample * count, 0)
    }
  }
}

extension Float {
  fileprivate func clamped(to limit: Float) -> Float { Swift.min(Swift.max(self, -limit), limit) }
}
