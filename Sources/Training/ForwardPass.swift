//! A weighted layer's forward convolution, in as many parts as TensorFlow adds it in.

import CKernels
import Tensors

/// y = conv(x, K) (+ b), rounded as TensorFlow rounds it.
///
/// oneDNN's convolutions are TensorFlow's own. A matrix product, though, TensorFlow (Eigen 3.4's
/// contraction) cuts along its inner extent into equal parts of at most 320, adds the parts one
/// after the other, and then the bias; oneDNN's is one chain of sums, as is each part. Half a unit
/// in the last place decides codes, so a dense layer of more than 320 features is cut here as well.
final class ForwardPass {
  private struct Part {
    let convolution: Convolution
    /// The part's features side by side.
    let packed: Storage
    let firstFeature: Int
    /// Where the part's product goes before it is added; nil: into the output.
    let product: Storage?
  }

  private let geometry: ConvolutionGeometry
  private let input: UnsafeMutablePointer<Float>
  private let output: UnsafeMutablePointer<Float>
  private let bias: UnsafeMutablePointer<Float>?
  /// All of it, or nil where there are parts.
  private let whole: Convolution?
  private var parts: [Part] = []

  /// Longest inner extent of a matrix product that TensorFlow leaves in one piece.
  private static let longestPart = 320

  init(
    _ layer: BoundLayer, on oneDNN: OneDNN, input: UnsafeMutablePointer<Float>,
    kernel: UnsafeMutablePointer<Float>, bias: UnsafeMutablePointer<Float>?,
    output: UnsafeMutablePointer<Float>
  ) throws {
    geometry = layer.geometry
    self.input = input
    self.output = output
    self.bias = bias
    let features = geometry.inputChannels
    guard layer.isDense, features > Self.longestPart else {
      whole = try Convolution(
        .forward, geometry, on: oneDNN, input: input, kernel: kernel, bias: bias, output: output)
      return
    }
    whole = nil
    let count = (features + Self.longestPart - 1) / Self.longestPart
    let length = (features / count + 7) / 8 * 8
    for first in stride(from: 0, to: features, by: length) {
      var part = geometry
      part.inputChannels = min(length, features - first)
      let packed = Storage(count: part.inputCount)
      let product = first == 0 ? nil : Storage(count: part.outputCount)
      parts.append(
        Part(
          convolution: try Convolution(
            .forward, part, on: oneDNN, input: packed.pointer,
            kernel: kernel + first * geometry.outputChannels, output: product?.pointer ?? output),
          packed: packed, firstFeature: first, product: product))
    }
  }

  /// Takes the kernel's current values.
  func loadKernel() {
    whole?.loadKernel()
    for part in parts { part.convolution.loadKernel() }
  }

  func execute() {
    whole?.execute()
    guard !parts.isEmpty else { return }
    let features = geometry.inputChannels
    for part in parts {
      let length = part.packed.count / geometry.batch
      for sample in 0..<geometry.batch {
        (part.packed.pointer + sample * length).update(
          from: input + sample * features + part.firstFeature, count: length)
      }
      part.convolution.execute()
      if let product = part.product { ck_accumulate(product.pointer, output, product.count) }
    }
    if let bias { ck_add_bias(bias, output, geometry.outputRows, geometry.outputChannels) }
  }
}
