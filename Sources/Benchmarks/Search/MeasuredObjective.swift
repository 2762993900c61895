//! The search whose accuracy was measured: ds_cnn after short trainings on Speech Commands. Knows no
//! tuner.

import Networks
import Search

/// The accuracy is a model of measured ones (`EvaluationModel`), the forgiving factor is AutoQKeras's,
/// and the noise is what equal selections scattered by when they were trained from other seeds.
struct MeasuredObjective: SearchObjective {
  let cardinalities: [Int]
  /// Of an evaluation's accuracy.
  let noise: Double
  private let table: EvaluationTable
  private let model: EvaluationModel
  private let factor = ForgivingFactor(deltaP: 5, deltaN: 5, rate: 2, stress: 1)
  private let reference: BitCost
  /// What does not hang on the selection.
  private let fixed: BitCost

  init() throws {
    let network = Network.dsCNN()
    let table = try EvaluationTable(of: network)
    cardinalities = table.candidates.map(\.count)
    guard
      let model = EvaluationModel(
        table.rows.map(\.selection), table.rows.map(\.accuracy), cardinalities: cardinalities)
    else { throw SearchRunError(path: EvaluationTable.path, line: 1) }
    self.model = model
    self.table = table
    noise = table.repetitions.deviation
    reference = BitCost.reference(of: network)
    let searched = Set(table.slots)
    fixed = BitCost(of: network) { searched.contains($0) ? 0 : 16 }
  }

  /// How well the model tells accuracies that it was not fitted to, in sentences.
  var validation: [String] {
    let (error, correlation) = EvaluationModel.crossValidation(
      table.rows.map(\.selection), table.rows.map(\.accuracy), cardinalities: cardinalities)
    let accuracies = table.rows.map(\.accuracy).sorted()
    let (deviation, repeated) = table.repetitions
    return [
      "ds_cnn: \(table.rows.count) trainings, accuracy \(BenchTable.number(accuracies.first ?? 0)) to "
        + "\(BenchTable.number(accuracies.last ?? 0)); left out by tenths, the model is "
        + "\(BenchTable.number(error)) off (root of the mean square),",
      "rank correlation \(BenchTable.number(correlation)); \(repeated) trainings of equal selections from "
        + "several seeds scatter by \(BenchTable.number(deviation)), which is the noise.",
    ]
  }

  func delta(_ selection: [Int]) -> Double {
    var cost = fixed
    for (slot, (index, bits)) in zip(table.slots, zip(selection, table.candidates)) {
      cost.parameterBits += slot.elements * bits[index]
    }
    return factor.delta(reference: reference, trial: cost)
  }

  func score(_ selection: [Int]) -> Double {
    model.accuracy(selection, cardinalities) * (1 + delta(selection))
  }

  func observedScore(_ selection: [Int], seed: UInt64, trial: Int) -> Double {
    var draws = TrialDraws(seed: seed, trial: trial, purpose: 2)
    let accuracy = model.accuracy(selection, cardinalities) + noise * draws.normal()
    return accuracy * (1 + delta(selection))
  }

  /// The best of many climbs slot by slot: interactions of any two slots leave no way to be certain.
  func optimum() -> Double {
    (0..<20).map { climb in
      var draws = TrialDraws(seed: 1, trial: climb, purpose: 4)
      var selection = cardinalities.map { draws.index(below: $0) }
      var best = score(selection)
      var isClimbing = true
      while isClimbing {
        isClimbing = false
        for slot in selection.indices {
          for candidate in 0..<cardinalities[slot] {
            let before = selection[slot]
            selection[slot] = candidate
            let score = score(selection)
            if score > best {
              best = score
              isClimbing = true
            } else {
              selection[slot] = before
            }
          }
        }
      }
      return best
    }.max() ?? 0
  }
}
