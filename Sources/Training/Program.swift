//! A network compiled for one batch size: a list of steps over memory that is planned once. It
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

  /// What a program is compiled for.
  package struct Options: Hashable, Sendable {
    /// Samples of a run.
    package var batch: Int
    package var mode: Mode
    /// Whether the gradient of the network's input is wanted.
    package var withInputGradient = false
    /// Whether dropout layers drop anything in training.
    package var dropsOut = false

    package init(
      batch: Int, mode: Mode, withInputGradient: Bool = false, dropsOut: Bool = false
    ) {
      self.batch = batch
      self.mode = mode
      self.withInputGradient = withInputGradient
      self.dropsOut = dropsOut
    }
  }

  package let network: Network
  package let options: Options
  package var batch: Int { options.batch }
  package var mode: Mode { options.mode }
  /// The batch's input, (batch, height, width, channels).
  package let input: UnsafeMutablePointer<Float>
  /// The batch's output: probabilities where the network ends in a softmax.
  package let output: UnsafeMutablePointer<Float>
  /// Where the loss puts its gradient before `backward`: by the softmax's input where the network
  /// ends in one, else by the output. nil at inference.
  package let lossGradient: UnsafeMutablePointer<Float>?
  /// The gradient of the network's input, where it was asked for.
  package let inputGradient: UnsafeMutablePointer<Float>?
  /// Whether the program gives the same numbers on any number of threads.
  package let threadsChangeNoBit: Bool

  private let steps: [any ProgramStep]
  private let backwardSteps: [any TrainingStep]
  // Own the memory behind the pointers.
  private let arena: Storage
  private let dropoutKey: Buffer<UInt64>

  /// Compiles `network`, whose weights live in `weights` and are read anew at each run.
  ///
  /// - Parameter memory: is asked for memory for so many values, which the program may share with
  ///   others that never hold a batch at the same time.
  /// - Throws: `LibraryError` from oneDNN; a quantizer that this engine does not offer.
  package init(
    _ network: Network, quantizers: QuantizerMap, options: Options, weights: WeightStore,
    on oneDNN: OneDNN, memory: (Int) -> Storage = { Storage(count: $0) }
  ) throws {
    precondition(options.batch > 0)
    dropoutKey = Buffer(count: 1)
    var compiler = ProgramCompiler(
      network, quantizers: quantizers, options: options, weights: weights,
      dropoutKey: dropoutKey.pointer)
    let last = try compiler.compile()
    self.network = network
    self.options = options
    steps = compiler.steps
    backwardSteps = compiler.backwardSteps
    arena = memory(compiler.plan.layOut())
    compiler.plan.bind(to: arena.pointer)
    input = compiler.input.buffer.pointer
    output = last.buffer.pointer
    lossGradient = compiler.lossGradient?.pointer
    inputGradient = compiler.input.gradient?.pointer
    let threaded = oneDNN.threadedConvolutions
    for step in steps { try step.bind(on: oneDNN) }
    threadsChangeNoBit = oneDNN.threadedConvolutions == threaded
  }

  /// Folds and quantizes the weights' current values; needed before `forward` at inference.
  package func prepare() {
    for step in steps { step.prepare() }
  }

  /// Runs the network on `input`.
  ///
  /// - Parameter dropoutKey: what dropout's choice hangs on: another one for each step.
  package func forward(dropoutKey key: UInt64 = 0) {
    dropoutKey.pointer.pointee = key
    for step in steps { step.forward() }
  }

  /// Fills the weight store's gradients from `lossGradient`; after `forward` on the same input.
  package func backward() {
    precondition(mode == .training)
    for step in backwardSteps { step.backward() }
  }
}

/// Where the time of a step goes.
extension Program {
  /// One entry of the program, in one direction.
  package struct Timing: Hashable, Sendable {
    package var layer: String
    /// "Conv2D", "chain", "pool", ...
    package var kind: String
    package var isBackward: Bool
    package var seconds: Double
  }

  /// Runs the program once with a clock between its entries; backward, too, where it trains.
  package func timings() -> [Timing] {
    let clock = ContinuousClock()
    func measure(_ step: any ProgramStep, isBackward: Bool, _ body: () -> Void) -> Timing {
      Timing(
        layer: step.name, kind: step.kind, isBackward: isBackward,
        seconds: clock.measure(body) / .seconds(1))
    }
    return steps.map { step in measure(step, isBackward: false) { step.forward() } }
      + backwardSteps.map { step in measure(step, isBackward: true) { step.backward() } }
  }
}
