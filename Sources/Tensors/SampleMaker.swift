//! A forward convolution that its reader runs sample by sample, so that each is read from the cache.

internal import CKernels

/// A C function that computes one sample of a map, and what it works on. Samples may be computed by
/// several threads at a time.
package struct SampleMaker {
  package let make: @convention(c) (UnsafeRawPointer?, Int, Int) -> Void
  /// Lives as long as the convolution that gave it.
  package let maker: UnsafeRawPointer
}

/// A depthwise convolution in TensorFlow's order of sums (CKernels' products.h).
package final class DepthwiseMaker {
  private let layer: UnsafeMutablePointer<ck_depthwise_sums>

  /// The buffers must outlive it; the kernel is read anew for each sample.
  package init(
    _ geometry: ConvolutionGeometry, input: UnsafePointer<Float>, kernel: UnsafePointer<Float>,
    output: UnsafeMutablePointer<Float>
  ) {
    precondition(geometry.isDepthwise)
    layer = .allocate(capacity: 1)
    layer.initialize(
      to: geometry.depthwise(input: input, kernel: kernel, bias: nil, output: output))
  }

  deinit { layer.deallocate() }

  package var maker: SampleMaker {
    SampleMaker(make: ck_depthwise_sample, maker: UnsafeRawPointer(layer))
  }
}
