//! A tensor on the host, as a value: what files hold and tests compare. The engine's own buffers
//! are `Storage`.

/// Float32 values in C order.
package struct Tensor: Hashable, Sendable {
  /// Extents, outermost first: NHWC for maps, HWIO for kernels.
  package let shape: [Int]
  package var values: [Float]

  package init(shape: [Int], values: [Float]) {
    precondition(
      shape.reduce(1, *) == values.count, "\(shape) does not hold \(values.count) values")
    self.shape = shape
    self.values = values
  }

  package init(zeros shape: [Int]) {
    self.init(shape: shape, values: [Float](repeating: 0, count: shape.reduce(1, *)))
  }
}
