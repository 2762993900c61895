//! Bayesian linear regression over the levels of slots. Knows no score and no cost.

import CKernels
import Glibc

/// A sum over slots: what each step from a slot's level to the next one does to a value.
///
/// The steps of all slots with equally many levels share a mean of their own, which few trials tell;
/// each slot's difference from it has a normal prior.
struct AdditiveModel {
  private let layout: AdditiveLayout
  /// The posterior's mean, by feature.
  private let mean: [Double]
  /// The Cholesky factor of the posterior's precision times the noise's variance, rows end to end.
  private let factor: [Double]
  private let noiseVariance: Double
  /// The logarithm of the data's likelihood, but for what no ridge changes.
  let evidence: Double

  /// - Parameters:
  ///   - importance: of each value: what its noise's variance is divided by.
  ///   - ridge: the noise's variance by that of the prior of a slot's difference from the mean.
  init?(
    _ layout: AdditiveLayout, _ levels: [[Int]], _ values: [Double], importance: [Double],
    ridge: Double
  ) {
    let count = layout.features
    var matrix = [Double](repeating: 0, count: count * (count + 1) / 2)
    var solution = [Double](repeating: 0, count: count)
    var square = 0.0
    for (index, levels) in levels.enumerated() {
      let features = layout.features(of: levels)
      for (place, (row, x)) in features.enumerated() {
        let scaled = importance[index] * x
        let start = row * (row + 1) / 2
        solution[row] += scaled * values[index]
        for (column, y) in features[...place] { matrix[start + column] += scaled * y }
      }
      square += importance[index] * values[index] * values[index]
    }
    for i in 0..<count {
      matrix[Self.diagonal(i)] += i < layout.shared ? Self.sharedRidge : ridge
    }
    guard ck_cholesky(&matrix, count) != 0 else { return nil }
    ck_forward_solve(matrix, &solution, count)
    let trials = Double(values.count)
    noiseVariance = max((square - ck_dot(solution, solution, count)) / trials, 1e-9)
    let logDeterminant = (0..<count).reduce(0) { $0 + log(matrix[Self.diagonal($1)]) }
    evidence =
      -trials / 2 * log(noiseVariance) + Double(count - layout.shared) / 2 * log(ridge)
      - logDeterminant
    Self.solveTransposed(matrix, &solution)
    self.layout = layout
    mean = solution
    factor = matrix
  }

  /// Next to nothing: what all slots share is for the trials to tell.
  private static let sharedRidge = 0.05

  private static func diagonal(_ i: Int) -> Int { i * (i + 3) / 2 }

  private static func solveTransposed(_ factor: [Double], _ x: inout [Double]) {
    let count = x.count
    factor.withUnsafeBufferPointer { factor in
      guard let base = factor.baseAddress else { return }
      for i in (0..<count).reversed() {
        x[i] /= base[diagonal(i)]
        ck_add_scaled(-x[i], base + diagonal(i) - i, &x, i)
      }
    }
  }

  /// A model drawn from the posterior, whose deviations count `spread` times: the value of all slots
  /// at level 0, and what each level of each slot adds to it.
  func drawn(
    _ draws: inout TrialDraws, spread: Double
  ) -> (intercept: Double, effects: [[Double]]) {
    var weights = mean.map { _ in draws.normal() * spread * noiseVariance.squareRoot() }
    Self.solveTransposed(factor, &weights)
    for i in weights.indices { weights[i] += mean[i] }
    return (weights[0], layout.effects(weights))
  }
}

/// Where the features of a selection stand: a constant, for each number of levels how many slots
/// have taken each step, and each slot's own steps.
struct AdditiveLayout: Sendable {
  let features: Int
  /// How many features are not a slot's own.
  let shared: Int
  private let levelCounts: [Int]
  /// By slot, the feature of its first step among the shared ones, and among its own.
  private let firstShared: [Int]
  private let firstOwn: [Int]

  init(levelCounts: [Int]) {
    var next = 1
    var groups: [Int: Int] = [:]
    for count in levelCounts where groups[count] == nil {
      groups[count] = next
      next += count - 1
    }
    shared = next
    firstShared = levelCounts.map { groups[$0] ?? 0 }
    var firstOwn: [Int] = []
    for count in levelCounts {
      firstOwn.append(next)
      next += count - 1
    }
    self.firstOwn = firstOwn
    self.levelCounts = levelCounts
    features = next
  }

  /// The features that are not 0, in rising order.
  func features(of levels: [Int]) -> [(index: Int, value: Double)] {
    var sums = [Double](repeating: 0, count: shared)
    sums[0] = 1
    var own: [(index: Int, value: Double)] = []
    for (slot, level) in levels.enumerated() {
      for step in 0..<level {
        sums[firstShared[slot] + step] += 1
        own.append((firstOwn[slot] + step, 1))
      }
    }
    return sums.indices.filter { sums[$0] != 0 }.map { ($0, sums[$0]) } + own
  }

  /// What each level of each slot adds.
  func effects(_ weights: [Double]) -> [[Double]] {
    levelCounts.indices.map { slot in
      var effects = [0.0]
      for step in 0..<(levelCounts[slot] - 1) {
        let own = weights[firstShared[slot] + step] + weights[firstOwn[slot] + step]
        effects.append((effects.last ?? 0) + own)
      }
      return effects
    }
  }
}
