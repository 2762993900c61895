//! A training step of a weighted layer with batch normalization folded into it, forward and
//! backward side by side. Knows its buffers, not the network around it.

import CKernels
import Quantization
import Tensors

/// QConv2DBatchnorm, QDepthwiseConv2DBatchnorm and their dense sibling (QKeras 0.9.0, folding_mode
/// ema_stats_folding, never frozen), in training:
///
///     c = conv(x, K) + b;  mu, var = moments of c;  mv = the moving variance after this step
///     inv = gamma / sqrt(mv + e);  correction = sqrt(mv + e) / sqrt(var + e)
///     y = conv(x, q(inv * K)) * correction + qb(gamma * (b - mu) / sqrt(var + e) + beta)
///
/// Without a kernel quantizer conv(x, inv * K) is (c - b) * inv, and the second convolution falls
/// away. Gradients flow through mu and var, none through mv; the one of b is exactly 0.
final class FoldedStep: TrainingStep {
  private let oneDNN: OneDNN
  private let layer: BoundLayer
  private let normalization: BoundLayer.Normalization
  private let x: UnsafeMutablePointer<Float>
  private let y: UnsafeMutablePointer<Float>
  /// First convolution's output; kept for the backward pass.
  private let c: Storage
  /// Second convolution's output, where the kernel is quantized; kept for the backward pass.
  private let z: Storage?
  private let scaledKernel: Storage
  private let quantizedKernel: Storage
  private let foldedBias: Storage
  private let firstConvolution: Convolution
  private let secondConvolution: Convolution?
  private var backward: BackwardPass?

  // Per channel, from forward to backward.
  private let mean: Storage
  private let variance: Storage
  private let factor: Storage
  private let correction: Storage
  private let inverse: Storage
  private let offset: Storage
  /// sqrt(mv + e), the moving variance being this step's.
  private let movingDeviation: Buffer<Double>

  private var rows: Int { layer.geometry.outputRows }
  private var channels: Int { layer.channels }

  init(
    _ layer: BoundLayer, _ normalization: BoundLayer.Normalization, on oneDNN: OneDNN,
    x: UnsafeMutablePointer<Float>, y: UnsafeMutablePointer<Float>
  ) throws {
    self.oneDNN = oneDNN
    self.layer = layer
    self.normalization = normalization
    self.x = x
    self.y = y
    let geometry = layer.geometry
    c = Storage(count: geometry.outputCount)
    scaledKernel = Storage(count: geometry.kernelCount)
    quantizedKernel = Storage(count: geometry.kernelCount)
    foldedBias = Storage(count: layer.channels)
    firstConvolution = try Convolution(
      .forward, geometry, on: oneDNN, input: x, kernel: layer.kernel, bias: layer.bias,
      output: c.pointer)
    if layer.kernelQuantizer != nil {
      let z = Storage(count: geometry.outputCount)
      self.z = z
      secondConvolution = try Convolution(
        .forward, geometry, on: oneDNN, input: x, kernel: quantizedKernel.pointer,
        output: z.pointer)
    } else {
      z = nil
      secondConvolution = nil
    }
    mean = Buffer(count: layer.channels)
    variance = Buffer(count: layer.channels)
    movingDeviation = Buffer(count: layer.channels)
    factor = Storage(count: layer.channels)
    correction = Storage(count: layer.channels)
    inverse = Storage(count: layer.channels)
    offset = Storage(count: layer.channels)
  }

  func forward() {
    firstConvolution.loadKernel()
    firstConvolution.execute()
    ck_channel_moments(c.pointer, rows, channels, mean.pointer, variance.pointer)
    updateMovingStatistics()
    // In float32 and in TensorFlow's order: half a unit in the last place decides which code a value
    // on the edge between two gets.
    let epsilon = Float(BatchNormalization.epsilon)
    for j in 0..<channels {
      inverse.pointer[j] = normalization.movingVariance[j] + epsilon
      factor.pointer[j] = variance.pointer[j] + epsilon
    }
    let isPortable: Int32 = oneDNN.isPortable ? 1 : 0
    ck_reciprocal_root(inverse.pointer, inverse.pointer, channels, isPortable)
    ck_reciprocal_root(factor.pointer, factor.pointer, channels, isPortable)
    for j in 0..<channels {
      let deviation = (normalization.movingVariance[j] + epsilon).squareRoot()
      movingDeviation.pointer[j] = Double(deviation)
      let gamma = normalization.gamma[j]
      correction.pointer[j] = deviation * factor.pointer[j]
      inverse.pointer[j] *= gamma
      factor.pointer[j] *= gamma
      foldedBias.pointer[j] =
        factor.pointer[j] * (layer.bias[j] - mean.pointer[j]) + normalization.beta[j]
    }
    layer.quantizeBias(foldedBias.pointer, into: foldedBias.pointer)
    if let z, let secondConvolution {
      ck_channel_scale(
        layer.kernel, inverse.pointer, scaledKernel.pointer, layer.geometry.kernelCount / channels,
        channels)
      layer.quantizeKernel(scaledKernel.pointer, into: quantizedKernel.pointer)
      secondConvolution.loadKernel()
      secondConvolution.execute()
      ck_channel_affine(
        z.pointer, correction.pointer, foldedBias.pointer, y, rows, channels)
    } else {
      for j in 0..<channels {
        offset.pointer[j] = foldedBias.pointer[j] - layer.bias[j] * factor.pointer[j]
      }
      ck_channel_affine(c.pointer, factor.pointer, offset.pointer, y, rows, channels)
    }
  }

  private func updateMovingStatistics() {
    // TensorFlow's fused batch normalization keeps the unbiased variance; a dense layer's is plain.
    let unbias = layer.isDense || rows < 2 ? 1 : Float(rows) / Float(rows - 1)
    let rate = BatchNormalization.movingRate
    for j in 0..<channels {
      let oldMean = normalization.movingMean[j]
      let oldVariance = normalization.movingVariance[j]
      normalization.movingMean[j] = oldMean - (oldMean - mean.pointer[j]) * rate
      normalization.movingVariance[j] =
        oldVariance - (oldVariance - variance.pointer[j] * unbias) * rate
    }
  }

  // MARK: Backward

  /// Buffers and primitives of the backward pass. The output's gradient is overwritten.
  private struct BackwardPass {
    let outputGradient: UnsafeMutablePointer<Float>
    /// Gradient of c through the batch's moments.
    let momentGradient: UnsafeMutablePointer<Float>
    /// inv * (gradient of the second convolution's output) + (gradient of c): one pass over x
    /// gives the whole kernel gradient, as both meet the same x.
    let joinedGradient: UnsafeMutablePointer<Float>
    let kernel: Convolution
    let input: InputGradient?
    /// Per channel, with g the output's gradient: sum g, sum g*z, sum g*c.
    let sums: (g: Buffer<Double>, gz: Buffer<Double>, gc: Buffer<Double>)
    let meanZ: Storage
    let slope: Storage
    let constant: Storage
  }

  /// The input's gradient: from the quantized kernel, and from the plain one through the moments.
  private struct InputGradient {
    let target: UnsafeMutablePointer<Float>
    let scratch: UnsafeMutablePointer<Float>
    let accumulates: Bool
    let first: Convolution
    let second: Convolution?
  }

  func prepareBackward(
    outputGradient: UnsafeMutablePointer<Float>, inputGradient: GradientTarget?,
    scratch: BackwardScratch, on oneDNN: OneDNN
  ) throws {
    let geometry = layer.geometry
    let isQuantized = layer.kernelQuantizer != nil
    let kernel = try Convolution(
      .backwardKernel, geometry, on: oneDNN, input: x, kernel: layer.kernelGradient,
      output: scratch.second.pointer)
    let input = try inputGradient.map { target in
      // The first writes where the sum shall be, unless that already holds another path's part.
      let first = target.accumulates ? scratch.input.pointer : target.pointer
      return InputGradient(
        target: target.pointer, scratch: scratch.input.pointer, accumulates: target.accumulates,
        first: try Convolution(
          .backwardData, geometry, on: oneDNN, input: first,
          kernel: isQuantized ? quantizedKernel.pointer : layer.kernel,
          output: isQuantized ? outputGradient : scratch.second.pointer),
        second: isQuantized
          ? try Convolution(
            .backwardData, geometry, on: oneDNN, input: scratch.input.pointer,
            kernel: layer.kernel, output: scratch.first.pointer) : nil)
    }
    backward = BackwardPass(
      outputGradient: outputGradient, momentGradient: scratch.first.pointer,
      joinedGradient: scratch.second.pointer, kernel: kernel, input: input,
      sums: (Buffer(count: channels), Buffer(count: channels), Buffer(count: channels)),
      meanZ: Storage(count: channels),
      slope: Storage(count: channels), constant: Storage(count: channels))
  }

  func runBackward() {
    guard let pass = backward else { preconditionFailure("the backward pass was not prepared") }
    reduceGradients(pass)
    ck_folded_backward(
      pass.outputGradient, c.pointer, correction.pointer, inverse.pointer, mean.pointer,
      pass.slope.pointer, pass.constant.pointer, z == nil ? nil : pass.outputGradient,
      pass.momentGradient,
      pass.joinedGradient, rows, channels)
    pass.kernel.execute()
    guard let input = pass.input else { return }
    input.first.loadKernel()
    input.first.execute()
    if input.accumulates { ck_accumulate(input.scratch, input.target, layer.geometry.inputCount) }
    if let second = input.second {
      second.loadKernel()
      second.execute()
      ck_accumulate(input.scratch, input.target, layer.geometry.inputCount)
    }
  }

  /// The gradients of gamma and beta, and the numbers per channel that give the one of c.
  ///
  /// With S = sum g, and c and z taken relative to their means (mu, and inv * (mu - b)), the terms of
  /// the folded bias cancel in closed form instead of in rounding:
  ///
  ///     dgamma = r * sum g (c - mu),   dr = sqrt(mv + e) * sum g (z - inv (mu - b))
  ///     dvar = -r^3/2 dr,   dmu = -S gamma r,   r = 1 / sqrt(var + e)
  private func reduceGradients(_ pass: BackwardPass) {
    let sums = pass.sums
    for j in 0..<channels {
      pass.meanZ.pointer[j] = inverse.pointer[j] * (mean.pointer[j] - layer.bias[j])
    }
    ck_channel_sums(
      pass.outputGradient, (z ?? c).pointer, (z == nil ? mean : pass.meanZ).pointer, c.pointer,
      mean.pointer, rows, channels, sums.g.pointer, sums.gz.pointer, sums.gc.pointer)
    let n = Double(rows)
    for j in 0..<channels {
      let gamma = Double(normalization.gamma[j])
      let inverse = Double(inverse.pointer[j])
      let reciprocal = 1 / (Double(variance.pointer[j]) + BatchNormalization.epsilon).squareRoot()
      let sum = sums.g.pointer[j]
      let sumC = sums.gc.pointer[j]
      // What the float32 shift is short of the exact one.
      let short =
        Double(pass.meanZ.pointer[j])
        - inverse * (Double(mean.pointer[j]) - Double(layer.bias[j]))
      let sumZ = z == nil ? inverse * sumC : sums.gz.pointer[j] + short * sum
      normalization.betaGradient[j] = Float(sum)
      normalization.gammaGradient[j] = Float(sumC * reciprocal)
      layer.biasGradient[j] = 0
      let varianceGradient =
        -0.5 * reciprocal * reciprocal * reciprocal * (sumZ * movingDeviation.pointer[j])
      pass.slope.pointer[j] = Float(2 * varianceGradient / n)
      pass.constant.pointer[j] = Float(-sum * gamma * reciprocal / n)
    }
  }
}
