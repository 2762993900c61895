//! The convolutions of a folded layer's backward pass: one kernel gradient for both kernels, and the
//! input's gradient through both. Knows neither statistics' meaning nor the chain behind the layer.

import CKernels
import Tensors

/// With gz the gradient of the quantized convolution's output and dc the one of c:
///
///     dK = conv'(x, inv * gz + dc),   dx = conv^T(gz, q(inv * K)) + conv^T(dc, K)
///
/// Outside depthwise layers the two transposed convolutions are one, of [gz | dc] with the kernels
/// side by side.
final class FoldedBackward {
  private let layer: BoundLayer
  private let statistics: FoldedStatistics
  private let input: MapNode
  private let c: PlannedBuffer
  private let gradient: PlannedBuffer
  private let quantizedKernel: Storage?
  private let target: GradientTarget?
  /// inv * gz + dc.
  private let joined: PlannedBuffer
  /// [gz | dc], or dc alone (gz then replaces the output's gradient).
  private let both: PlannedBuffer?
  /// The input's gradient, or its second part, where the target already holds something.
  private let addend: PlannedBuffer?
  /// The kernels side by side: (height, width, channels in, 2 * filters).
  private let bothKernels: Storage?

  private var folded = ck_folded()
  private var kernelPass: Convolution?
  private var inputPass: Convolution?
  private var secondInputPass: Convolution?

  private var isMerged: Bool { bothKernels != nil }

  init(
    _ layer: BoundLayer, _ statistics: FoldedStatistics, input: MapNode, c: PlannedBuffer,
    gradient: PlannedBuffer, quantizedKernel: Storage?, plan: inout MemoryPlan, moment: Int
  ) {
    self.layer = layer
    self.statistics = statistics
    self.input = input
    self.c = c
    self.gradient = gradient
    self.quantizedKernel = quantizedKernel
    let geometry = layer.geometry
    target = input.target(&plan)
    joined = plan.buffer(count: geometry.outputCount)
    let hasTwo = target != nil && quantizedKernel != nil
    let isMerged = hasTwo && !geometry.isDepthwise
    both = hasTwo ? plan.buffer(count: geometry.outputCount * (isMerged ? 2 : 1)) : nil
    bothKernels = isMerged ? Storage(count: 2 * geometry.kernelCount) : nil
    addend =
      target?.accumulates == true || (hasTwo && !isMerged)
      ? plan.buffer(count: geometry.inputCount) : nil
    let used = [input.buffer, c, gradient, joined, target?.buffer, both, addend]
    for buffer in used.compactMap({ $0 }) { plan.use(buffer, at: moment) }
  }

  func bind(on oneDNN: OneDNN) throws {
    let geometry = layer.geometry
    bindFolded()
    kernelPass = try Convolution(
      .backwardKernel, geometry, on: oneDNN, input: input.buffer.pointer,
      kernel: layer.kernelGradient, output: joined.pointer)
    guard let target else { return }
    func pass(
      _ geometry: ConvolutionGeometry, into place: PlannedBuffer,
      kernel: UnsafeMutablePointer<Float>, from gradient: PlannedBuffer
    ) throws -> Convolution {
      try Convolution(
        .backwardData, geometry, on: oneDNN, input: place.pointer, kernel: kernel,
        output: gradient.pointer)
    }
    let first = target.accumulates ? addend ?? target.buffer : target.buffer
    guard let both, let quantizedKernel else {
      inputPass = try pass(geometry, into: first, kernel: layer.kernel, from: joined)
      return
    }
    if let bothKernels {
      var wide = geometry
      wide.outputChannels *= 2
      inputPass = try pass(wide, into: first, kernel: bothKernels.pointer, from: both)
    } else {
      inputPass = try pass(geometry, into: first, kernel: quantizedKernel.pointer, from: gradient)
      secondInputPass = try pass(
        geometry, into: addend ?? target.buffer, kernel: layer.kernel, from: both)
    }
  }

  private func bindFolded() {
    let s = statistics
    let channels = layer.channels
    folded.g = UnsafePointer(gradient.pointer)
    folded.c = UnsafePointer(c.pointer)
    folded.correction = UnsafePointer(s.correction.pointer)
    folded.inv = UnsafePointer(s.inverse.pointer)
    folded.mean = UnsafePointer(s.mean.pointer)
    folded.slope = UnsafePointer(s.slope.pointer)
    folded.constant = UnsafePointer(s.constant.pointer)
    folded.rows = layer.geometry.outputRows
    folded.channels = channels
    folded.gk = joined.pointer
    guard let both else { return }
    folded.stride = isMerged ? 2 * channels : channels
    folded.gz = isMerged ? both.pointer : gradient.pointer
    folded.dc = isMerged ? both.pointer + channels : both.pointer
  }

  func run() {
    ck_folded_backward(&folded)
    kernelPass?.execute()
    guard let target else { return }
    if let bothKernels, let quantizedKernel {
      ck_interleave(
        quantizedKernel.pointer, layer.kernel, bothKernels.pointer,
        layer.geometry.kernelCount / layer.channels, layer.channels)
    }
    inputPass?.loadKernel()
    inputPass?.execute()
    if target.accumulates, let addend {
      ck_accumulate(addend.pointer, target.buffer.pointer, addend.count)
    }
    guard let secondInputPass, let addend else { return }
    secondInputPass.loadKernel()
    secondInputPass.execute()
    ck_accumulate(addend.pointer, target.buffer.pointer, addend.count)
  }
}
