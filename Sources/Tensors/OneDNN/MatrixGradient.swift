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
