//! The convolutions of a folded layer's backward pass: one kernel gradient for both kernels, and the
//! input's gradient through both. Knows neither statistics' meaning nor the chain behind the layer.

import CKernels
import Tensors

/// What a folded layer's backward pass works on.
struct FoldedParts {
  let layer: BoundLayer
  let statistics: FoldedStatistics
  let input: MapNode
  /// The first convolution's output.
  let c: PlannedBuffer
  /// Of the layer's output, as the chain behind it leaves it.
  let gradient: PlannedBuffer
  /// Where the input's gradient goes; nil: not wanted.
  let target: GradientTarget?
  /// nil: the kernel is not quantized.
  let quantizedKernel: Storage?

  /// The buffers that stand for something when the pass begins or ends.
  var used: [PlannedBuffer] { [input.buffer, c, gradient, target?.buffer].compactMap { $0 } }
}

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
/// The two transposed convolutions are one, of [gz | dc] with the kernels side by side, or of few
/// positions products of matrices, which take the kernels where they are.
final class FoldedBackward: FoldedPass {
  private let parts: FoldedParts
  /// inv * gz + dc.
  private let joined: PlannedBuffer
  /// [gz | dc].
  private let both: PlannedBuffer?
  /// The input's gradient, where the target already holds something.
  private let addend: PlannedBuffer?
  /// The kernels side by side: (height, width, channels in, 2 * filters), where a convolution wants them.
  private var bothKernels: Storage?

  private var folded = ck_folded()
  private var kernelPass: Convolution?
  private var inputPass: Convolution?
  private var inputProducts: TwoKernelGradient?

  init(_ parts: FoldedParts, plan: inout MemoryPlan, moment: Int) {
    self.parts = parts
    let geometry = parts.layer.geometry
    joined = plan.buffer(count: geometry.outputCount)
    let hasTwo = parts.target != nil && parts.quantizedKernel != nil
    both = hasTwo ? plan.buffer(count: 2 * geometry.outputCount) : nil
    addend = parts.target?.accumulates == true ? plan.buffer(count: geometry.inputCount) : nil
    let own = [joined, both, addend].compactMap { $0 }
    for buffer in parts.used + own { plan.use(buffer, at: moment) }
  }

  func bind(on oneDNN: OneDNN) throws {
    let layer = parts.layer
    let geometry = layer.geometry
    bindFolded()
    kernelPass = try Convolution(
      .backwardKernel, geometry, on: oneDNN, input: parts.input.buffer.pointer,
      kernel: layer.kernelGradient, output: joined.pointer)
    guard let target = parts.target else { return }
    let place = (addend ?? target.buffer).pointer
    var wide = geometry
    if let both, let quantizedKernel = parts.quantizedKernel {
      inputProducts = TwoKernelGradient(
        geometry, on: oneDNN, gradients: both.pointer,
        kernels: (quantizedKernel.pointer, layer.kernel),
        inputGradient: place)
      if inputProducts != nil { return }
      bothKernels = Storage(count: 2 * geometry.kernelCount)
      wide.outputChannels *= 2
    }
    inputPass = try Convolution(
      .backwardData, wide, on: oneDNN, input: place,
      kernel: bothKernels?.pointer ?? layer.kernel, output: (both ?? joined).pointer,
      mayRegroup: true)
  }

  private func bindFolded() {
    let s = parts.statistics
    let channels = parts.layer.channels
    folded.g = UnsafePointer(parts.gradient.pointer)
    folded.c = UnsafePointer(parts.c.pointer)
    folded.correction = UnsafePointer(s.correction.pointer)
    folded.inv = UnsafePointer(s.inverse.pointer)
    folded.mean = UnsafePointer(s.meanC.pointer)
    folded.slope = UnsafePointer(s.slope.pointer)
    folded.constant = UnsafePointer(s.constant.pointer)
    folded.rows = parts.layer.geometry.outputRows
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
    guard let target = parts.target else { return }
    let layer = parts.layer
    if let bothKernels, let quantizedKernel = parts.quantizedKernel {
      ck_interleave(
        quantizedKernel.pointer, layer.kernel, bothKernels.pointer,
        layer.geometry.kernelCount / layer.channels, layer.channels)
    }
    inputProducts?.execute()
    inputPass?.loadAndExecute()
    if let addend { ck_accumulate(addend.pointer, target.buffer.pointer, addend.count) }
  }
}
