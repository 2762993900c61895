//! The backward pass of a folded depthwise layer: one walk over its maps (CKernels' depthwise.h).

import CKernels
import Tensors

final class DepthwiseBackward: FoldedPass {
  private let parts: FoldedParts
  private let scratch: PlannedBuffer
  private let partialKernels: PlannedBuffer
  private var depthwise = ck_depthwise()

  init(_ parts: FoldedParts, plan: inout MemoryPlan, moment: Int) {
    self.parts = parts
    let geometry = parts.layer.geometry
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
    depthwise.quantized = parts.quantizedKernel.map { UnsafePointer($0.pointer) }
    scratch = plan.buffer(count: ck_threads() * ck_depthwise_scratch(&depthwise))
    partialKernels = plan.buffer(count: ck_depthwise_partial_kernels(&depthwise))
    for buffer in parts.used + [scratch, partialKernels] { plan.use(buffer, at: moment) }
  }

  func bind(on oneDNN: OneDNN) {
    let (layer, s) = (parts.layer, parts.statistics)
    depthwise.x = UnsafePointer(parts.input.buffer.pointer)
    depthwise.g = UnsafePointer(parts.gradient.pointer)
    depthwise.c = UnsafePointer(parts.c.pointer)
    depthwise.correction = UnsafePointer(s.correction.pointer)
    depthwise.inv = UnsafePointer(s.inverse.pointer)
    depthwise.mean = UnsafePointer(s.meanC.pointer)
    depthwise.slope = UnsafePointer(s.slope.pointer)
    depthwise.constant = UnsafePointer(s.constant.pointer)
    depthwise.kernel = UnsafePointer(layer.kernel)
    depthwise.dkernel = layer.kernelGradient
    depthwise.dx = parts.target?.buffer.pointer
    depthwise.dx_adds = parts.target?.accumulates == true ? 1 : 0
    depthwise.scratch = scratch.pointer
    depthwise.partial_kernels = partialKernels.pointer
  }

  func run() { ck_depthwise_backward(&depthwise) }
}
