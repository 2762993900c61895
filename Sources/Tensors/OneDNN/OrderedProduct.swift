//! A pointwise convolution as a matrix product whose sums run in TensorFlow's order. Knows no maps.

internal import CKernels

/// output = input * kernel (+ bias), or that added to what stands there; input (rows, depth), kernel
/// (depth, columns).
///
/// A sum of floats depends on its order, and what is rounded otherwise can become another code. This
/// is the order of TensorFlow 2.12 on a processor with AVX2 (without AVX-512's neural-network
/// instructions it leaves its convolutions to Eigen): Eigen cuts the depth into equal slices, and its
/// matrix product halves what is still longer than 256. A slice is one chain of fused multiply-adds
/// from 0, slices are added in turn, the bias comes last. Of the columns, the last n mod 16 run in
/// two chains, of the even and of the odd places, where they are 8 or fewer. Not reproduced: the
/// order of the last rows mod 6, where they are 1, 2 or 3; and with `isa: sse41` anything, as oneDNN
/// then multiplies and adds apart.
struct OrderedProduct {
  private let geometry: ConvolutionGeometry
  private let rows: Int
  private let depth: Int
  private let columns: Int
  /// Columns that run in one chain.
  private let wide: Int
  private let slices: [Range<Int>]
  private let input: UnsafePointer<Float>
  private let kernel: UnsafePointer<Float>
  private let bias: UnsafePointer<Float>?
  private let output: UnsafeMutablePointer<Float>
  private let adds: Bool

  /// Whether oneDNN's convolution, one chain over the whole depth, would round otherwise.
  static func isNeeded(_ geometry: ConvolutionGeometry) -> Bool {
    slices(of: geometry.inputChannels).count > 1
      || wideColumns(geometry.outputChannels) < geometry.outputChannels
  }

  init(
    _ geometry: ConvolutionGeometry, input: UnsafePointer<Float>, kernel: UnsafePointer<Float>,
    bias: UnsafePointer<Float>?, output: UnsafeMutablePointer<Float>, adds: Bool = false
  ) {
    self.geometry = geometry
    rows = geometry.outputRows
    depth = geometry.inputChannels
    columns = geometry.outputChannels
    wide = Self.wideColumns(columns)
    slices = Self.slices(of: depth)
    self.input = input
    self.kernel = kernel
    self.bias = bias
    self.output = output
    self.adds = adds
  }

  private static func wideColumns(_ columns: Int) -> Int {
    (1...8).contains(columns % 16) ? columns - columns % 16 : columns
  }

  /// Eigen's blocks of at most 320, a multiple of 8 long where there are several, and their halves.
  static func slices(of depth: Int) -> [Range<Int>] {
    let blocks = (depth + 319) / 320
    let length = blocks == 1 ? depth : (depth / blocks + 7) / 8 * 8
    return stride(from: 0, to: depth, by: length).flatMap { start in
      let end = min(start + length, depth)
      guard end - start > 256 else { return [start..<end] }
      let middle = start + (end - start + 1) / 2
      return [start..<middle, middle..<end]
    }
  }

  func execute() {
    SharedRows.run(geometry, rows, values: rows * depth * columns) { execute(rows: $0) }
  }

  private func execute(rows range: Range<Int>) {
    let (input, output) = (
      input + range.lowerBound * depth, output + range.lowerBound * columns
    )
    for slice in slices {
      let isLater = adds || slice.lowerBound > 0
      let a = input + slice.lowerBound
      let b = kernel + slice.lowerBound * columns
      if wide > 0 {
        MatrixProduct.multiply(
          a, b, into: output, rows: range.count, inner: slice.count, columns: wide, aStride: depth,
          bStride: columns, adds: isLater)
      }
      if wide < columns {
        var narrow = ck_narrow_product(
          a: a, b: b, y: output, rows: range.count, depth: slice.count, a_stride: depth,
          columns: columns, first: wide, adds: isLater ? 1 : 0)
        ck_narrow(&narrow)
      }
    }
    if let bias { ck_add_bias(bias, output, range.count, columns) }
  }
}
