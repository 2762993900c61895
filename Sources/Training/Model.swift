//! A network with its weights and quantizers, and the programs that run it. It trains and measures
//! batch by batch; the fit loop is `Trainer`'s.

import CKernels
package import Networks
package import Tensors

/// A network that can be run: programs are compiled once per batch size and mode.
package final class Model {
  package let network: Network
  package let weights: WeightStore
  package let quantizers: QuantizerMap
  private let oneDNN: OneDNN
  private var programs: [ProgramKey: Program] = [:]
  /// The largest program's memory.
  private var arena: Storage?
  private let penalties: [Penalty]
  private let dropoutSeed: UInt64?

  /// A kernel that Keras's l2 regularizes.
  private struct Penalty {
    var kernel: UnsafeMutablePointer<Float>
    var gradient: UnsafeMutablePointer<Float>
    var count: Int
    var factor: Float
  }

  private struct ProgramKey: Hashable {
    var batch: Int
    var mode: Program.Mode
  }

  /// - Parameters:
  ///   - l2: c of Keras's l2(c) for the kernels that the network regularizes; nil: the network's.
  ///   - dropoutSeed: what dropout's choices hang on, besides epoch and batch; nil: nothing drops.
  package init(
    _ network: Network, weights: WeightStore, quantizers: QuantizerMap, l2: Float? = nil,
    dropoutSeed: UInt64? = nil, on oneDNN: OneDNN
  ) {
    self.network = network
    self.weights = weights
    self.quantizers = quantizers
    self.dropoutSeed = dropoutSeed
    self.oneDNN = oneDNN
    penalties = network.weights.compactMap { spec in
      guard spec.role == .kernel, case .weighted(let layer) = network[spec.layer].operation,
        layer.l2 > 0
      else { return nil }
      let factor = l2 ?? layer.l2
      guard factor > 0 else { return nil }
      return Penalty(
        kernel: weights.pointer(spec.name), gradient: weights.gradient(spec.name),
        count: spec.shape.reduce(1, *), factor: factor)
    }
  }

  /// Whether results are the same on every make of processor.
  var isPortable: Bool { oneDNN.isPortable }

  /// The program for batches of that size. Few sizes occur: the batch and the last, shorter one.
  package func program(batch: Int, mode: Program.Mode) throws -> Program {
    let key = ProgramKey(batch: batch, mode: mode)
    if let program = programs[key] { return program }
    let program = try Program(
      network, quantizers: quantizers,
      options: .init(batch: batch, mode: mode, dropsOut: dropoutSeed != nil), weights: weights,
      on: oneDNN, memory: memory)
    programs[key] = program
    return program
  }

  /// Memory for a program: another one's, where that is large enough, as they run by turns.
  private func memory(_ count: Int) -> Storage {
    if let arena, arena.count >= count { return arena }
    let arena = Storage(count: count)
    self.arena = arena
    return arena
  }

  /// Keras's regularization loss: the sum over regularized kernels of c * sum(w^2).
  package var penalty: Double {
    penalties.reduce(0) { sum, penalty in
      sum + Double(penalty.factor) * ck_sum_of_squares(penalty.kernel, penalty.count)
    }
  }

  /// One training step on the batch that stands in the program's input: forward, loss, backward,
  /// penalty. The gradients then stand in `weights`.
  ///
  /// - Parameters:
  ///   - place: the epoch and the batch, which decide what dropout drops.
  ///   - measure: is called while the batch's outputs stand in the program.
  package func computeGradients(
    _ program: Program, loss: Loss, labels: UnsafePointer<Int32>,
    place: (epoch: Int, batch: Int) = (0, 0), measure: (Loss.Outcome) -> Void = { _ in }
  ) -> Loss.Outcome {
    let epochKey = SeededGenerator.derive(dropoutSeed ?? 0, UInt64(place.epoch))
    program.forward(dropoutKey: SeededGenerator.derive(epochKey, UInt64(place.batch)))
    let outcome = loss.outcome(of: program, labels: labels)
    measure(outcome)
    loss.writeGradient(to: program, labels: labels)
    program.backward()
    for penalty in penalties {
      ck_accumulate_scaled(penalty.kernel, 2 * penalty.factor, penalty.gradient, penalty.count)
    }
    return outcome
  }
}
