//! The fused backward pass of depthwise layers against the convolutions' naive twins.

import CKernels
import Tensors
import TestSupport
import Testing

@Suite struct DepthwiseTests {
  private static let geometries: [ConvolutionGeometry] = {
    var all = ConvolutionTests.geometries.filter(\.isDepthwise)
    for channels in [24, 40] {
      // Kernels of 5, as EfficientNet's: stride 1, and stride 2 with the odd row at the end.
      for (stride, before) in [(1, 2), (2, 1)] {
        let extent = 6 * stride
        all.append(
          ConvolutionGeometry(
            batch: 3, input: (extent, extent, channels), output: (6, 6, channels),
            kernel: (5, 5), stride: (stride, stride), padding: (before, before, 2, 2),
            isDepthwise: true))
      }
    }
    return all
  }()

  @Test(arguments: geometries, [true, false])
  func agreesWithTheNaiveTwins(geometry: ConvolutionGeometry, isQuantized: Bool) {
    let channels = geometry.outputChannels
    let x = Storage(hashed(geometry.inputCount, stream: 1))
    let g = Storage(hashed(geometry.outputCount, stream: 2))
    let c = Storage(hashed(geometry.outputCount, stream: 3))
    let kernel = Storage(hashed(geometry.kernelCount, stream: 4))
    let quantized = Storage(hashed(geometry.kernelCount, stream: 5))
    let factors = (0..<5).map { Storage(hashed(channels, stream: UInt32(6 + $0))) }
    let dx = Storage([Float](repeating: 1, count: geometry.inputCount))
    let kernelGradient = Storage(count: geometry.kernelCount)
    var layer = ck_depthwise()
    (layer.samples, layer.channels) = (geometry.batch, channels)
    (layer.in_height, layer.in_width) = (geometry.inputHeight, geometry.inputWidth)
    (layer.out_height, layer.out_width) = (geometry.outputHeight, geometry.outputWidth)
    (layer.kernel_height, layer.kernel_width) = (geometry.kernelHeight, geometry.kernelWidth)
    (layer.stride_height, layer.stride_width) = (geometry.strideHeight, geometry.strideWidth)
    (layer.pad_top, layer.pad_left) = (geometry.padTop, geometry.padLeft)
    (layer.x, layer.g, layer.c) = (
      UnsafePointer(x.pointer), UnsafePointer(g.pointer), UnsafePointer(c.pointer)
    )
    layer.correction = UnsafePointer(factors[0].pointer)
    layer.inv = UnsafePointer(factors[1].pointer)
    layer.mean = UnsafePointer(factors[2].pointer)
    layer.slope = UnsafePointer(factors[3].pointer)
    layer.constant = UnsafePointer(factors[4].pointer)
    layer.kernel = UnsafePointer(kernel.pointer)
    layer.quantized = isQuantized ? UnsafePointer(quantized.pointer) : nil
    (layer.dx, layer.dx_adds) = (dx.pointer, 1)
    let partial = Storage(count: ck_depthwise_partial_kernels(&layer))
    (layer.dkernel, layer.partial_kernels) = (kernelGradient.pointer, partial.pointer)
    let scratch = Storage(count: ck_threads() * ck_depthwise_scratch(&layer))
    layer.scratch = scratch.pointer
    ck_depthwise_backward(&layer)

    var (gz, dc, gk) = (g.values, g.values, g.values)
    for index in gz.indices {
      let f = factors.map { $0.pointer[index % channels] }
      gz[index] = g.pointer[index] * f[0]
      dc[index] = (c.pointer[index] - f[2]) * f[3] + f[4]
      gk[index] = gz[index] * f[1] + dc[index]
    }
    let expectedKernel = ConvolutionReference.backwardKernel(
      geometry, input: x.values, outputGradient: gk)
    #expect(relativeDistance(kernelGradient.values, expectedKernel) < 1e-6)
    func data(_ kernel: Storage, _ gradient: [Float]) -> [Float] {
      ConvolutionReference.backwardData(geometry, kernel: kernel.values, outputGradient: gradient)
    }
    let expected =
      isQuantized ? zip(data(quantized, gz), data(kernel, dc)).map { $0 + $1 } : data(kernel, gk)
    #expect(relativeDistance(dx.values.map { $0 - 1 }, expected) < 1e-5)
  }
}
