//! What a compiled network is made of: steps over buffers that are fixed before the first run.

import Tensors

/// One entry of a program. Its life: it is made, states which buffers it uses when, is bound to
/// memory, and then runs many times without allocating or looking anything up.
protocol ProgramStep: AnyObject {
  /// The layer that a profile names.
  var name: String { get }
  /// What a profile adds up: "conv2d folded", "chain".
  var kind: String { get }
  /// States what the forward pass uses at `moment`.
  func planForward(_ plan: inout MemoryPlan, at moment: Int)
  /// Takes the buffers' addresses and makes primitives.
  func bind(on oneDNN: OneDNN) throws
  /// Takes the weights' current values; an inference program runs it once per change of them.
  func prepare()
  func forward()
}

extension ProgramStep {
  func prepare() {}
}

/// A step with a gradient.
protocol TrainingStep: ProgramStep {
  /// Whether anything before the step's output or in it has weights.
  var needsBackward: Bool { get }
  /// States what the backward pass uses at `moment`. The output's gradient is complete then, and
  /// dead afterwards.
  func planBackward(_ plan: inout MemoryPlan, at moment: Int)
  func backward()
}
