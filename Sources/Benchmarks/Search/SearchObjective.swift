//! What a compared tuner searches: selections in, scores out. Knows no tuner.

import Search

protocol SearchObjective: Sendable {
  var cardinalities: [Int] { get }
  /// The forgiving factor's share, which is exact.
  func delta(_ selection: [Int]) -> Double
  /// Without noise.
  func score(_ selection: [Int]) -> Double
  /// What a trial sees; seed and trial decide the noise.
  func observedScore(_ selection: [Int], seed: UInt64, trial: Int) -> Double
  /// The greatest score without noise.
  func optimum() -> Double
}

extension SearchObjective {
  /// The share of the score's variance over uniform selections that no sum of functions of single
  /// slots explains: by backfitting the candidates' means on `samples` selections.
  func interactionVariance(samples: Int) -> Double {
    var draws = TrialDraws(seed: 0, trial: cardinalities.count, purpose: 3)
    let selections = (0..<samples).map { _ in cardinalities.map { draws.index(below: $0) } }
    let scores = selections.map(score)
    let mean = scores.reduce(0, +) / Double(samples)
    var residuals = scores.map { $0 - mean }
    let variance = residuals.reduce(0) { $0 + $1 * $1 }
    for _ in 0..<3 {
      for slot in cardinalities.indices {
        var sums = [Double](repeating: 0, count: cardinalities[slot])
        var counts = sums
        for (selection, residual) in zip(selections, residuals) {
          sums[selection[slot]] += residual
          counts[selection[slot]] += 1
        }
        for (index, selection) in selections.enumerated() where counts[selection[slot]] > 0 {
          residuals[index] -= sums[selection[slot]] / counts[selection[slot]]
        }
      }
    }
    // Means fitted to noise explain a share of it; unbiased by the degrees of freedom.
    let parameters = cardinalities.reduce(1) { $0 + $1 - 1 }
    let unexplained = residuals.reduce(0) { $0 + $1 * $1 }
    return unexplained / Double(samples - parameters) / (variance / Double(samples - 1))
  }
}

/// A search of the benchmark.
enum ComparedSearch: String, CaseIterable {
  case made20 = "20"
  case made92 = "92"
  case made184 = "184"
  case made350 = "350"
  case measured = "ds_cnn"

  /// How many trials a tuner has.
  var trials: Int {
    switch self {
    case .made20: 150
    case .made92: 350
    case .made184: 700
    case .made350: 1000
    case .measured: 250
    }
  }

  /// Of a made search, its number of slots.
  var slots: Int? { Int(rawValue) }

  /// A made search is another one for each seed; the measured one is always the same.
  func objective(seed: Int) throws -> any SearchObjective {
    guard let slots else { return try MeasuredObjective() }
    return SyntheticObjective(slots: slots, seed: UInt64(seed))
  }
}
