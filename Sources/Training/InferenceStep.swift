//! A weighted layer at inference: one convolution with a kernel and a bias made ready beforehand.

import CKernels
import Quantization
import Tensors

/// y = conv(x, q(inv * K)) + qb(inv * (b - moving mean) + beta), inv = gamma / sqrt(moving variance
/// + e); without batch normalization y = conv(x, q(K)) + qb(b).
final class InferenceStep: LayerStep {
  private let oneDNN: OneDNN
  private let layer: BoundLayer
  private let kernel: Storage
  private let bias: Storage
  private let factor: Storage
  private let convolution: Convolution

  init(
    _ layer: BoundLayer, on oneDNN: OneDNN, x: UnsafeMutablePointer<Float>,
    y: UnsafeMutablePointer<Float>
  ) throws {
    self.oneDNN = oneDNN
    self.layer = layer
    kernel = Storage(count: layer.geometry.kernelCount)
    bias = Storage(count: layer.channels)
    factor = Storage(count: layer.channels)
    convolution = try Convolution(
      .forward, layer.geometry, on: oneDNN, input: x, kernel: kernel.pointer, bias: bias.pointer,
      output: y)
  }

  /// Folds and quantizes the weights' current values.
  func prepare() {
    let channels = layer.channels
    if let normalization = layer.normalization {
      for j in 0..<channels {
        factor.pointer[j] = normalization.movingVariance[j] + Float(BatchNormalization.epsilon)
      }
      // In float32, as TensorFlow: see `FoldedStep`.
      ck_reciprocal_root(
        factor.pointer, factor.pointer, channels, oneDNN.isPortable ? 1 : 0)
      for j in 0..<channels {
        let inverse = normalization.gamma[j] * factor.pointer[j]
        factor.pointer[j] = inverse
        bias.pointer[j] =
          inverse * (layer.bias[j] - normalization.movingMean[j]) + normalization.beta[j]
      }
      ck_channel_scale(
        layer.kernel, factor.pointer, kernel.pointer, layer.geometry.kernelCount / channels,
        channels)
      layer.quantizeKernel(kernel.pointer, into: kernel.pointer)
      layer.quantizeBias(bias.pointer, into: bias.pointer)
    } else {
      layer.quantizeKernel(layer.kernel, into: kernel.pointer)
      layer.quantizeBias(layer.bias, into: bias.pointer)
    }
    convolution.loadKernel()
  }

  func forward() { convolution.execute() }
}
