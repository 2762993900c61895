//! A oneDNN convolution with its memories. Knows nothing of the order of sums.

internal import COneDNN
package import Diagnostics

/// One oneDNN primitive bound to its buffers.
package final class ConvolutionPrimitive {
  private let oneDNN: OneDNN
  private var convolution: sw_convolution

  /// The buffers must outlive the primitive. `bias` counts in the forward passes alone.
  package init(
    _ pass: Convolution.Pass, _ geometry: ConvolutionGeometry, on oneDNN: OneDNN,
    input: UnsafeMutablePointer<Float>, kernel: UnsafeMutablePointer<Float>,
    bias: UnsafeMutablePointer<Float>? = nil, output: UnsafeMutablePointer<Float>
  ) throws(LibraryError) {
    self.oneDNN = oneDNN
    convolution = sw_convolution()
    var shim = geometry.shim
    // A depthwise layer of one channel is an ordinary one-channel convolution: oneDNN's groups of 1
    // and the plain layout coincide.
    try OneDNN.check(
      sw_convolution_create(
        &convolution, oneDNN.engine, pass.shim, &shim, sw_plain_maps, input, kernel, bias, output,
        pass == .forwardAdding ? 1 : 0),
      "convolution \(pass) \(geometry)")
  }

  /// A primitive whose maps lie as oneDNN likes best, in zeroed memory of its own that nobody else
  /// reads or writes: for timings.
  package init(
    blocked pass: Convolution.Pass, _ geometry: ConvolutionGeometry, on oneDNN: OneDNN
  ) throws(LibraryError) {
    self.oneDNN = oneDNN
    convolution = sw_convolution()
    var shim = geometry.shim
    try OneDNN.check(
      sw_convolution_create(
        &convolution, oneDNN.engine, pass.shim, &shim, sw_blocked_maps, nil, nil, nil, nil, 0),
      "blocked convolution \(pass) \(geometry)")
  }

  deinit { sw_convolution_destroy(&convolution) }

  package func loadKernel() {
    OneDNN.expect(sw_convolution_load_kernel(&convolution, oneDNN.stream))
  }

  package func execute() { OneDNN.expect(sw_convolution_execute(&convolution, oneDNN.stream)) }

  /// The primitive alone, without bringing a kernel gradient back from its layout.
  package func executeBare() {
    OneDNN.expect(sw_convolution_execute_bare(&convolution, oneDNN.stream))
  }
}

extension Convolution.Pass {
  fileprivate var shim: sw_pass {
    switch self {
    case .forward, .forwardAdding: sw_forward
    case .backwardData: sw_backward_data
    case .backwardKernel: sw_backward_weights
    }
  }
}
