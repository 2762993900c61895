//! oneDNN's convolutions against their naive twins.

import CKernels
import Tensors
import TestSupport
import Testing

@Suite struct ConvolutionTests {
  /// Odd and even sizes, strides, paddings, one channel, whole vectors of channels, depthwise.
  static let geometries: [ConvolutionGeometry] = {
    var all: [ConvolutionGeometry] = []
    for (height, width) in [(7, 6), (1, 1), (9, 4), (12, 12)] {
      for (kernelHeight, kernelWidth) in [(1, 1), (3, 2), (3, 3)] {
        for stride in [1, 2] {
          for (channels, filters) in [(3, 5), (16, 32), (24, 40), (1, 1)] {
            for isDepthwise in [false, true] {
              func same(_ extent: Int, _ kernel: Int) -> (Int, Int, Int) {
                let output = (extent + stride - 1) / stride
                let total = max((output - 1) * stride + kernel - extent, 0)
                return (output, total / 2, total - total / 2)
              }
              let (outputHeight, top, bottom) = same(height, kernelHeight)
              let (outputWidth, left, right) = same(width, kernelWidth)
              all.append(
                ConvolutionGeometry(
                  batch: 2, input: (height, width, channels),
                  output: (outputHeight, outputWidth, isDepthwise ? channels : filters),
                  kernel: (kernelHeight, kernelWidth), stride: (stride, stride),
                  padding: (top, left, bottom, right), isDepthwise: isDepthwise))
            }
          }
        }
      }
    }
    return all
  }()

  @Test(arguments: geometries) func agreesWithTheNaiveTwin(geometry: ConvolutionGeometry) throws {
    try expectNaiveTwins(geometry)
  }

  /// All three passes, over outputs that are not numbers before. A regrouped one has no bias.
  private func expectNaiveTwins(_ geometry: ConvolutionGeometry, mayRegroup: Bool = false) throws {
    let oneDNN = try OneDNN()
    let input = Storage(hashed(geometry.inputCount, stream: 1))
    let kernel = Storage(hashed(geometry.kernelCount, stream: 2))
    let bias = Storage(hashed(geometry.outputChannels, stream: 3))
    let output = Storage([Float](repeating: .nan, count: geometry.outputCount))
    let forward = try Convolution(
      .forward, geometry, on: oneDNN, input: input.pointer, kernel: kernel.pointer,
      bias: mayRegroup ? nil : bias.pointer, output: output.pointer, mayRegroup: mayRegroup)
    forward.loadKernel()
    forward.execute()
    let expected = ConvolutionReference.forward(
      geometry, input: input.values, kernel: kernel.values,
      bias: mayRegroup ? nil : bias.values)
    #expect(relativeDistance(output.values, expected) < 1e-6)

    let gradient = Storage(hashed(geometry.outputCount, stream: 4))
    let inputGradient = Storage([Float](repeating: .nan, count: geometry.inputCount))
    let data = try Convolution(
      .backwardData, geometry, on: oneDNN, input: inputGradient.pointer, kernel: kernel.pointer,
      output: gradient.pointer, mayRegroup: mayRegroup)
    data.loadKernel()
    data.execute()
    let expectedInput = ConvolutionReference.backwardData(
      geometry, kernel: kernel.values, outputGradient: gradient.values)
    #expect(relativeDistance(inputGradient.values, expectedInput) < 1e-6)

    let kernelGradient = Storage([Float](repeating: .nan, count: geometry.kernelCount))
    let weights = try Convolution(
      .backwardKernel, geometry, on: oneDNN, input: input.pointer, kernel: kernelGradient.pointer,
      output: gradient.pointer)
    weights.execute()
    let expectedKernel = ConvolutionReference.backwardKernel(
      geometry, input: input.values, outputGradient: gradient.values)
    #expect(relativeDistance(kernelGradient.values, expectedKernel) < 1e-6)
  }

  /// Maps of whole tiles and of halves, smaller than one, over more than a block of tiles; paddings of
  /// none, one and both sides; one and several vectors of channels.
  static let regrouped: [ConvolutionGeometry] = [(16, 16), (32, 16), (16, 48), (64, 32), (64, 64)]
    .flatMap {
      channels, filters in
      [(1, 1), (5, 5), (6, 5), (7, 6), (8, 8), (12, 11)].flatMap { height, width in
        [(1, 1), (2, 0), (0, 2)].map { before, after in
          ConvolutionGeometry(
            batch: 3, input: (height, width, channels), output: (height, width, filters),
            kernel: (3, 3), stride: (1, 1), padding: (before, 1, after, 1), isDepthwise: false)
        }
      } + [
        ConvolutionGeometry(
          batch: 2, input: (9, 6, channels), output: (7, 4, filters), kernel: (3, 3),
          stride: (1, 1),
          padding: (0, 0, 0, 0), isDepthwise: false)
      ]
    }

  @Test(arguments: regrouped)
  func sumsInAnotherOrderKeepTheBound(geometry: ConvolutionGeometry) throws {
    try expectNaiveTwins(geometry, mayRegroup: true)
  }

  /// A batch in equal shares, in unequal ones, and one too small to be shared out.
  @Test(arguments: [1, 2, 3, 4], [8, 17, 3])
  func threadsShareABatchOut(threads: Int, batch: Int) throws {
    let usual = ck_threads()
    OneDNN.use(threads: threads)
    defer { OneDNN.use(threads: usual) }
    for (channels, filters) in [(16, 32), (3, 8), (24, 40)] {
      for kernel in [1, 3] {
        let pad = kernel / 2
        try expectNaiveTwins(
          ConvolutionGeometry(
            batch: batch, input: (6, 5, channels), output: (6, 5, filters),
            kernel: (kernel, kernel),
            stride: (1, 1), padding: (pad, pad, pad, pad), isDepthwise: false))
      }
    }
  }

  /// Rows that threads share out, rows that they do not, and positions of several samples.
  @Test(arguments: [(100, 1, 128, 128), (100, 1, 8, 128), (5, 1, 33, 7), (12, 3, 40, 24)])
  func gradientsThroughTwoKernelsAreTheSum(batch: Int, extent: Int, channels: Int, filters: Int)
    throws
  {
    let geometry = ConvolutionGeometry(
      batch: batch, input: (extent, extent, channels), output: (extent, extent, filters),
      kernel: (1, 1), stride: (1, 1), padding: (0, 0, 0, 0), isDepthwise: false)
    let gradients = (1...2).map { hashed(geometry.outputCount, stream: $0) }
    let kernels = (3...4).map { Storage(hashed(geometry.kernelCount, stream: $0)) }
    let both = Storage(
      (0..<geometry.outputRows).flatMap { row in
        gradients.flatMap { $0[row * filters..<(row + 1) * filters] }
      })
    let inputGradient = Storage(hashed(geometry.inputCount, stream: 5))
    let product = try #require(
      TwoKernelGradient(
        geometry, on: try OneDNN(), gradients: both.pointer,
        kernels: (kernels[0].pointer, kernels[1].pointer), inputGradient: inputGradient.pointer))
    product.execute()
    let parts = zip(gradients, kernels).map {
      ConvolutionReference.backwardData(geometry, kernel: $1.values, outputGradient: $0)
    }
    let expected = zip(parts[0], parts[1]).map { $0 + $1 }
    #expect(relativeDistance(inputGradient.values, expected) < 1e-6)
  }

  @Test func aChangedKernelIsSeenAfterLoading() throws {
    let geometry = ConvolutionGeometry(
      batch: 1, input: (5, 5, 8), output: (5, 5, 16), kernel: (3, 3), stride: (1, 1),
      padding: (1, 1, 1, 1), isDepthwise: false)
    let input = Storage(hashed(geometry.inputCount, stream: 1))
    let kernel = Storage(hashed(geometry.kernelCount, stream: 2))
    let output = Storage(count: geometry.outputCount)
    let forward = try Convolution(
      .forward, geometry, on: OneDNN(), input: input.pointer, kernel: kernel.pointer,
      output: output.pointer)
    forward.loadKernel()
    forward.execute()
    let before = output.values
    for index in 0..<kernel.count { kernel.pointer[index] *= 2 }
    forward.loadKernel()
    forward.execute()
    #expect(output.values == before.map { $0 * 2 })
  }
}
