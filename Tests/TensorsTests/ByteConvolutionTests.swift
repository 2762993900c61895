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
      pointwise(extent: 1, channels: 129, filters: 70, batch: 37),
      pointwise(extent: 1, channels: 300, filters: 16, batch: 4),
      ConvolutionGeometry(
        batch: 2, input: (10, 33, 12), output: (10, 33, 33), kernel: (5, 5), stride: (1, 1),
        padding: (2, 2, 2, 2), isDepthwise: false),
    ]

  private static func pointwise(
    extent: Int, channels: Int, filters: Int, batch: Int = 3
  ) -> ConvolutionGeometry {
    ConvolutionGeometry(
      batch: batch, input: (extent, extent, channels), output: (extent, extent, filters),
      kernel: (1, 1), stride: (1, 1), padding: (0, 0, 0, 0), isDepthwise: false)
  }

  @Test(arguments: [(3, 13, 5), (20, 125, 64), (17, 50, 33), (40, 1, 24), (2, 9, 160)])
  func productsWithItselfAreTheSums(samples: Int, positions: Int, channels: Int) throws {
    let (count, perSample) = (samples * positions * channels, positions * channels)
    let grids = (0..<samples).map {
      // Zeros of bytes, and those of samples that lie on one side of 0.
      (step: Float([0.5, 0x1p-9, 4][$0 % 3]), zero: Float([$0 - 127, 150, $0, -400][$0 % 4]))
    }
    let input = Storage(Self.codes(count, stream: 1, limit: 127))
    for index in 0..<count {
      let grid = grids[index / perSample]
      input.pointer[index] = grid.step * (input.pointer[index] - grid.zero)
    }
    let grid = Storage(grids.flatMap { [$0.step, $0.zero] })
    func run(isPlain: Bool) throws -> (product: [Double], sums: [Double]) {
      let products = try Self.products(
        of: input, samples: samples, channels: channels, isPlain: isPlain, grids: grid)
      return (products.product.values, products.sums.values)
    }
    let (plain, usual) = (try run(isPlain: true), try run(isPlain: false))
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
    for actual in [plain, usual] {
      #expect(actual.product == expected)
      #expect(actual.sums == expectedSums)
    }
  }

  /// The map's products with itself, computed.
  private static func products(
    of input: Storage, samples: Int, channels: Int, isPlain: Bool, grids: Storage
  ) throws -> ByteProduct {
    let products = try #require(
      ByteProduct(
        samples: samples, positions: input.count / samples / channels, channels: channels,
        isPlain: isPlain, grids: grids.pointer))
    let scratch = Storage(count: products.scratchCount)
    products.bind(input: input.pointer, scratch: scratch.pointer)
    products.execute()
    return products
  }

  /// A map that is not finite shows it, as it would in float32: nothing may train on with bytes of it.
  @Test(arguments: [Float.nan, .infinity], [true, false])
  func sumsOfWhatIsNotFiniteAreNoNumbers(value: Float, isPlain: Bool) throws {
    let (samples, positions, channels) = (5, 9, 24)
    let input = Storage([Float](repeating: 1, count: samples * positions * channels))
    input.pointer[2 * positions * channels + 77] = value
    let grids = Storage((0..<samples).flatMap { _ in [Float(1), -127] })
    let products = try Self.products(
      of: input, samples: samples, channels: channels, isPlain: isPlain, grids: grids)
    let kernel = Storage([Float](repeating: 1, count: channels))
    let (bias, mean, variance) = (Storage(count: 1), Storage(count: 1), Storage(count: 1))
    let moments = ByteMoments(
      of: products, rows: samples * positions, columns: 1, kernel: kernel.pointer,
      bias: bias.pointer, mean: mean.pointer, variance: variance.pointer)
    moments.run()
    #expect(!mean.pointer[0].isFinite && !variance.pointer[0].isFinite)
  }

  /// Beside channels around 0 some whose mean is a thousand deviations: what moments are made of then
  /// nearly cancels.
  @Test(arguments: [(4, 25, 8, 24), (7, 100, 64, 64), (3, 49, 33, 7)])
  func momentsAreThoseOfTheProduct(samples: Int, positions: Int, channels: Int, columns: Int) throws
  {
    let rows = samples * positions
    let input = Storage(Self.codes(rows * channels, stream: 1, limit: 127))
    for index in 0..<input.count {
      // Codes 126 and 127 in every third channel, and a step of a sixteenth.
      let code = input.pointer[index]
      input.pointer[index] = (index % channels % 3 == 0 ? (code > 0 ? 127 : 126) : code) / 16
    }
    let grids = Storage((0..<samples).flatMap { _ in [Float(1) / 16, 0] })
    let kernel = Storage(hashed(channels * columns, stream: 2))
    for index in 0..<kernel.count where index % columns == 0 {
      // This column sees the steady channels alone.
      if index / columns % 3 != 0 { kernel.pointer[index] = 0 }
    }
    let bias = Storage(hashed(columns, stream: 3))
    let (mean, variance) = (Storage(count: columns), Storage(count: columns))
    let products = try Self.products(
      of: input, samples: samples, channels: channels, isPlain: false, grids: grids)
    let moments = ByteMoments(
      of: products, rows: rows, columns: columns, kernel: kernel.pointer, bias: bias.pointer,
      mean: mean.pointer, variance: variance.pointer)
    moments.run()
    for j in 0..<columns {
      let c = (0..<rows).map { row in
        (0..<channels).reduce(0.0) {
          $0 + Double(input.pointer[row * channels + $1]) * Double(kernel.pointer[$1 * columns + j])
        }
      }
      let expectedMean = c.reduce(0, +) / Double(rows)
      let expectedVariance = c.reduce(0) { $0 + ($1 - expectedMean) * ($1 - expectedMean) }
      #expect(
        abs(Double(mean.pointer[j]) - expectedMean - Double(bias.pointer[j]))
          <= 1e-7 * (1 + abs(expectedMean)))
      #expect(abs(Double(variance.pointer[j]) * Double(rows) / expectedVariance - 1) < 1e-7)
    }
  }

  /// Whole numbers of -limit to limit.
  private static func codes(_ count: Int, stream: UInt32, limit: Float) -> [Float] {
    hashed(count, stream: stream).map { ($0 * limit).rounded().clamped(to: limit) }
  }

  private func run(
    _ convolution: ByteConvolution, _ geometry: ConvolutionGeometry, into output: Storage
  ) {
    guard let maker = convolution.maker else {
      return convolution.executeRows(into: output.pointer)
    }
    let count = geometry.outputCount / geometry.batch
    for sample in 0..<geometry.batch {
      maker.make(maker.maker, sample, output.pointer + sample * count, 0)
    }
  }

  @Test(
    .enabled(if: ByteConvolution.suits(pointwise(extent: 2, channels: 1, filters: 1))),
    arguments: geometries)
  func givesTheNaiveTwinsNumbers(geometry: ConvolutionGeometry) {
    // Grids as of a map without negative values, of one with both signs, of one without a zero point.
    let grids = (0..<geometry.batch).map { sample -> (step: Float, zero: Float) in
      [(0.5, -127), (0x1p-9, 40), (4, 0)][sample % 3]
    }
    let perSample = geometry.inputCount / geometry.batch
    let channels = geometry.outputChannels
    let input = Storage(Self.codes(geometry.inputCount, stream: 1, limit: 127))
    for index in 0..<input.count {
      let grid = grids[index / perSample]
      input.pointer[index] = grid.step * (input.pointer[index] - grid.zero)
    }
    let kernel = Storage(Self.codes(geometry.kernelCount, stream: 2, limit: 127))
    let output = Storage(count: geometry.outputCount)
    let grid = Storage(grids.flatMap { [$0.step, $0.zero] })
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
    run(convolution, geometry, into: output)
    let expected = ConvolutionReference.forward(
      geometry, input: input.values, kernel: kernel.values,
      bias: [Float](repeating: 0, count: channels))
    #expect(output.values == expected)
  }

  @Test(
    .enabled(if: ByteConvolution.suits(pointwise(extent: 2, channels: 1, filters: 1))),
    arguments: [518, 519])
  func leavesSumsAloneThatFloatsRound(depth: Int) throws {
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
    let maker = try #require(convolution.maker)
    maker.make(maker.maker, 0, output.pointer, 0)
    #expect(output.pointer[18] == (depth == 518 ? -127 * 255 * 518 : 0))
  }

  /// A convolution whose kernel is codes themselves and takes them, and its output.
  private func wholeOutput(
    _ geometry: ConvolutionGeometry, input: Storage, grids: Storage, kernel: Storage
  ) -> (convolution: ByteConvolution, output: [Float]) {
    let output = Storage(count: geometry.outputCount)
    let convolution = ByteConvolution(
      geometry, input: input.pointer, grids: grids.pointer, kernel: kernel.pointer)
    convolution.steps.load([Float](repeating: 1, count: geometry.outputChannels))
    #expect(convolution.loadKernel())
    run(convolution, geometry, into: output)
    return (convolution, output.values)
  }

  /// Sums in which as many codes of the kernel have one sign as the other.
  @Test(.enabled(if: ByteConvolution.suits(pointwise(extent: 2, channels: 1, filters: 1))))
  func takesTwiceAsManyCodesOfTwoSigns() throws {
    let geometry = Self.pointwise(extent: 2, channels: 1036, filters: 20)
    let codes = Storage(Self.codes(geometry.inputCount, stream: 1, limit: 127))
    let input = Storage(codes.values.map { $0 + 127 })
    let values = (0..<geometry.kernelCount).map { Float($0 / 20 % 2 == 0 ? 127 : -127) }
    let kernel = Storage(values)
    let grids = Storage([1, -127, 1, -127, 1, -127])
    let output = wholeOutput(geometry, input: input, grids: grids, kernel: kernel).output
    let expected = ConvolutionReference.forward(
      geometry, input: input.values, kernel: values, bias: [Float](repeating: 0, count: 20))
    #expect(output == expected)
  }

  /// Grids of maps that lie on one side of 0: with the farthest zeros, and with padding and zeros beyond
  /// 128, no bytes.
  @Test(
    .enabled(if: ByteConvolution.suits(pointwise(extent: 2, channels: 1, filters: 1))),
    arguments: geometries, [128, -128, 150, 400, -400, 25_000])
  func samplesFarFromZeroAreComputedAsTheyAre(geometry: ConvolutionGeometry, zero: Float) {
    let perSample = geometry.inputCount / geometry.batch
    let input = Storage(Self.codes(geometry.inputCount, stream: 1, limit: 127))
    // The first sample alone; the others have bytes.
    for index in 0..<input.count {
      input.pointer[index] = 0.5 * (input.pointer[index] - (index < perSample ? zero : 3))
    }
    let grid = Storage((0..<geometry.batch).flatMap { [0.5, $0 == 0 ? zero : 3] })
    let kernel = Storage(Self.codes(geometry.kernelCount, stream: 2, limit: 127))
    let output = wholeOutput(geometry, input: input, grids: grid, kernel: kernel).output
    let expected = ConvolutionReference.forward(
      geometry, input: input.values, kernel: kernel.values,
      bias: [Float](repeating: 0, count: geometry.outputChannels))
    #expect(relativeDistance(output, expected) < 1e-6)
  }

  /// Of a map and of a kernel: what multiplies bytes must not make numbers of it.
  @Test(
    .enabled(if: ByteConvolution.suits(pointwise(extent: 2, channels: 1, filters: 1))),
    arguments: [
      pointwise(extent: 1, channels: 20, filters: 5, batch: 6),
      pointwise(extent: 4, channels: 20, filters: 5),
      ConvolutionGeometry(
        batch: 3, input: (6, 6, 3), output: (6, 6, 5), kernel: (3, 3), stride: (1, 1),
        padding: (1, 1, 1, 1), isDepthwise: false),
    ], [Float.nan, .infinity])
  func whatIsNotFiniteShows(geometry: ConvolutionGeometry, value: Float) {
    let input = Storage([Float](repeating: 1, count: geometry.inputCount))
    input.pointer[geometry.inputCount / 2] = value
    let grid = Storage((0..<geometry.batch).flatMap { _ in [Float(1), -127] })
    let kernel = Storage([Float](repeating: 1, count: geometry.kernelCount))
    let (convolution, output) = wholeOutput(geometry, input: input, grids: grid, kernel: kernel)
    #expect(output.contains { !$0.isFinite })
    kernel.pointer[7] = value
    #expect(!convolution.loadKernel())
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
    run(convolution, geometry, into: output)
  }
}

extension Float {
  fileprivate func clamped(to limit: Float) -> Float { Swift.min(Swift.max(self, -limit), limit) }
}
