//! The convolutions of a folded layer's backward pass: one kernel gradient for both kernels, and the
//! input's gradient through both. Knows neither statistics' meaning nor the chain behind the layer.

import CKernels
import Tensors

/// The convolutions of a folded layer's backward pass.
protocol FoldedPass: AnyObject {
  func bind(on oneDNN: OneDNN) throws
  /// Forms those sums over the gradient that the chain behind the layer could not.
  func prepare()
  /// The gradients of kernel and input, from the numbers per channel.
  func run()
}

extension FoldedPass {
  func prepare() {}
}

/// With gz the gradient of the quantized convolution's output and dc the one of c:
///
///     dK = conv'(x, inv * gz + dc),   dx = conv^T(gz, q(inv * K)) + conv^T(dc, K)
///
/// The two transposed convolutions are one, of [gz | dc] with the kernels side by side.
final class FoldedBackward: FoldedPass {
  private let layer: BoundLayer
  private let statistics: FoldedStatistics
  private let input: MapNode
  private let c: PlannedBuffer
  private let gradient: PlannedBuffer
  private let quantizedKernel: Storage?
  private let target: GradientTarget?
  /// inv * gz + dc.
  private let joined: PlannedBuffer
  /// [gz | dc].
  private let both: PlannedBuffer?
  /// The input's gradient, where the target already holds something.
  private let addend: PlannedBuffer?
  /// The kernels side by side: (height, width, channels in, 2 * filters).
  private let bothKernels: Storage?

  private var folded = ck_folded()
  private var kernelPass: Convolution?
  private var inputPass: Convolution?

  init(
    _ layer: BoundLayer, _ statistics: FoldedStatistics, input: MapNode, c: PlannedBuffer,
    gradient: PlannedBuffer, target: GradientTarget?, quantizedKernel: Storage?,
    plan: inout MemoryPlan, moment: Int
  ) {
    self.layer = layer
    self.statistics = statistics
    self.input = input
    self.c = c
    self.gradient = gradient
    self.quantizedKernel = quantizedKernel
    self.target = target
    let geometry = layer.geometry
    joined = plan.buffer(count: geometry.outputCount)
    let hasTwo = target != nil && quantizedKernel != nil
    both = hasTwo ? plan.buffer(count: 2 * geometry.outputCount) : nil
    bothKernels = hasTwo ? Storage(count: 2 * geometry.kernelCount) : nil
    addend = target?.accumulates == true ? plan.buffer(count: geometry.inputCount) : nil
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
    var wide = geometry
    if both != nil { wide.outputChannels *= 2 }
    inputPass = try Convolution(
      .backwardData, wide, on: oneDNN, input: (addend ?? target.buffer).pointer,
      kernel: bothKernels?.pointer ?? layer.kernel, output: (both ?? joined).pointer)
  }

  private func bindFolded() {
    let s = statistics
    let channels = layer.channels
    folded.g = UnsafePointer(gradient.pointer)
    folded.c = UnsafePointer(c.pointer)
    folded.correction = UnsafePointer(s.correction.pointer)
    folded.inv = UnsafePointer(s.inverse.pointer)
    folded.mean = UnsafePointer(s.meanC.pointer)
    folded.slope = UnsafePointer(s.slope.pointer)
    folded.constant = UnsafePointer(s.constant.pointer)
    folded.rows = layer.geometry.outputRows
    folded.channels = channels
    folded.gk = joined.pointer
    guard let both else { return }
    folded.stride = 2 * channels
    folded.gz = both.pointer
    folded.dc = both.pointer + channels
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
    if let addend { ck_accumulate(addend.pointer, target.buffer.pointer, addend.count) }
  }
}
