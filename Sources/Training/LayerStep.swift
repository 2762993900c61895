//! What a compiled network is made of: one step per layer, over buffers that are fixed before the
//! first run.

import Tensors

/// A layer's computation over fixed buffers.
protocol LayerStep: AnyObject {
  /// Takes the weights' current values; an inference program runs it once per change of them.
  func prepare()
  func forward()
}

extension LayerStep {
  func prepare() {}
}

/// A layer's computation with its gradient.
protocol TrainingStep: LayerStep {
  /// Binds the backward pass to its buffers.
  ///
  /// - Parameters:
  ///   - outputGradient: complete when the backward pass runs, and dead after it.
  ///   - inputGradient: nil where nothing before the layer has weights.
  func prepareBackward(
    outputGradient: UnsafeMutablePointer<Float>, inputGradient: GradientTarget?,
    scratch: BackwardScratch, on oneDNN: OneDNN) throws
  func runBackward()
}

/// Where a layer puts its input's gradient.
struct GradientTarget {
  let pointer: UnsafeMutablePointer<Float>
  /// Whether another reader of the same map has put its part there before.
  let accumulates: Bool
}

/// Buffers that no backward pass needs after it has returned, large enough for every layer.
struct BackwardScratch {
  /// Of an output map's size.
  let first: Storage
  /// Of an output map's size.
  let second: Storage
  /// Of an input map's size.
  let input: Storage
}
