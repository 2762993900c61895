//! What shape a layer's output has, and why an operation cannot stand on some inputs. Knows no
//! particular network.

/// Why a layer cannot stand where it is put, as what its name is followed by: "reads features, not
/// a map of 8x8x64".
package struct LayerError: Error, Hashable, Sendable, CustomStringConvertible {
  package var description: String

  init(_ description: String) { self.description = description }
}

/// Shapes as people write them, and products of extents that may come from outside.
package enum Shape {
  /// `32x32x3`, `640`.
  package static func text(_ shape: [Int]) -> String {
    shape.map { "\($0)" }.joined(separator: "x")
  }

  /// Nil where it does not fit into an Int.
  static func product(_ extents: [Int]) -> Int? {
    var product = 1
    for extent in extents {
      let (result, overflow) = product.multipliedReportingOverflow(by: extent)
      if overflow { return nil }
      product = result
    }
    return product
  }
}

extension Operation {
  /// The output's shape, without the batch, for inputs of these shapes.
  ///
  /// - Parameter keepsExtents: of a global average pool: (1, 1, channels) instead of (channels).
  package func outputShape(
    of inputs: [[Int]], keepsExtents: Bool = false
  ) throws(LayerError) -> [Int] {
    let wanted: Int =
      switch self {
      case .input: 0
      case .add, .multiply: 2
      default: 1
      }
    guard inputs.count == wanted else {
      throw LayerError("reads \(wanted) layers, not \(inputs.count)")
    }
    guard let x = inputs.first else { return [] }
    switch self {
    case .input, .quantize, .relu, .relu6, .swish, .sigmoid, .dropout: return x
    case .flatten:
      guard let count = Shape.product(x) else { throw LayerError("flattens too much") }
      return [count]
    case .softmax:
      guard x.count == 1 else {
        throw LayerError("reads features, not a map of \(Shape.text(x)): flatten it first")
      }
      return x
    case .weighted(let layer): return try layer.checkedShape(of: x)
    case .add:
      guard x == inputs[1] else {
        throw LayerError(
          "adds outputs of one shape, not of \(Shape.text(x)) and \(Shape.text(inputs[1]))")
      }
      return x
    case .multiply:
      guard x.count == 3, inputs[1] == [1, 1, x[2]] else {
        throw LayerError(
          "multiplies a map by one number for each of its channels, 1x1xC, not "
            + "\(Shape.text(x)) by \(Shape.text(inputs[1]))")
      }
      return x
    case .averagePool(let height, let width):
      let map = try Self.map(x)
      guard height > 0, width > 0, map[0] % height == 0, map[1] % width == 0 else {
        throw LayerError(
          "has windows of \(height)x\(width), which do not divide a map of \(map[0])x\(map[1])")
      }
      return [map[0] / height, map[1] / width, map[2]]
    case .globalAveragePool:
      let map = try Self.map(x)
      return keepsExtents ? [1, 1, map[2]] : [map[2]]
    }
  }

  fileprivate static func map(_ shape: [Int]) throws(LayerError) -> [Int] {
    guard shape.count == 3 else {
      throw LayerError(
        "reads a map of (height, width, channels), not \(Shape.text(shape)) features")
    }
    return shape
  }
}

extension WeightedLayer {
  fileprivate func checkedShape(of x: [Int]) throws(LayerError) -> [Int] {
    let sizes = [filters, kernelHeight, kernelWidth, strideHeight, strideWidth]
    guard sizes.allSatisfy({ $0 > 0 }) else { throw LayerError("has an extent below 1") }
    if kind == .dense {
      guard x.count == 1 else {
        throw LayerError(
          "reads features, not a map of \(Shape.text(x)): flatten it or pool it globally first")
      }
      return [filters]
    }
    let map = try Operation.map(x)
    if padding == .valid, kernelHeight > map[0] || kernelWidth > map[1] {
      throw LayerError(
        "has a kernel of \(kernelHeight)x\(kernelWidth), which does not fit into a map of "
          + "\(map[0])x\(map[1]) without padding")
    }
    if kind == .depthwiseConv2D, filters != map[2] {
      throw LayerError("is depthwise and keeps \(map[2]) channels, not \(filters)")
    }
    return outputShape(from: map)
  }
}
