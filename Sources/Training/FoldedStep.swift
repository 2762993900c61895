//! A training step of a weighted layer with batch normalization folded into it, forward and
//! backward side by side. Knows its buffers, not the network around it.

import CKernels
import Quantization
import Tensors

/// QConv2DBatchnorm, QDepthwiseConv2DBatchnorm and their dense sibling (QKeras 0.9.0, folding_mode
/// ema_stats_folding, never frozen), in training:
///
///     c = conv(x, K);  mu, var = moments of c + b;  mv = the moving variance after this step
///     inv = gamma / sqrt(mv + e);  correction = sqrt(mv + e) / sqrt(var + e)
///     y = conv(x, q(inv * K)) * correction + qb(gamma * (b - mu) / sqrt(var + e) + beta)
///
/// The last line's multiplication and addition are done by the chain that follows (`ChainStep`), in
/// one pass with what comes behind them. Without a kernel quantizer conv(x, inv * K) is c * inv, and
/// the second convolution falls away. Gradients flow through mu and var, none through mv; the one of
/// b is exactly 0.
final class FoldedStep: TrainingStep {
  let name: String
  let kind: String
  private let layer: BoundLayer
  private let normalization: BoundLayer.Normalization
  private let input: MapNode
  /// First convolution's output, where `pointwiseMoments` does not do without it; kept for the backward
  /// pass where that needs it.
  private let c: PlannedBuffer?
  /// What gives its moments where it is not computed.
  private let pointwiseMoments: PointwiseMoments?
  /// Second convolution's output, where the kernel is quantized; kept for the backward pass, unless
  /// the chain behind the layer makes it again there.
  private let z: PlannedBuffer?
  private let isQuantized: Bool
  /// Whether the chain makes the second convolution's output wherever it reads it: whole numbers are
  /// multiplied again sooner than a map of their sums is written and read.
  let isRemade: Bool
  /// Whether the backward pass does without c.
  private let keepsOnlyMoments: Bool
  private let quantizedKernel: Storage
  private let statistics: FoldedStatistics
  private var firstConvolution: Convolution?
  private var secondConvolution: Convolution?
  /// The second convolution where the chain behind the layer runs it sample by sample: in whole
  /// numbers, where map and kernel are bytes, or depthwise. A dense layer of bytes is run here, all
  /// samples at once. A deep kernel's sums may be too large for
  /// bytes to give float32's numbers, so it has `secondConvolution`, too.
  private var byteConvolution: ByteConvolution?
  private var depthwise: DepthwiseMaker?
  private var isPortable = false
  private var pass: (any FoldedPass)?
  /// The gradient of the layer's output, which the chain behind it leaves here.
  var outputGradient: PlannedBuffer?

  /// Values from which a map of sums is not kept: smaller ones stay in a cache, and are read from
  /// there as soon as they are made again.
  private static let leastRemade = 1 << 20

  private var rows: Int { layer.geometry.outputRows }
  private var channels: Int { layer.channels }

  init(
    _ layer: BoundLayer, _ normalization: BoundLayer.Normalization, input: MapNode,
    plan: inout MemoryPlan
  ) {
    self.layer = layer
    self.normalization = normalization
    name = layer.name
    kind = layer.kind
    self.input = input
    isQuantized = layer.kernelQuantizer != nil
    isRemade =
      layer.isInBytes(input) && ByteConvolution.isAlwaysExact(layer.geometry)
      && ByteConvolution.makesSamples(layer.geometry)
      && layer.geometry.outputCount >= Self.leastRemade
    let keepsZ = isQuantized && !isRemade
    z = keepsZ ? plan.buffer(count: layer.geometry.outputCount) : nil
    quantizedKernel = Storage(count: isQuantized ? layer.geometry.kernelCount : 0)
    statistics = FoldedStatistics(channels: layer.channels)
    keepsOnlyMoments =
      isQuantized && input.needsGradient && PointwiseBackward.suits(layer.geometry)
    pointwiseMoments =
      keepsOnlyMoments ? PointwiseMoments(layer, statistics, input: input, plan: &plan) : nil
    c = pointwiseMoments == nil ? plan.buffer(count: layer.geometry.outputCount) : nil
  }

  /// What the chain behind the layer reads.
  var chainInputs: [PlannedBuffer] {
    [z, keepsOnlyMoments ? nil : c, isRemade ? input.buffer : nil].compactMap { $0 }
  }

  /// Gives the chain its source: z * correction + folded bias, or the same from c.
  func bind(_ chain: inout ck_chain) {
    chain.a = isRemade ? nil : (z ?? c).map { UnsafePointer($0.pointer) }
    chain.factor = UnsafePointer(statistics.factorPeriod.pointer)
    chain.offset = UnsafePointer(statistics.offsetPeriod.pointer)
    guard let maker = byteConvolution?.maker ?? depthwise?.maker else { return }
    (chain.make, chain.maker) = (maker.make, maker.maker)
  }

  /// Lets the chain's backward pass form the sums that this layer's needs.
  func bind(_ gradient: inout ck_chain_gradient) {
    gradient.c = keepsOnlyMoments ? nil : c.map { UnsafePointer($0.pointer) }
    gradient.mean_a = UnsafePointer(statistics.meanZPeriod.pointer)
    gradient.mean_c = UnsafePointer(statistics.meanPeriod.pointer)
    gradient.sum_g = statistics.sumG.pointer
    gradient.sum_ga = statistics.sumGZ.pointer
    gradient.sum_gc = statistics.sumGC.pointer
  }

  func planForward(_ plan: inout MemoryPlan, at moment: Int) {
    for buffer in [input.buffer, c, z].compactMap({ $0 }) { plan.use(buffer, at: moment) }
    pointwiseMoments?.planForward(&plan, at: moment)
  }

  func bind(on oneDNN: OneDNN) throws {
    isPortable = oneDNN.isPortable
    if let c {
      firstConvolution = try Convolution(
        .forward, layer.geometry, on: oneDNN, input: input.buffer.pointer, kernel: layer.kernel,
        output: c.pointer, mayRegroup: true)
    }
    pointwiseMoments?.bind()
    if isQuantized { try bindSecond(on: oneDNN) }
    try pass?.bind(on: oneDNN)
  }

  private func bindSecond(on oneDNN: OneDNN) throws {
    let (geometry, x, kernel) = (layer.geometry, input.buffer.pointer, quantizedKernel.pointer)
    if geometry.isDepthwise {
      depthwise = DepthwiseMaker(geometry, input: x, kernel: kernel)
      return
    }
    if let grids = input.grids, layer.isInBytes(input) {
      byteConvolution = ByteConvolution(
        geometry, input: x, grids: grids.pointer, kernel: kernel)
      if ByteConvolution.isAlwaysExact(geometry) { return }
    }
    guard let z else { return }
    secondConvolution = try Convolution(
      .forward, geometry, on: oneDNN, input: x, kernel: kernel, output: z.pointer)
  }

  func forward() {
    computeMoments()
    let s = statistics
    updateMovingStatistics()
    fold()
    layer.quantizeBias(s.foldedBias.pointer, into: s.foldedBias.pointer)
    ck_repeat(
      (isQuantized ? s.correction : s.factor).pointer, channels, s.factorPeriod.pointer)
    ck_repeat(s.foldedBias.pointer, channels, s.offsetPeriod.pointer)
    if !isQuantized { return }
    ck_channel_scale(
      layer.kernel, s.inverse.pointer, quantizedKernel.pointer,
      layer.geometry.kernelCount / channels, channels)
    layer.quantizeKernel(
      quantizedKernel.pointer, into: quantizedKernel.pointer, scales: byteConvolution?.steps.pointer
    )
    guard let byteConvolution, byteConvolution.loadKernel() else {
      secondConvolution?.loadAndExecute()
      return
    }
    if byteConvolution.maker == nil, let z { byteConvolution.executeRows(into: z.pointer) }
  }

  private func computeMoments() {
    pointwiseMoments?.run()
    guard let c else { return }
    firstConvolution?.loadAndExecute()
    let s = statistics
    var moments = ck_moments(
      x: c.pointer, bias: layer.bias, rows: rows, channels: channels, mean: s.mean.pointer,
      variance: s.variance.pointer, fused_mean: layer.isDense ? nil : s.fusedMean.pointer,
      fused_variance: layer.isDense ? nil : s.fusedVariance.pointer, scratch: s.scratch.pointer)
    ck_channel_moments(&moments)
  }

  /// inv, the correction and the folded bias: in float32 and in TensorFlow's order, as half a unit in
  /// the last place decides which code a value on the edge between two gets.
  private func fold() {
    let s = statistics
    let epsilon = Float(BatchNormalization.epsilon)
    for j in 0..<channels {
      s.inverse.pointer[j] = normalization.movingVariance[j] + epsilon
      s.factor.pointer[j] = s.variance.pointer[j] + epsilon
    }
    ck_reciprocal_root(s.inverse.pointer, s.inverse.pointer, channels, isPortable ? 1 : 0)
    ck_reciprocal_root(s.factor.pointer, s.factor.pointer, channels, isPortable ? 1 : 0)
    for j in 0..<channels {
      let deviation = (normalization.movingVariance[j] + epsilon).squareRoot()
      s.movingDeviation.pointer[j] = Double(deviation)
      let gamma = normalization.gamma[j]
      s.correction.pointer[j] = deviation * s.factor.pointer[j]
      s.inverse.pointer[j] *= gamma
      s.factor.pointer[j] *= gamma
      s.foldedBias.pointer[j] =
        s.factor.pointer[j] * (layer.bias[j] - s.mean.pointer[j]) + normalization.beta[j]
    }
    for j in 0..<channels {
      s.meanC.pointer[j] = s.mean.pointer[j] - layer.bias[j]
      s.meanZ.pointer[j] = s.inverse.pointer[j] * s.meanC.pointer[j]
    }
    ck_repeat(s.meanC.pointer, channels, s.meanPeriod.pointer)
    ck_repeat(s.meanZ.pointer, channels, s.meanZPeriod.pointer)
  }

  /// Each in the order of its own operation in TensorFlow: a convolution's are the fused batch
  /// normalization's, which keeps the unbiased variance; a dense layer's are Keras's, the plain one.
  private func updateMovingStatistics() {
    let s = statistics
    let rate = BatchNormalization.movingRate
    if layer.isDense {
      for j in 0..<channels {
        let (mean, variance) = (normalization.movingMean[j], normalization.movingVariance[j])
        normalization.movingMean[j] = mean - (mean - s.mean.pointer[j]) * rate
        normalization.movingVariance[j] = variance - (variance - s.variance.pointer[j]) * rate
      }
      return
    }
    let unbiasedRate = rate * (rows < 2 ? 1 : Float(rows) / Float(rows - 1))
    for j in 0..<channels {
      normalization.movingMean[j] =
        (1 - rate) * normalization.movingMean[j] + rate * s.fusedMean.pointer[j]
      normalization.movingVariance[j] =
        (1 - rate) * normalization.movingVariance[j] + unbiasedRate * s.fusedVariance.pointer[j]
    }
  }

  // MARK: Backward

  var needsBackward: Bool { true }

  func planBackward(_ plan: inout MemoryPlan, at moment: Int) {
    guard let outputGradient else { preconditionFailure("\(name) has no gradient") }
    let target = input.target(&plan)
    if let target, keepsOnlyMoments {
      pass = PointwiseBackward(
        layer, statistics, input: input, moments: pointwiseMoments, gradient: outputGradient,
        target: target, quantizedKernel: quantizedKernel, plan: &plan, moment: moment)
      return
    }
    guard let c else { preconditionFailure("\(name) has no first convolution") }
    let parts = FoldedParts(
      layer: layer, statistics: statistics, input: input, c: c, gradient: outputGradient,
      target: target, quantizedKernel: isQuantized ? quantizedKernel : nil)
    if layer.geometry.isDepthwise {
      pass = DepthwiseBackward(parts, plan: &plan, moment: moment)
    } else if let target, PointwiseGradients.suits(layer.geometry) {
      pass = BlockedBackward(parts, target: target, plan: &plan, moment: moment)
    } else {
      pass = FoldedBackward(parts, plan: &plan, moment: moment)
    }
  }

  func backward() {
    pass?.prepare()
    reduceGradients()
    pass?.run()
  }

  /// The gradients of gamma and beta, and the numbers per channel that give the one of c.
  ///
  /// With S = sum g, and c and z taken relative to their means (mu - b, and inv times that), the
  /// terms of the folded bias cancel in closed form instead of in rounding:
  ///
  ///     dgamma = r * sum g (c - (mu - b)),   dr = sqrt(mv + e) * sum g (z - inv (mu - b))
  ///     dvar = -r^3/2 dr,   dmu = -S gamma r,   r = 1 / sqrt(var + e)
  private func reduceGradients() {
    let s = statistics
    let n = Double(rows)
    for j in 0..<channels {
      let gamma = Double(normalization.gamma[j])
      let inverse = Double(s.inverse.pointer[j])
      let reciprocal = 1 / (Double(s.variance.pointer[j]) + BatchNormalization.epsilon).squareRoot()
      let sum = s.sumG.pointer[j]
      let sumC = s.sumGC.pointer[j]
      // What the float32 shift is short of the exact one.
      let short =
        Double(s.meanZ.pointer[j])
        - inverse * (Double(s.mean.pointer[j]) - Double(layer.bias[j]))
      let sumZ = isQuantized ? s.sumGZ.pointer[j] + short * sum : inverse * sumC
      normalization.betaGradient[j] = Float(sum)
      normalization.gammaGradient[j] = Float(sumC * reciprocal)
      layer.biasGradient[j] = 0
      let varianceGradient =
        -0.5 * reciprocal * reciprocal * reciprocal * (sumZ * s.movingDeviation.pointer[j])
      s.slope.pointer[j] = Float(2 * varianceGradient / n)
      s.constant.pointer[j] = Float(-sum * gamma * reciprocal / n)
    }
  }
}

/// A folded layer's numbers per channel, from forward to backward. The ones called period stand
/// written over CKernels' period.
final class FoldedStatistics {
  /// The batch's moments, of c + b.
  let mean: Storage
  let variance: Storage
  /// The same as the fused batch normalization has them.
  let fusedMean: Storage
  let fusedVariance: Storage
  /// The mean of c: mean - b.
  let meanC: Storage
  /// gamma / sqrt(var + e).
  let factor: Storage
  let correction: Storage
  /// gamma / sqrt(mv + e).
  let inverse: Storage
  let foldedBias: Storage
  /// sqrt(mv + e), the moving variance being this step's.
  let movingDeviation: Buffer<Double>
  let meanZ: Storage
  let slope: Storage
  let constant: Storage
  /// With g the output's gradient: sum g, sum g * (z - meanZ), sum g * (c - meanC).
  let sumG: Buffer<Double>
  let sumGZ: Buffer<Double>
  let sumGC: Buffer<Double>
  let factorPeriod: Storage
  let offsetPeriod: Storage
  let meanPeriod: Storage
  let meanZPeriod: Storage
  let scratch: Storage

  init(channels: Int) {
    func perChannel() -> Storage { Storage(count: channels) }
    func period() -> Storage { Storage(count: ck_period(channels)) }
    (mean, variance, factor, correction) = (perChannel(), perChannel(), perChannel(), perChannel())
    (inverse, foldedBias, meanC, meanZ) = (perChannel(), perChannel(), perChannel(), perChannel())
    (fusedMean, fusedVariance) = (perChannel(), perChannel())
    (slope, constant) = (perChannel(), perChannel())
    movingDeviation = Buffer(count: channels)
    (sumG, sumGZ, sumGC) = (
      Buffer(count: channels), Buffer(count: channels), Buffer(count: channels)
    )
    (factorPeriod, offsetPeriod, meanPeriod, meanZPeriod) = (period(), period(), period(), period())
    scratch = Storage(count: 8 * channels)
  }
}
