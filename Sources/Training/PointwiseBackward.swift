//! The backward pass of a folded 1x1 layer with no fewer channels out than in, without its first
//! convolution's output. Knows neither the chain behind the layer nor the optimizer.

import CKernels
import Tensors

/// c = xK is linear in x at each position, so what flows back through its mean and variance is, too.
/// With g the output's gradient, gz = g * correction, and per output channel
/// dc = (c + b - mu) * slope + constant (see `FoldedBackward`), d = (b - mu) * slope + constant:
///
///     P = x'g,   sum g (c + b - mu) = diag(K'P) + (b - mu) sum g
///     dK = inv * correction * P + (x'x) K diag(slope) + (sum x) d'
///     dx = conv^T(g, correction * q(inv * K)) + x K diag(slope) K' + K d
///
/// So c is forgotten once its moments are known, and nothing of the output's size is written.
/// Cheaper where the input is not the wider side and there are many more positions than channels in.
final class PointwiseBackward: FoldedPass {
  private let layer: BoundLayer
  private let statistics: FoldedStatistics
  private let input: MapNode
  private let gradient: PlannedBuffer
  private let target: GradientTarget
  private let addend: PlannedBuffer?
  private let quantizedKernel: Storage
  // (channels in, channels out)
  private let product: Storage
  private let slopedKernel: Storage
  private let correctedKernel: Storage
  private let momentPart: Storage
  // (channels in, channels in)
  private let inputProduct: Storage
  private let inputKernel: Storage
  private let inputOffset: Storage
  private let shift: Storage
  private let scale: Storage
  private let sumX: Buffer<Double>
  private let partialSums: Buffer<Double>
  /// What the forward pass knows of x'x, where x is bytes.
  private let moments: PointwiseMoments?
  /// Both products with g, where the processor is such; else a pass each.
  private let gradients: PointwiseGradients?
  private let inputProducts: RowProducts?
  private let scratch: PlannedBuffer?
  private var kernelPass: Convolution?
  private var inputProductPass: Convolution?
  private var inputPass: Convolution?
  private var momentPass: Convolution?

  private var channelsIn: Int { layer.geometry.inputChannels }
  private var channels: Int { layer.channels }

  /// Whether this way pays for a layer: it exchanges passes over maps of the output's width, and where
  /// the input is bytes the first convolution, too, for products of the input's.
  static func suits(_ geometry: ConvolutionGeometry) -> Bool {
    let (rows, channels) = (geometry.outputRows, geometry.inputChannels)
    guard
      !geometry.isDepthwise && geometry.kernelHeight == 1 && geometry.kernelWidth == 1
        && geometry.strideHeight == 1 && geometry.strideWidth == 1
    else { return false }
    if channels == geometry.outputChannels { return rows >= 64 * channels }
    return channels < geometry.outputChannels && rows >= 4 * channels
  }

  /// - Parameter target: where the input's gradient goes.
  init(
    _ layer: BoundLayer, _ statistics: FoldedStatistics, input: MapNode,
    moments: PointwiseMoments?, gradient: PlannedBuffer, target: GradientTarget,
    quantizedKernel: Storage, plan: inout MemoryPlan, moment: Int
  ) {
    self.layer = layer
    self.statistics = statistics
    self.input = input
    self.moments = moments
    self.gradient = gradient
    self.target = target
    self.quantizedKernel = quantizedKernel
    let geometry = layer.geometry
    let (channelsIn, kernelCount) = (geometry.inputChannels, geometry.kernelCount)
    gradients =
      PointwiseGradients.suits(geometry)
      ? PointwiseGradients(geometry, width: layer.channels) : nil
    inputProducts = gradients.map { _ in RowProducts(inner: channelsIn, columns: channelsIn) }
    scratch = gradients.map { plan.buffer(count: $0.scratchCount) }
    addend =
      gradients == nil && target.accumulates ? plan.buffer(count: geometry.inputCount) : nil
    (product, slopedKernel) = (Storage(count: kernelCount), Storage(count: kernelCount))
    (correctedKernel, momentPart) = (Storage(count: kernelCount), Storage(count: kernelCount))
    inputProduct = Storage(count: moments == nil ? channelsIn * channelsIn : 0)
    inputKernel = Storage(count: channelsIn * channelsIn)
    inputOffset = Storage(count: channelsIn)
    (shift, scale) = (Storage(count: layer.channels), Storage(count: layer.channels))
    let summed = moments == nil ? channelsIn : 0
    sumX = Buffer(count: summed)
    partialSums = Buffer(count: (geometry.outputRows + 63) / 64 * summed)
    let own = [input.buffer, gradient, target.buffer, addend, scratch]
    for buffer in own.compactMap({ $0 }) {
      plan.use(buffer, at: moment)
    }
  }

  func bind(on oneDNN: OneDNN) throws {
    let geometry = layer.geometry
    var square = geometry
    square.outputChannels = channelsIn
    let x = input.buffer.pointer
    let place = (addend ?? target.buffer).pointer
    if moments == nil {
      inputProductPass = try Convolution(
        .backwardKernel, square, on: oneDNN, input: x, kernel: inputProduct.pointer, output: x)
    }
    if let gradients, let scratch {
      return gradients.bind(
        on: oneDNN, input: x, gradient: gradient.pointer, kernelGradient: product.pointer,
        inputGradient: target.buffer.pointer, adds: target.accumulates, scratch: scratch.pointer)
    }
    kernelPass = try Convolution(
      .backwardKernel, geometry, on: oneDNN, input: x, kernel: product.pointer,
      output: gradient.pointer)
    inputPass = try Convolution(
      .backwardData, geometry, on: oneDNN, input: place, kernel: correctedKernel.pointer,
      output: gradient.pointer)
    momentPass = try Convolution(
      .forwardAdding, square, on: oneDNN, input: x, kernel: inputKernel.pointer,
      bias: inputOffset.pointer, output: place)
  }

  /// The sums of g * (c + b - mu), which the gradients of gamma and of the moments hang on.
  func prepare() {
    ck_channel_scale(
      quantizedKernel.pointer, statistics.correction.pointer, correctedKernel.pointer, channelsIn,
      channels)
    gradients?.load(correctedKernel.pointer)
    gradients?.run()
    kernelPass?.execute()
    ck_column_products(
      product.pointer, layer.kernel, channelsIn, channels, statistics.sumGC.pointer)
    for j in 0..<channels {
      let shift = Double(layer.bias[j]) - Double(statistics.mean.pointer[j])
      statistics.sumGC.pointer[j] += shift * statistics.sumG.pointer[j]
    }
  }

  func run() {
    let s = statistics
    for j in 0..<channels {
      shift.pointer[j] =
        (layer.bias[j] - s.mean.pointer[j]) * s.slope.pointer[j] + s.constant.pointer[j]
      scale.pointer[j] = s.inverse.pointer[j] * s.correction.pointer[j]
    }
    ck_channel_scale(layer.kernel, s.slope.pointer, slopedKernel.pointer, channelsIn, channels)
    runKernel()
    inputPass?.loadAndExecute()
    SharedRows.run(layer.geometry, channelsIn, values: 0) { _ in
      MatrixProduct.multiplyTransposed(
        slopedKernel.pointer, layer.kernel, into: inputKernel.pointer, rows: channelsIn,
        inner: channels, columns: channelsIn)
    }
    ck_row_products(layer.kernel, shift.pointer, channelsIn, channels, inputOffset.pointer)
    addMoments()
  }

  /// The part of the input's gradient that flows through the moments.
  private func addMoments() {
    guard let inputProducts else {
      momentPass?.loadAndExecute()
      if let addend { ck_accumulate(addend.pointer, target.buffer.pointer, addend.count) }
      return
    }
    inputProducts.load(inputKernel.pointer)
    inputProducts.add(
      input.buffer.pointer, bias: inputOffset.pointer, rows: layer.geometry.outputRows,
      to: target.buffer.pointer)
  }

  private func runKernel() {
    if let moments {
      ck_channel_scale(
        moments.image.pointer, statistics.slope.pointer, momentPart.pointer, channelsIn, channels)
    } else {
      multiplyInput()
    }
    var parts = ck_kernel_parts(
      product: product.pointer, scale: scale.pointer, moments: momentPart.pointer,
      shift: shift.pointer, sum_x: (moments?.sums ?? sumX).pointer, rows: channelsIn,
      channels: channels, gradient: layer.kernelGradient)
    ck_kernel_gradient(&parts)
  }

  /// x'x K diag(slope), and the sums of x.
  private func multiplyInput() {
    inputProductPass?.execute()
    ck_channel_sum(
      input.buffer.pointer, layer.geometry.outputRows, channelsIn, sumX.pointer,
      partialSums.pointer)
    SharedRows.run(layer.geometry, channelsIn, values: 0) { _ in
      MatrixProduct.multiply(
        inputProduct.pointer, slopedKernel.pointer, into: momentPart.pointer, rows: channelsIn,
        inner: channelsIn, columns: channels)
    }
  }
}
