//! A made search: bits of slots whose cost is exact, and an accuracy with interactions and noise whose
//! best selection is known. Knows no tuner.

import Glibc
import Search

/// Slots of three kinds (kernels and activations of 4, 8 or 16 bits, biases of 16 or 32) with sizes
/// and sensitivities over decades. Fewer bits do damage; each slot's damage also depends on the one
/// that a random order puts before it, by a table without main effects. Accuracy falls with the damage
/// from its peak to chance. The score is the accuracy times AutoQKeras's forgiving factor.
struct SyntheticObjective: SearchObjective {
  /// The interactions' share of the damage's variance over uniform selections.
  static let interactionShare = 0.4
  /// Of an evaluation's accuracy, as a short training has it.
  static let noise = 0.01
  private static let peak = 0.9
  private static let chance = 0.1
  /// Of the score, for each halving of the cost.
  private static let gain = 0.05

  let cardinalities: [Int]
  /// Bits by slot and candidate, in units of four.
  private let costs: [[Int]]
  private let damages: [[Double]]
  /// Slots in the order of the interactions.
  private let order: [Int]
  /// Of each place in the order with the one before: damage at index * candidates + previous index.
  private let pairs: [[Double]]
  /// Of the damage over uniform selections.
  private let mean: Double
  private let deviation: Double
  private let reference: Int

  init(slots: Int, seed: UInt64) {
    var draws = TrialDraws(seed: seed, trial: slots, purpose: 1)
    var costs: [[Int]] = []
    var damages: [[Double]] = []
    for _ in 0..<slots {
      let kind = draws.uniform()
      let size = kind < 0.25 ? 1 : Int(exp(draws.uniform() * log(64)).rounded())
      costs.append((kind < 0.25 ? [4, 8] : [1, 2, 4]).map { $0 * size })
      let sensitivity = exp(1.2 * draws.normal())
      // Now and then the middle one does better than the widest.
      let middle = sensitivity * (draws.uniform() * 0.3 - 0.03)
      damages.append(kind < 0.25 ? [0.2 * sensitivity, 0] : [sensitivity, middle, 0])
    }
    var order = Array(0..<slots)
    for index in order.indices.reversed() { order.swapAt(index, draws.index(below: index + 1)) }
    let cardinalities = costs.map(\.count)
    var pairs = (0..<slots).map { place in
      Self.table(
        cardinalities[order[place]], cardinalities[order[max(place - 1, 0)]], &draws)
    }
    pairs[0] = pairs[0].map { _ in 0 }
    func square(_ values: [Double]) -> Double {
      let mean = values.reduce(0, +) / Double(values.count)
      return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    }
    let main = damages.reduce(0) { $0 + square($1) }
    let interactions = pairs.reduce(0) { $0 + square($1) }
    let share = Self.interactionShare
    let factor = (main / interactions * share / (1 - share)).squareRoot()
    pairs = pairs.map { $0.map { $0 * factor } }
    self.cardinalities = cardinalities
    self.costs = costs
    self.damages = damages
    self.order = order
    self.pairs = pairs
    mean = damages.reduce(0) { $0 + $1.reduce(0, +) / Double($1.count) }
    deviation = (main / (1 - share)).squareRoot()
    reference = costs.reduce(0) { $0 + ($1.last ?? 0) }
  }

  /// Normal numbers whose rows and columns sum to 0.
  private static func table(_ rows: Int, _ columns: Int, _ draws: inout TrialDraws) -> [Double] {
    var table = (0..<(rows * columns)).map { _ in draws.normal() }
    for r in 0..<rows {
      let mean = (0..<columns).reduce(0) { $0 + table[r * columns + $1] } / Double(columns)
      for c in 0..<columns { table[r * columns + c] -= mean }
    }
    for c in 0..<columns {
      let mean = (0..<rows).reduce(0) { $0 + table[$1 * columns + c] } / Double(rows)
      for r in 0..<rows { table[r * columns + c] -= mean }
    }
    return table
  }

  func cost(_ selection: [Int]) -> Int {
    zip(costs, selection).reduce(0) { $0 + $1.0[$1.1] }
  }

  func delta(_ selection: [Int]) -> Double { Self.delta(reference, cost(selection)) }

  private static func delta(_ reference: Int, _ cost: Int) -> Double {
    gain * log2(Double(reference) / Double(cost))
  }

  /// Without noise.
  func accuracy(_ selection: [Int]) -> Double {
    var damage = 0.0
    for (place, slot) in order.enumerated() {
      damage += damages[slot][selection[slot]]
      if place > 0 {
        let previous = order[place - 1]
        damage += pairs[place][selection[slot] * cardinalities[previous] + selection[previous]]
      }
    }
    return accuracy(damage: damage)
  }

  private func accuracy(damage: Double) -> Double {
    let excess = log1p(exp((damage - mean) / deviation + 1.5))
    return Self.chance + (Self.peak - Self.chance) * exp(-0.7 * pow(excess, 1.3))
  }

  func score(_ selection: [Int]) -> Double { accuracy(selection) * (1 + delta(selection)) }

  func observedScore(_ selection: [Int], seed: UInt64, trial: Int) -> Double {
    var draws = TrialDraws(seed: seed, trial: trial, purpose: 2)
    return (accuracy(selection) + Self.noise * draws.normal()) * (1 + delta(selection))
  }

  /// The greatest score of all selections: along the order, the least damage for each cost and each
  /// candidate of the last slot.
  func optimum() -> Double {
    let width = reference + 1
    var least: [[Double]] = []
    for (place, slot) in order.enumerated() {
      var next =
        cardinalities[slot] == 0
        ? []
        : damages[slot].map { _ in
          [Double](repeating: .infinity, count: width)
        }
      for (index, damage) in damages[slot].enumerated() {
        let cost = costs[slot][index]
        guard place > 0 else {
          next[index][cost] = damage
          continue
        }
        for (before, sums) in least.enumerated() {
          let added = damage + pairs[place][index * least.count + before]
          for total in cost..<width where sums[total - cost] + added < next[index][total] {
            next[index][total] = sums[total - cost] + added
          }
        }
      }
      least = next
    }
    var best = 0.0
    for sums in least {
      for (cost, damage) in sums.enumerated() where damage.isFinite {
        best = max(best, accuracy(damage: damage) * (1 + Self.delta(reference, cost)))
      }
    }
    return best
  }
}
