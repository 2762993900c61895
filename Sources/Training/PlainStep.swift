//! A training step of a weighted layer without batch normalization, forward and backward side by
//! side.

import CKernels
import Quantization
import Tensors

/// QConv2D and QDense: y = conv(x, q(K)) + qb(b); gradients pass the quantizers unchanged.
final class PlainStep: TrainingStep {
  private let layer: BoundLayer
  private let x: UnsafeMutablePointer<Float>
  private let quantizedKernel: Storage
  private let quantizedBias: Storage
  private let convolution: Convolution
  private var backward: BackwardPass?

  private struct BackwardPass {
    let outputGradient: UnsafeMutablePointer<Float>
    let kernel: Convolution
    let input: Convolution?
    let target: GradientTarget?
    let scratch: UnsafeMutablePointer<Float>
    let sums: Buffer<Double>
  }

  init(
    _ layer: BoundLayer, on oneDNN: OneDNN, x: UnsafeMutablePointer<Float>,
    y: UnsafeMutablePointer<Float>
  ) throws {
    self.layer = layer
    self.x = x
    quantizedKernel = Storage(count: layer.geometry.kernelCount)
    quantizedBias = Storage(count: layer.channels)
    convolution = try Convolution(
      .forward, layer.geometry, on: oneDNN, input: x, kernel: quantizedKernel.pointer,
      bias: quantizedBias.pointer, output: y)
  }

  func forward() {
    layer.quantizeKernel(layer.kernel, into: quantizedKernel.pointer)
    layer.quantizeBias(layer.bias, into: quantizedBias.pointer)
    convolution.loadKernel()
    convolution.execute()
  }

  func prepareBackward(
    outputGradient: UnsafeMutablePointer<Float>, inputGradient: GradientTarget?,
    scratch: BackwardScratch, on oneDNN: OneDNN
  ) throws {
    backward = BackwardPass(
      outputGradient: outputGradient,
      kernel: try Convolution(
        .backwardKernel, layer.geometry, on: oneDNN, input: x, kernel: layer.kernelGradient,
        output: outputGradient),
      input: try inputGradient.map {
        try Convolution(
          .backwardData, layer.geometry, on: oneDNN,
          input: $0.accumulates ? scratch.input.pointer : $0.pointer,
          kernel: quantizedKernel.pointer, output: outputGradient)
      },
      target: inputGradient, scratch: scratch.input.pointer,
      sums: Buffer(count: layer.channels))
  }

  func runBackward() {
    guard let pass = backward else { preconditionFailure("the backward pass was not prepared") }
    ck_channel_sum(
      pass.outputGradient, layer.geometry.outputRows, layer.channels, pass.sums.pointer)
    for j in 0..<layer.channels { layer.biasGradient[j] = Float(pass.sums.pointer[j]) }
    pass.kernel.execute()
    guard let input = pass.input, let target = pass.target else { return }
    input.loadKernel()
    input.execute()
    if target.accumulates { ck_accumulate(pass.scratch, target.pointer, layer.geometry.inputCount) }
  }
}
