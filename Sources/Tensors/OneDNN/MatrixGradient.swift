//! The gradients of a pointwise convolution on few positions, as products of plain matrices. Knows no
//! order of sums.

/// With x (rows, channels in), g (rows, channels out): kernel gradient x^T g, data gradient g K^T.
struct MatrixGradient {
  private let isKernel: Bool
  private let geometry: ConvolutionGeometry
  private let input: UnsafeMutablePointer<Float>
  private let kernel: UnsafeMutablePointer<Float>
  private let output: UnsafeMutablePointer<Float>

  /// nil where the pass is none of the two or a convolution is faster.
  init?(
    _ pass: Convolution.Pass, _ geometry: ConvolutionGeometry, input: UnsafeMutablePointer<Float>,
    kernel: UnsafeMutablePointer<Float>, output: UnsafeMutablePointer<Float>
  ) {
    guard geometry.isSmallProduct, pass == .backwardKernel || pass == .backwardData else {
      return nil
    }
    isKernel = pass == .backwardKernel
    self.geometry = geometry
    (self.input, self.kernel, self.output) = (input, kernel, output)
  }

  func execute() {
    let (channels, filters) = (geometry.inputChannels, geometry.outputChannels)
    let rows = isKernel ? channels : geometry.outputRows
    SharedRows.run(geometry, rows, values: geometry.outputRows * channels * filters) { range in
      if isKernel {
        MatrixProduct.multiplyTransposing(
          input + range.lowerBound, output, into: kernel + range.lowerBound * filters,
          rows: range.count, inner: geometry.outputRows, columns: filters, aStride: channels)
      } else {
        MatrixProduct.multiplyTransposed(
          output + range.lowerBound * filters, kernel, into: input + range.lowerBound * channels,
          rows: range.count, inner: filters, columns: channels)
      }
    }
  }
}

/// The data gradient through two kernels of a pointwise convolution on few positions:
/// g1 K1^T + g2 K2^T, with g1 and g2 side by side in each row.
package struct TwoKernelGradient {
  private let geometry: ConvolutionGeometry
  private let gradients: UnsafePointer<Float>
  private let kernels: (UnsafePointer<Float>, UnsafePointer<Float>)
  private let inputGradient: UnsafeMutablePointer<Float>

  /// The buffers must outlive it; the kernels are read anew each time. nil where one convolution with
  /// both kernels side by side is faster.
  ///
  /// - Parameters:
  ///   - gradients: [g1 | g2] (rows, 2 * channels out).
  ///   - inputGradient: gets (rows, channels in).
  package init?(
    _ geometry: ConvolutionGeometry, on oneDNN: OneDNN, gradients: UnsafePointer<Float>,
    kernels: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>),
    inputGradient: UnsafeMutablePointer<Float>
  ) {
    guard geometry.isSmallProduct else { return nil }
    self.geometry = geometry
    (self.gradients, self.inputGradient) = (gradients, inputGradient)
    self.kernels = (UnsafePointer(kernels.0), UnsafePointer(kernels.1))
    if geometry.outputRows != geometry.batch { oneDNN.threadedConvolutions += 1 }
  }

  package func execute() {
    let (channels, filters) = (geometry.inputChannels, geometry.outputChannels)
    let rows = geometry.outputRows
    SharedRows.run(geometry, rows, values: 2 * rows * channels * filters) { range in
      let target = inputGradient + range.lowerBound * channels
      for (index, kernel) in [kernels.0, kernels.1].enumerated() {
        MatrixProduct.multiplyTransposed(
          gradients + range.lowerBound * 2 * filters + index * filters, kernel, into: target,
          rows: range.count, inner: filters, columns: channels, aStride: 2 * filters,
          adds: index > 0)
      }
    }
  }
}
