//! The backward pass of a folded depthwise layer: one walk over its maps (CKernels' depthwise.h).

import CKernels
import Tensors

final class DepthwiseBackward: FoldedPass {
  private let layer: BoundLayer
  private let statistics: FoldedStatistics
  private let input: MapNode
  private let c: PlannedBuffer
  private let gradient: PlannedBuffer
  private let target: GradientTarget?
  private let scratch: PlannedBuffer
  private let partialKernels: PlannedBuffer
  private var depthwise = ck_depthwise()

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
    self.target = target
    let geometry = layer.geometry
    depthwise.samples = geometry.batch
    depthwise.channels = geometry.inputChannels
    (depthwise.in_height, depthwise.in_width) = (geometry.inputHeight, geometry.inputWidth)
    (depthwise.out_height, depthwise.out_width) = (geometry.outputHeight, geometry.outputWidth)
    (depthwise.kernel_height, depthwise.kernel_width) = (
      geometry.kernelHeight, geometry.kernelWidth
    )
    (depthwise.stride_height, depthwise.stride_width) = (
      geometry.strideHeight, geometry.strideWidth
    )
    (depthwise.pad_top, depthwise.pad_left) = (geometry.padTop, geometry.padLeft)
    depthwise.quantized = quantizedKernel.map { UnsafePointer($0.pointer) }
    scratch = plan.buffer(count: ck_threads() * ck_depthwise_scratch(&depthwise))
    partialKernels = plan.buffer(count: geometry.batch * geometry.kernelCount)
    let used = [input.buffer, c, gradient, target?.buffer, scratch, partialKernels]
    for buffer in used.compactMap({ $0 }) { plan.use(buffer, at: moment) }
  }

  func bind(on oneDNN: OneDNN) {
    let s = statistics
    depthwise.x = UnsafePointer(input.buffer.pointer)
    depthwise.g = UnsafePointer(gradient.pointer)
    depthwise.c = UnsafePointer(c.pointer)
    depthwise.correction = UnsafePointer(s.correction.pointer)
    depthwise.inv = UnsafePointer(s.inverse.pointer)
    depthwise.mean = UnsafePointer(s.meanC.pointer)
    depthwise.slope = UnsafePointer(s.slope.pointer)
    depthwise.constant = UnsafePointer(s.constant.pointer)
    depthwise.kernel = UnsafePointer(layer.kernel)
    depthwise.dkernel = layer.kernelGradient
    depthwise.dx = target?.buffer.pointer
    depthwise.dx_adds = target?.accumulates == true ? 1 : 0
    depthwise.scratch = scratch.pointer
    depthwise.partial_kernels = partialKernels.pointer
  }

  func run() { ck_depthwise_backward(&depthwise) }
}
