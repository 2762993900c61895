//! A convolution of quantized maps with a quantized kernel in whole numbers of a byte. Knows no
//! quantizer.

internal import CKernels

/// output = input * kernel, where both are codes of at most 8 bits times powers of two: of each sample,
/// of each output channel. Its sums are the very numbers that float32 gives in any order, at three
/// times the speed, while none can reach 2^24 codes (CKernels' integers.h).
package final class ByteConvolution {
  /// The value of a code of each output channel; to be set before `loadKernel`.
  package let steps: Storage
  private let codes: Buffer<Int8>
  private let codeSums: Buffer<Int32>
  private let scratch: Buffer<UInt8>
  private let layer: UnsafeMutablePointer<ck_integer>
  /// Of a dense layer.
  private let samples: Int?

  /// Whether no kernel of this layer, whose codes are -127 to 127, can bring a sum to 2^24 codes.
  package static func isAlwaysExact(_ geometry: ConvolutionGeometry) -> Bool {
    geometry.kernelCount / geometry.outputChannels * 255 * 127 < 1 << 24
  }

  /// Whether this processor multiplies bytes, and the layer is such that it pays: outputs of a row are
  /// computed together, a dense layer's of several samples.
  package static func suits(_ geometry: ConvolutionGeometry) -> Bool {
    guard ck_integer_runs() != 0, !geometry.isDepthwise else { return false }
    if isDense(geometry) { return geometry.batch >= 4 }
    let row =
      geometry.isPointwise ? geometry.outputHeight * geometry.outputWidth : geometry.outputWidth
    return row >= 4
  }

  /// Whether samples can be computed one by one (`maker`).
  package static func makesSamples(_ geometry: ConvolutionGeometry) -> Bool { !isDense(geometry) }

  private static func isDense(_ geometry: ConvolutionGeometry) -> Bool {
    geometry.isPointwise && geometry.outputRows == geometry.batch
  }

  /// The buffers must outlive the convolution.
  ///
  /// - Parameter grids: step and zero of each sample: input = step * (code - zero), codes being
  ///   -127 to 127; read when the sample is computed.
  package init(
    _ geometry: ConvolutionGeometry, input: UnsafePointer<Float>, grids: UnsafePointer<Float>,
    kernel: UnsafePointer<Float>
  ) {
    samples = Self.isDense(geometry) ? geometry.batch : nil
    var layer = ck_integer()
    (layer.height, layer.width) = (geometry.inputHeight, geometry.inputWidth)
    (layer.channels, layer.columns) = (geometry.inputChannels, geometry.outputChannels)
    (layer.out_height, layer.out_width) = (geometry.outputHeight, geometry.outputWidth)
    (layer.kernel_height, layer.kernel_width) = (geometry.kernelHeight, geometry.kernelWidth)
    (layer.stride_height, layer.stride_width) = (geometry.strideHeight, geometry.strideWidth)
    (layer.pad_top, layer.pad_left) = (geometry.padTop, geometry.padLeft)
    steps = Storage(count: geometry.outputChannels)
    codes = Buffer(count: ck_integer_codes(&layer))
    codeSums = Buffer(count: 2 * geometry.outputChannels)
    scratch = Buffer(count: ck_threads() * ck_integer_scratch(&layer))
    (layer.x, layer.grids, layer.kernel) = (input, grids, kernel)
    layer.steps = UnsafePointer(steps.pointer)
    (layer.codes, layer.code_sums) = (codes.pointer, codeSums.pointer)
    layer.scratch = scratch.pointer
    self.layer = .allocate(capacity: 1)
    self.layer.initialize(to: layer)
  }

  deinit { layer.deallocate() }

  /// Takes the kernel's and the steps' current values; needed after each change of them, before a
  /// sample is computed.
  ///
  /// - Returns: whether no sum of this kernel can reach 2^24 codes; else nothing is computed.
  package func loadKernel() -> Bool {
    ck_integer_load(layer)
    return layer.pointee.is_exact != 0
  }

  /// What computes a sample; nil for a dense layer, whose samples are computed together.
  package var maker: SampleMaker? {
    samples == nil ? SampleMaker(make: ck_integer_sample, maker: UnsafeRawPointer(layer)) : nil
  }

  /// Computes a dense layer's output (batch, channels out).
  package func executeRows(into output: UnsafeMutablePointer<Float>) {
    guard let samples else { preconditionFailure("not a dense layer") }
    ck_integer_rows(layer, samples, output)
  }
}
