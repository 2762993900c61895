//! The backward pass of a folded 1x1 layer in blocks of positions. Knows neither statistics' meaning
//! nor the chain behind the layer.

import Tensors

/// What `FoldedBackward` computes, without a map between what is multiplied and its products.
final class BlockedBackward: FoldedPass {
  private let parts: FoldedParts
  private let target: GradientTarget
  private let gradients: PointwiseGradients
  private let scratch: PlannedBuffer

  init(_ parts: FoldedParts, target: GradientTarget, plan: inout MemoryPlan, moment: Int) {
    self.parts = parts
    self.target = target
    gradients = PointwiseGradients(
      parts.layer.geometry, width: (parts.quantizedKernel == nil ? 1 : 2) * parts.layer.channels)
    scratch = plan.buffer(count: gradients.scratchCount)
    for buffer in parts.used + [scratch] { plan.use(buffer, at: moment) }
  }

  func bind(on oneDNN: OneDNN) {
    let s = parts.statistics
    let folded = PointwiseGradients.FoldedRows(
      c: parts.c.pointer, correction: s.correction.pointer, inverse: s.inverse.pointer,
      mean: s.meanC.pointer, slope: s.slope.pointer, constant: s.constant.pointer)
    gradients.bind(
      on: oneDNN, input: parts.input.buffer.pointer, gradient: parts.gradient.pointer,
      folded: folded, kernelGradient: parts.layer.kernelGradient,
      inputGradient: target.buffer.pointer, adds: target.accumulates, scratch: scratch.pointer)
  }

  func run() {
    if let quantizedKernel = parts.quantizedKernel {
      gradients.load(quantizedKernel.pointer)
      gradients.load(parts.layer.kernel, first: parts.layer.channels)
    } else {
      gradients.load(parts.layer.kernel)
    }
    gradients.run()
  }
}
