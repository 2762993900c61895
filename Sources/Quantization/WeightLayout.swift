//! How a weight tensor's elements share scales. Knows no values.

package import Networks

/// The shape of a weight tensor as far as its quantizer cares.
package enum WeightLayout: Hashable, Sendable {
  /// (rows, channels) in C order, a scale for each channel: Conv2D (h,w,in,out), Dense (in,out).
  case kernel(rows: Int, channels: Int)
  /// (h,w,c,1): its last axis has one element, so QKeras's modes give it ONE scale; best_po2 gives
  /// each channel its own.
  case depthwise(rows: Int, channels: Int)
  /// One dimension: one scale, except that auto_po2's five updates make one for each element.
  case bias(count: Int)

  package var elements: Int {
    switch self {
    case .kernel(let rows, let channels), .depthwise(let rows, let channels): rows * channels
    case .bias(let count): count
    }
  }

  /// The layout of a weight of this shape under `spec`.
  ///
  /// - Parameter isDepthwise: whether the shape is a DepthwiseConv2D kernel's (h,w,c,1).
  /// - Throws: `QuantizerError` for a scale_axis other than the one that QKeras would take anyway,
  ///   or a depthwise kernel's channels.
  package init(
    shape: [Int], isDepthwise: Bool, for spec: QuantizerSpec
  ) throws(QuantizerError) {
    precondition(!shape.isEmpty, "a single number has no layout")
    let last = shape.count - 1
    let elements = shape.reduce(1, *)
    // QKeras ignores scale_axis on one dimension, and so does a fixed grid.
    if shape.count == 1 {
      self = .bias(count: elements)
    } else if isDepthwise {
      let channels = max(shape[last - 1] * shape[last], 1)
      switch spec.scaleAxis {
      case nil, last: self = .depthwise(rows: elements / channels, channels: channels)
      case last - 1 where shape[last] == 1:
        self = .kernel(rows: elements / channels, channels: channels)
      default: throw .scaleAxis(spec, shape: shape)
      }
    } else {
      guard spec.scaleAxis == nil || spec.scaleAxis == last else {
        throw .scaleAxis(spec, shape: shape)
      }
      self = .kernel(rows: elements / max(shape[last], 1), channels: shape[last])
    }
  }
}
