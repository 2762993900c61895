//! A training step of a weighted layer without batch normalization, forward and backward side by
//! side.

import CKernels
import Quantization
import Tensors

/// QConv2D and QDense: y = conv(x, q(K)) + qb(b); gradients pass the quantizers unchanged.
final class PlainStep: TrainingStep {
  let name: String
  let kind: String
  private let layer: BoundLayer
  private let input: MapNode
  private let output: MapNode
  private let quantizedKernel: Storage
  private let quantizedBias: Storage
  private var convolution: Convolution?
  /// A dense layer of bytes; where its kernel's sums may be too large for them, `convolution` runs.
  private var byteConvolution: ByteConvolution?
  /// The input's part of the gradient, where another reader's already stands in its place.
  private var addend: PlannedBuffer?
  private var target: GradientTarget?
  private var kernelPass: Convolution?
  private var inputPass: Convolution?
  private let sums: Buffer<Double>
  private let partialSums: Buffer<Double>

  init(_ layer: BoundLayer, input: MapNode, output: MapNode) {
    self.layer = layer
    name = layer.name
    kind = layer.kind
    self.input = input
    self.output = output
    quantizedKernel = Storage(count: layer.geometry.kernelCount)
    quantizedBias = Storage(count: layer.channels)
    sums = Buffer(count: layer.channels)
    partialSums = Buffer(count: (layer.geometry.outputRows + 63) / 64 * layer.channels)
  }

  func planForward(_ plan: inout MemoryPlan, at moment: Int) {
    plan.use(input.buffer, at: moment)
    plan.use(output.buffer, at: moment)
  }

  var needsBackward: Bool { true }

  func planBackward(_ plan: inout MemoryPlan, at moment: Int) {
    guard let gradient = output.gradient else { preconditionFailure("\(name) has no gradient") }
    target = input.target(&plan)
    if target?.accumulates == true { addend = plan.buffer(count: input.buffer.count) }
    for buffer in [input.buffer, gradient, target?.buffer, addend].compactMap({ $0 }) {
      plan.use(buffer, at: moment)
    }
  }

  func bind(on oneDNN: OneDNN) throws {
    convolution = try Convolution(
      .forward, layer.geometry, on: oneDNN, input: input.buffer.pointer,
      kernel: quantizedKernel.pointer, bias: quantizedBias.pointer, output: output.buffer.pointer)
    if let grids = input.grids, layer.isInBytes(input),
      !ByteConvolution.makesSamples(layer.geometry)
    {
      byteConvolution = ByteConvolution(
        layer.geometry, input: input.buffer.pointer, grids: grids.pointer,
        kernel: quantizedKernel.pointer)
    }
    guard let gradient = output.gradient else { return }
    kernelPass = try Convolution(
      .backwardKernel, layer.geometry, on: oneDNN, input: input.buffer.pointer,
      kernel: layer.kernelGradient, output: gradient.pointer)
    guard let target else { return }
    inputPass = try Convolution(
      .backwardData, layer.geometry, on: oneDNN, input: (addend ?? target.buffer).pointer,
      kernel: quantizedKernel.pointer, output: gradient.pointer)
  }

  func forward() {
    layer.quantizeKernel(
      layer.kernel, into: quantizedKernel.pointer, scales: byteConvolution?.steps.pointer)
    layer.quantizeBias(layer.bias, into: quantizedBias.pointer)
    guard let byteConvolution, byteConvolution.loadKernel() else {
      convolution?.loadAndExecute()
      return
    }
    byteConvolution.executeRows(into: output.buffer.pointer)
    ck_add_bias(
      quantizedBias.pointer, output.buffer.pointer, layer.geometry.outputRows, layer.channels)
  }

  func backward() {
    guard let gradient = output.gradient else { return }
    ck_channel_sum(
      gradient.pointer, layer.geometry.outputRows, layer.channels, sums.pointer,
      partialSums.pointer)
    for j in 0..<layer.channels { layer.biasGradient[j] = Float(sums.pointer[j]) }
    kernelPass?.execute()
    guard let target else { return }
    inputPass?.loadAndExecute()
    if let addend { ck_accumulate(addend.pointer, target.buffer.pointer, addend.count) }
  }
}
