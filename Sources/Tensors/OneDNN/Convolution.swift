//! A convolution over fixed buffers: forward, or its gradient by data or by kernel. Knows neither
//! folding nor quantizers.

internal import COneDNN
package import Diagnostics

/// Extents of a convolution. Maps are NHWC, kernels HWIO; a depthwise kernel is (height, width,
/// channels, 1); a dense layer is a 1x1 convolution on 1x1 maps.
package struct ConvolutionGeometry: Hashable, Sendable {
  package var batch: Int
  package var inputHeight: Int
  package var inputWidth: Int
  package var inputChannels: Int
  package var outputHeight: Int
  package var outputWidth: Int
  package var outputChannels: Int
  package var kernelHeight: Int
  package var kernelWidth: Int
  package var strideHeight: Int
  package var strideWidth: Int
  package var padTop: Int
  package var padLeft: Int
  package var padBottom: Int
  package var padRight: Int
  package var isDepthwise: Bool

  package init(
    batch: Int, input: (height: Int, width: Int, channels: Int),
    output: (height: Int, width: Int, channels: Int), kernel: (height: Int, width: Int),
    stride: (height: Int, width: Int),
    padding: (top: Int, left: Int, bottom: Int, right: Int), isDepthwise: Bool
  ) {
    self.batch = batch
    (inputHeight, inputWidth, inputChannels) = input
    (outputHeight, outputWidth, outputChannels) = output
    (kernelHeight, kernelWidth) = kernel
    (strideHeight, strideWidth) = stride
    (padTop, padLeft, padBottom, padRight) = padding
    self.isDepthwise = isDepthwise
  }

  /// Positions of the output: batch * height * width.
  package var outputRows: Int { batch * outputHeight * outputWidth }
  package var inputCount: Int { batch * inputHeight * inputWidth * inputChannels }
  package var outputCount: Int { outputRows * outputChannels }
  package var kernelCount: Int {
    kernelHeight * kernelWidth * inputChannels * (isDepthwise ? 1 : outputChannels)
  }

  var shim: sw_geometry {
    sw_geometry(
      batch: Int64(batch), in_height: Int64(inputHeight), in_width: Int64(inputWidth),
      in_channels: Int64(inputChannels), out_height: Int64(outputHeight),
      out_width: Int64(outputWidth), out_channels: Int64(outputChannels),
      kernel_height: Int64(kernelHeight), kernel_width: Int64(kernelWidth),
      stride_height: Int64(strideHeight), stride_width: Int64(strideWidth),
      pad_top: Int64(padTop), pad_left: Int64(padLeft), pad_bottom: Int64(padBottom),
      pad_right: Int64(padRight), groups: isDepthwise ? Int64(inputChannels) : 1)
  }
}

/// One oneDNN convolution primitive bound to its buffers.
package final class Convolution {
  package enum Pass: Sendable {
    /// output = input * kernel (+ bias).
    case forward
    /// input's gradient from the output's and the kernel.
    case backwardData
    /// kernel's gradient from the input and the output's gradient.
    case backwardKernel
  }

  private let oneDNN: OneDNN
  private var primitive: sw_convolution

  /// The buffers must outlive the primitive. `bias` counts in the forward pass alone.
  package init(
    _ pass: Pass, _ geometry: ConvolutionGeometry, on oneDNN: OneDNN,
    input: UnsafeMutablePointer<Float>, kernel: UnsafeMutablePointer<Float>,
    bias: UnsafeMutablePointer<Float>? = nil, output: UnsafeMutablePointer<Float>
  ) throws(LibraryError) {
    self.oneDNN = oneDNN
    primitive = sw_convolution()
    var shim = geometry.shim
    // A depthwise layer of one channel is an ordinary one-channel convolution: oneDNN's groups of 1
    // and the plain layout coincide.
    try OneDNN.check(
      sw_convolution_create(
        &primitive, oneDNN.engine, pass.shim, &shim, sw_plain_maps, input, kernel, bias, output),
      "convolution \(pass) \(geometry)")
  }

  /// A primitive whose maps lie as oneDNN likes best, in zeroed memory of its own that nobody else
  /// reads or writes: for timings.
  package init(
    blocked pass: Pass, _ geometry: ConvolutionGeometry, on oneDNN: OneDNN
  ) throws(LibraryError) {
    self.oneDNN = oneDNN
    primitive = sw_convolution()
    var shim = geometry.shim
    try OneDNN.check(
      sw_convolution_create(
        &primitive, oneDNN.engine, pass.shim, &shim, sw_blocked_maps, nil, nil, nil, nil),
      "blocked convolution \(pass) \(geometry)")
  }

  deinit { sw_convolution_destroy(&primitive) }

  /// Takes the kernel's current values; needed after each change of it, before `execute`.
  package func loadKernel() { Self.expect(sw_convolution_load_kernel(&primitive, oneDNN.stream)) }

  package func execute() { Self.expect(sw_convolution_execute(&primitive, oneDNN.stream)) }

  /// The primitive alone, without bringing a kernel gradient back from its layout.
  package func executeBare() {
    Self.expect(sw_convolution_execute_bare(&primitive, oneDNN.stream))
  }

  /// Execution over checked buffers fails only for want of memory or by our own mistake.
  private static func expect(_ status: dnnl_status_t) {
    precondition(status == dnnl_success, "oneDNN: convolution failed with \(status.rawValue)")
  }
}

extension Convolution.Pass {
  fileprivate var shim: sw_pass {
    switch self {
    case .forward: sw_forward
    case .backwardData: sw_backward_data
    case .backwardKernel: sw_backward_weights
    }
  }
}
