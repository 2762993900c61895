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
  private let penalties: [(name: String, count: Int, factor: Float)]

  private struct ProgramKey: Hashable {
    var batch: Int
    var mode: Program.Mode
  }

  /// - Parameters:
  ///   - l2: c of Keras's l2(c) for the kernels that the network regularizes; nil: the network's.
  package init(
    _ network: Network, weights: WeightStore, quantizers: QuantizerMap, l2: Float? = nil,
    on oneDNN: OneDNN
  ) {
    self.network = network
    self.weights = weights
    self.quantizers = quantizers
    self.oneDNN = oneDNN
    penalties = network.weights.compactMap { spec in
      guard spec.role == .kernel, case .weighted(let layer) = network[spec.layer].operation,
        layer.l2 > 0
      else { return nil }
      let factor = l2 ?? layer.l2
      return factor > 0 ? (spec.name, spec.shape.reduce(1, *), factor) : nil
    }
  }

  /// Whether results are the same on every make of processor.
  var isPortable: Bool { oneDNN.isPortable }

  /// The program for batches of that size. Few sizes occur: the batch and the last, shorter one.
  package func program(batch: Int, mode: Program.Mode) throws -> Program {
    let key = ProgramKey(batch: batch, mode: mode)
    if let program = programs[key] { return program }
    let program = try Program(
      network, quantizers: quantizers, options: .init(batch: batch, mode: mode), weights: weights,
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
      sum + Double(penalty.factor)
        * ck_sum_of_squares(weights.pointer(penalty.name), penalty.count)
    }
  }

  /// One training step on the batch that stands in the program's input: forward, loss, backward,
  /// penalty. The gradients then stand in `weights`.
  ///
  /// - Parameter measure: is called while the batch's outputs stand in the program.
  package func computeGradients(
    _ program: Program, loss: Loss, labels: UnsafePointer<Int32>,
    measure: (Loss.Outcome) -> Void = { _ in }
  ) -> Loss.Outcome {
    program.forward()
    let outcome = loss.outcome(of: program, labels: labels)
    measure(outcome)
    loss.writeGradient(to: program, labels: labels)
    program.backward()
    for (name, count, factor) in penalties {
      ck_accumulate_scaled(
        weights.pointer(name), 2 * factor, weights.gradient(name), count)
    }
    return outcome
  }
}
