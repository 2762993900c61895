//! 3x3 convolutions with fewer products. Knows no layer.

internal import CKernels

/// A 3x3 convolution of stride 1, or the gradient by data of one, by Winograd's F(2x2, 3x3) or
/// F(4x4, 3x3): four products or two and a quarter where a direct one has nine, with sums in another
/// order. For float values: of codes, whose sums are exact, it would round some.
final class WinogradConvolution {
  private let oneDNN: OneDNN
  private let weights: Storage
  private var layer = ck_winograd()

  /// nil where the pass, the layer or the processor is not such.
  init?(
    _ pass: Convolution.Pass, _ geometry: ConvolutionGeometry, on oneDNN: OneDNN,
    input: UnsafeMutablePointer<Float>, kernel: UnsafePointer<Float>,
    output: UnsafeMutablePointer<Float>
  ) {
    let (channels, filters) = (geometry.inputChannels, geometry.outputChannels)
    guard
      pass == .forward || pass == .backwardData, OneDNN.usesWideVectors, ck_winograd_runs() != 0,
      geometry.kernelHeight == 3, geometry.kernelWidth == 3, geometry.strideHeight == 1,
      geometry.strideWidth == 1, geometry.padTop <= 2, geometry.padLeft <= 2,
      !geometry.isDepthwise, channels % 16 == 0, filters % 16 == 0
    else { return nil }
    layer.samples = geometry.batch
    layer.kernel = kernel
    if pass == .forward {
      (layer.height, layer.width) = (geometry.inputHeight, geometry.inputWidth)
      (layer.out_height, layer.out_width) = (geometry.outputHeight, geometry.outputWidth)
      (layer.channels, layer.columns) = (channels, filters)
      (layer.pad_top, layer.pad_left) = (geometry.padTop, geometry.padLeft)
      (layer.x, layer.y) = (UnsafePointer(input), output)
    } else {
      layer.transposed = 1
      (layer.height, layer.width) = (geometry.outputHeight, geometry.outputWidth)
      (layer.out_height, layer.out_width) = (geometry.inputHeight, geometry.inputWidth)
      (layer.channels, layer.columns) = (filters, channels)
      (layer.pad_top, layer.pad_left) = (2 - geometry.padTop, 2 - geometry.padLeft)
      (layer.x, layer.y) = (UnsafePointer(output), input)
    }
    layer.tile = ck_winograd_tile(&layer)
    self.oneDNN = oneDNN
    weights = Storage(count: ck_winograd_weights(&layer))
    layer.weights = weights.pointer
    oneDNN.reserveScratchpad(
      0, bytes: ck_threads() * ck_winograd_scratch(&layer) * MemoryLayout<Float>.stride)
  }

  func loadKernel() { ck_winograd_load(&layer) }

  func execute() {
    layer.scratch = oneDNN.scratchpads[0]?.assumingMemoryBound(to: Float.self)
    ck_winograd_run(&layer)
  }
}
