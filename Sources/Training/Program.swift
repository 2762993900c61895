//! A network compiled for one batch size: a list of steps over buffers that are allocated once. It
//! knows no loss, no optimizer and no data.

package import Networks
import Quantization
package import Tensors

/// A network's forward pass, and for training its backward pass, on a fixed number of samples.
package final class Program {
  package enum Mode: Hashable, Sendable {
    /// Batch statistics, moving statistics updated, gradients available.
    case training
    /// Moving statistics; kernels folded and quantized once by `prepare`.
    case inference
  }

  package let network: Network
  package let mode: Mode
  /// Samples of a run.
  package let batch: Int
  /// The batch's input, (batch, height, width, channels).
  package let input: UnsafeMutablePointer<Float>
  /// The batch's output: probabilities where the network ends in a softmax.
  package let output: UnsafeMutablePointer<Float>
  /// Where the loss puts its gradient before `backward`: by the softmax's input where the network
  /// ends in one, else by the output. nil at inference.
  package let lossGradient: UnsafeMutablePointer<Float>?
  /// The gradient of the network's input, where it was asked for.
  package let inputGradient: UnsafeMutablePointer<Float>?

  private let forwardSteps: [ForwardStep]
  private let backwardSteps: [BackwardStep]
  // Owns the memory behind the pointers.
  private let storages: [Storage]

  /// Compiles `network`, whose weights live in `weights` and are read anew at each run.
  ///
  /// - Throws: `LibraryError` from oneDNN; a quantizer that this engine does not offer.
  package init(
    _ network: Network, quantizers: QuantizerMap, batch: Int, mode: Mode, weights: WeightStore,
    withInputGradient: Bool = false, on oneDNN: OneDNN
  ) throws {
    precondition(batch > 0)
    var compiler = ProgramCompiler(
      network, quantizers: quantizers, batch: batch, mode: mode, weights: weights,
      withInputGradient: withInputGradient, oneDNN: oneDNN)
    try compiler.compileForward()
    if mode == .training { try compiler.compileBackward() }
    self.network = network
    self.mode = mode
    self.batch = batch
    input = compiler.data(LayerID(0))
    output = compiler.data(LayerID(network.layers.count - 1))
    lossGradient = compiler.lossGradient
    inputGradient = compiler.inputGradient
    forwardSteps = compiler.forwardSteps
    backwardSteps = compiler.backwardSteps
    storages = compiler.storages
  }

  /// Folds and quantizes the weights' current values; needed before `forward` at inference.
  package func prepare() {
    for step in forwardSteps {
      if case .weighted(let step) = step { step.prepare() }
    }
  }

  /// Runs the network on `input`.
  package func forward() {
    for step in forwardSteps {
      switch step {
      case .weighted(let step): step.forward()
      case .slot(let step): step.forward()
      case .relu(let step): step.forward()
      case .add(let step): step.forward()
      case .averagePool(let step): step.forward()
      case .softmax(let step): step.forward()
      }
    }
  }

  /// Fills the weight store's gradients from `lossGradient`; after `forward` on the same input.
  package func backward() {
    precondition(mode == .training)
    for step in backwardSteps { step.run() }
  }
}

/// One entry of the forward list.
enum ForwardStep {
  case weighted(any LayerStep)
  case slot(SlotStep)
  case relu(ReLUStep)
  case add(AddStep)
  case averagePool(AveragePoolStep)
  case softmax(SoftmaxStep)
}
