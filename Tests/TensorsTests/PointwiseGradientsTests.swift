//! Gradients of 1x1 layers in blocks of positions against sums in double.

import Tensors
import TestSupport
import Testing

@Suite struct PointwiseGradientsTests {
  /// More rows than blocks, rows that fill no tile, and every rest of channels that vectors leave.
  struct Layer: CustomTestStringConvertible, Sendable {
    let rows: Int
    let channels: Int
    let filters: Int
    var testDescription: String { "\(rows)x\(channels)x\(filters)" }
  }

  private static let layers = [
    Layer(rows: 131, channels: 5, filters: 3), Layer(rows: 640, channels: 16, filters: 96),
    Layer(rows: 577, channels: 24, filters: 8), Layer(rows: 1200, channels: 48, filters: 40),
    Layer(rows: 200, channels: 57, filters: 70), Layer(rows: 190, channels: 144, filters: 24),
    Layer(rows: 129, channels: 33, filters: 112),
  ]

  private static func geometry(_ layer: Layer) -> ConvolutionGeometry {
    ConvolutionGeometry(
      batch: 1, input: (layer.rows, 1, layer.channels), output: (layer.rows, 1, layer.filters),
      kernel: (1, 1), stride: (1, 1), padding: (0, 0, 0, 0), isDepthwise: false)
  }

  /// a (rows, inner) * b, b being (inner, columns) as `b(k, j)` gives it.
  private static func product(
    _ rows: Int, _ inner: Int, _ columns: Int, _ a: (Int, Int) -> Double, _ b: (Int, Int) -> Double
  ) -> [Double] {
    var result = [Double](repeating: 0, count: rows * columns)
    for i in 0..<rows {
      for k in 0..<inner {
        let value = a(i, k)
        for j in 0..<columns { result[i * columns + j] += value * b(k, j) }
      }
    }
    return result
  }

  @Test(
    .enabled(if: PointwiseGradients.suits(geometry(Layer(rows: 200, channels: 1, filters: 1)))),
    arguments: layers, [true, false])
  func plainOnesAreTheProducts(layer: Layer, adds: Bool) throws {
    let (rows, channels, filters) = (layer.rows, layer.channels, layer.filters)
    let x = Storage(hashed(rows * channels, stream: 1))
    let g = Storage(hashed(rows * filters, stream: 2))
    let kernel = Storage(hashed(channels * filters, stream: 3))
    let before = hashed(rows * channels, stream: 4)
    let (kernelGradient, inputGradient) = (Storage(count: channels * filters), Storage(before))
    let gradients = PointwiseGradients(Self.geometry(layer), width: filters)
    let scratch = Storage(count: gradients.scratchCount)
    gradients.bind(
      on: try OneDNN(), input: x.pointer, gradient: g.pointer,
      kernelGradient: kernelGradient.pointer, inputGradient: inputGradient.pointer, adds: adds,
      scratch: scratch.pointer)
    gradients.load(kernel.pointer)
    // A second run finds what the first one left in its scratch.
    for _ in 0..<2 {
      inputGradient.pointer.update(from: before, count: before.count)
      gradients.run()
    }
    let expectedKernel = Self.product(
      channels, rows, filters, { Double(x.pointer[$1 * channels + $0]) },
      { Double(g.pointer[$0 * filters + $1]) })
    var expectedInput = Self.product(
      rows, filters, channels, { Double(g.pointer[$0 * filters + $1]) },
      { Double(kernel.pointer[$1 * filters + $0]) })
    if adds {
      for index in expectedInput.indices { expectedInput[index] += Double(before[index]) }
    }
    #expect(relativeDistance(kernelGradient.values.map(Double.init), expectedKernel) < 3e-7)
    #expect(relativeDistance(inputGradient.values.map(Double.init), expectedInput) < 3e-7)
  }

  @Test(
    .enabled(if: PointwiseGradients.suits(geometry(Layer(rows: 200, channels: 1, filters: 1)))),
    arguments: layers, [1, 2])
  func foldedOnesAreThoseOfBothKernels(layer: Layer, kernels: Int) throws {
    let (rows, channels, filters) = (layer.rows, layer.channels, layer.filters)
    let x = Storage(hashed(rows * channels, stream: 1))
    let g = Storage(hashed(rows * filters, stream: 2))
    let c = Storage(hashed(rows * filters, stream: 3))
    let factors = (4..<9).map { Storage(hashed(filters, stream: $0)) }
    let kernel = (0..<2).map { Storage(hashed(channels * filters, stream: 9 + UInt32($0))) }
    let kernelGradient = Storage(count: channels * filters)
    let inputGradient = Storage(count: rows * channels)
    let gradients = PointwiseGradients(Self.geometry(layer), width: kernels * filters)
    let scratch = Storage(count: gradients.scratchCount)
    gradients.bind(
      on: try OneDNN(), input: x.pointer, gradient: g.pointer,
      folded: PointwiseGradients.FoldedRows(
        c: c.pointer, correction: factors[0].pointer, inverse: factors[1].pointer,
        mean: factors[2].pointer, slope: factors[3].pointer, constant: factors[4].pointer),
      kernelGradient: kernelGradient.pointer, inputGradient: inputGradient.pointer, adds: false,
      scratch: scratch.pointer)
    for (index, kernel) in kernel.prefix(kernels).enumerated() {
      gradients.load(kernel.pointer, first: index * filters)
    }
    gradients.run()
    func factor(_ index: Int, _ j: Int) -> Double { Double(factors[index].pointer[j]) }
    func gz(_ r: Int, _ j: Int) -> Double { Double(g.pointer[r * filters + j]) * factor(0, j) }
    func dc(_ r: Int, _ j: Int) -> Double {
      (Double(c.pointer[r * filters + j]) - factor(2, j)) * factor(3, j) + factor(4, j)
    }
    func gk(_ r: Int, _ j: Int) -> Double { gz(r, j) * factor(1, j) + dc(r, j) }
    let expectedKernel = Self.product(
      channels, rows, filters, { Double(x.pointer[$1 * channels + $0]) }, gk)
    let expectedInput =
      kernels == 1
      ? Self.product(rows, filters, channels, gk, { Double(kernel[0].pointer[$1 * filters + $0]) })
      : Self.product(
        rows, 2 * filters, channels, { $1 < filters ? gz($0, $1) : dc($0, $1 - filters) },
        { Double(kernel[$0 / filters].pointer[$1 * filters + $0 % filters]) })
    #expect(relativeDistance(kernelGradient.values.map(Double.init), expectedKernel) < 5e-7)
    #expect(relativeDistance(inputGradient.values.map(Double.init), expectedInput) < 5e-7)
  }

  @Test(
    .enabled(if: PointwiseGradients.suits(geometry(Layer(rows: 200, channels: 1, filters: 1)))),
    arguments: layers)
  func rowsAreMultipliedAndAdded(layer: Layer) {
    let (rows, channels, filters) = (layer.rows, layer.channels, layer.filters)
    let x = Storage(hashed(rows * channels, stream: 1))
    let matrix = Storage(hashed(channels * filters, stream: 2))
    let bias = Storage(hashed(filters, stream: 3))
    let y = Storage(hashed(rows * filters, stream: 4))
    let before = y.values
    let products = RowProducts(inner: channels, columns: filters)
    products.load(matrix.pointer)
    products.add(x.pointer, bias: bias.pointer, rows: rows, to: y.pointer)
    var expected = Self.product(
      rows, channels, filters, { Double(x.pointer[$0 * channels + $1]) },
      { Double(matrix.pointer[$0 * filters + $1]) })
    for index in expected.indices {
      expected[index] += Double(before[index]) + Double(bias.pointer[index % filters])
    }
    #expect(relativeDistance(y.values.map(Double.init), expected) < 3e-7)
  }
}
