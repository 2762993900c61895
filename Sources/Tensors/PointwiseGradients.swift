//! Both gradients of a 1x1 layer in one walk over its maps (CKernels' pointwise.h). Knows neither
//! folding's numbers nor the chain behind the layer.

internal import CKernels

/// With x (rows, channels in) and g (rows, channels out) the gradient of the output: x'g and g * matrix,
/// or the same of what a folded layer's kernels meet (`FoldedRows`), in blocks of rows that stay in a
/// cache. Separate products would walk over the maps twice, and want a map for what is computed of them
/// beforehand.
package final class PointwiseGradients {
  /// A folded layer's first output (rows, channels out) and its numbers per channel, with which
  /// gz = g * correction, dc = (c - mean) * slope + constant, gk = gz * inverse + dc. Then x'gk and
  /// [gz | dc] * matrix are formed, or gk * matrix, where the matrix has but as many rows.
  package struct FoldedRows {
    package var c: UnsafePointer<Float>
    package var correction: UnsafePointer<Float>
    package var inverse: UnsafePointer<Float>
    package var mean: UnsafePointer<Float>
    package var slope: UnsafePointer<Float>
    package var constant: UnsafePointer<Float>

    package init(
      c: UnsafePointer<Float>, correction: UnsafePointer<Float>, inverse: UnsafePointer<Float>,
      mean: UnsafePointer<Float>, slope: UnsafePointer<Float>, constant: UnsafePointer<Float>
    ) {
      (self.c, self.correction, self.inverse) = (c, correction, inverse)
      (self.mean, self.slope, self.constant) = (mean, slope, constant)
    }
  }

  private var gradients = ck_pointwise()
  private let matrix: Storage

  /// Whether this processor may run it, and the layer is such that it pays: small ones are plain
  /// products.
  package static func suits(_ geometry: ConvolutionGeometry) -> Bool {
    geometry.isPointwise && !geometry.isSmallProduct && OneDNN.usesWideVectors
      && ck_pointwise_runs() != 0
  }

  /// - Parameter width: rows of the matrix: channels out, or twice as many.
  package init(_ geometry: ConvolutionGeometry, width: Int) {
    gradients.rows = geometry.outputRows
    (gradients.channels, gradients.columns) = (geometry.inputChannels, geometry.outputChannels)
    ck_pointwise_share(&gradients, ck_threads())
    matrix = Storage(count: ck_panels_count(width, geometry.inputChannels))
    gradients.matrix = ck_panels(
      inner: width, columns: geometry.inputChannels, values: matrix.pointer)
  }

  /// Floats of scratch.
  package var scratchCount: Int {
    ck_pointwise_partial(&gradients) + ck_threads() * ck_pointwise_scratch(&gradients)
  }

  /// The buffers must outlive the object.
  ///
  /// - Parameters:
  ///   - input: x (rows, channels in).
  ///   - gradient: g (rows, channels out).
  ///   - kernelGradient: gets (channels in, channels out).
  ///   - inputGradient: gets (rows, channels in).
  ///   - adds: whether the input's gradient is added to what stands there.
  ///   - scratch: `scratchCount` floats.
  package func bind(
    on oneDNN: OneDNN, input: UnsafePointer<Float>, gradient: UnsafePointer<Float>,
    folded: FoldedRows? = nil, kernelGradient: UnsafeMutablePointer<Float>,
    inputGradient: UnsafeMutablePointer<Float>, adds: Bool, scratch: UnsafeMutablePointer<Float>
  ) {
    (gradients.x, gradients.g) = (input, gradient)
    if let folded {
      (gradients.c, gradients.correction) = (folded.c, folded.correction)
      (gradients.inv, gradients.mean) = (folded.inverse, folded.mean)
      (gradients.slope, gradients.constant) = (folded.slope, folded.constant)
    }
    (gradients.dkernel, gradients.dx) = (kernelGradient, inputGradient)
    gradients.dx_adds = adds ? 1 : 0
    gradients.partial = scratch
    gradients.scratch = scratch + ck_pointwise_partial(&gradients)
    // How rows are grouped hangs on the number of threads.
    oneDNN.threadedConvolutions += 1
  }

  /// Takes the current values of a kernel (channels in, channels out) as rows `first` and on of the
  /// matrix, transposed.
  package func load(_ kernel: UnsafePointer<Float>, first: Int = 0) {
    ck_panels_load(&gradients.matrix, kernel, first, gradients.columns, 1)
  }

  package func run() { ck_pointwise_backward(&gradients) }
}

/// y += x * matrix + bias, row by row.
package final class RowProducts {
  private var panels: ck_panels
  private let values: Storage

  /// - Parameters:
  ///   - inner: values of a row of x.
  ///   - columns: values of a row of y.
  package init(inner: Int, columns: Int) {
    values = Storage(count: ck_panels_count(inner, columns))
    panels = ck_panels(inner: inner, columns: columns, values: values.pointer)
  }

  /// Takes the matrix's current values (inner, columns).
  package func load(_ matrix: UnsafePointer<Float>) {
    ck_panels_load(&panels, matrix, 0, panels.inner, 0)
  }

  /// - Parameters:
  ///   - x: (rows, inner).
  ///   - bias: (columns).
  ///   - y: (rows, columns).
  package func add(
    _ x: UnsafePointer<Float>, bias: UnsafePointer<Float>, rows: Int,
    to y: UnsafeMutablePointer<Float>
  ) {
    ck_add_row_products(&panels, x, bias, rows, y)
  }
}
