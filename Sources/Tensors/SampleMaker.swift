//! A forward convolution that its reader runs sample by sample, so that each is read from the cache.

internal import CKernels

/// A C function that computes a sample of a map into a place that it is given, and what it works on;
/// its arguments: that, the sample, the place, the thread. Samples may be computed by several threads
/// at a time.
package struct SampleMaker {
  package let make:
    @convention(c) (UnsafeRawPointer?, Int, UnsafeMutablePointer<Float>?, Int) -> Void
  /// Lives as long as the convolution that gave it.
  package let maker: UnsafeRawPointer
}

/// A depthwise convolution in TensorFlow's order of sums (CKernels' products.h).
package final class DepthwiseMaker {
  private let layer: UnsafeMutablePointer<ck_depthwise_sums>

  /// The buffers must outlive it; the kernel is read anew for each sample.
  package init(
    _ geometry: ConvolutionGeometry, input: UnsafePointer<Float>, kernel: UnsafePointer<Float>
  ) {
    precondition(geometry.isDepthwise)
    layer = .allocate(capacity: 1)
    layer.initialize(to: geometry.depthwise(input: input, kernel: kernel, bias: nil, output: nil))
  }

  deinit { layer.deallocate() }

  package var maker: SampleMaker {
    SampleMaker(make: ck_depthwise_sample, maker: UnsafeRawPointer(layer))
  }
}
