//! A weighted layer at inference: one convolution with a kernel and a bias made ready beforehand.

import CKernels
import Quantization
import Tensors

/// y = conv(x, q(inv * K)) + qb(inv * (b - moving mean) + beta), inv = gamma / sqrt(moving variance
/// + e); without batch normalization y = conv(x, q(K)) + qb(b).
final class InferenceStep: ProgramStep {
  let name: String
  let kind: String
  private let layer: BoundLayer
  private let input: MapNode
  private let output: MapNode
  private let kernel: Storage
  private let bias: Storage
  private let factor: Storage
  private var isPortable = false
  private var convolution: Convolution?

  init(_ layer: BoundLayer, input: MapNode, output: MapNode) {
    self.layer = layer
    name = layer.name
    kind = layer.kind
    self.input = input
    self.output = output
    kernel = Storage(count: layer.geometry.kernelCount)
    bias = Storage(count: layer.channels)
    factor = Storage(count: layer.channels)
  }

  func planForward(_ plan: inout MemoryPlan, at moment: Int) {
    plan.use(input.buffer, at: moment)
    plan.use(output.buffer, at: moment)
  }

  func bind(on oneDNN: OneDNN) throws {
    isPortable = oneDNN.isPortable
    convolution = try Convolution(
      .forward, layer.geometry, on: oneDNN, input: input.buffer.pointer, kernel: kernel.pointer,
      bias: bias.pointer, output: output.buffer.pointer)
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
        factor.pointer, factor.pointer, channels, isPortable ? 1 : 0)
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
    convolution?.loadKernel()
  }

  func forward() { convolution?.execute() }
}
