//! What measured accuracies say of selections that were not measured. Knows no score.

import Glibc
import Search

/// Ridge regression of the accuracy's logit: a step for each level of each slot, and for each two slots
/// a product of whether they are above their lowest level.
struct EvaluationModel {
  /// Bounds that the logit is taken between.
  private static let bounds = (low: 0.05, high: 0.97)
  /// What the squares of the steps and of the products cost; of a grid the best in cross-validation.
  private static let ridges = (steps: 5.0, products: 80.0)

  private let weights: [Double]

  /// Nil where the normal equations have no solution.
  init?(_ selections: [[Int]], _ accuracies: [Double], cardinalities: [Int]) {
    let steps = cardinalities.reduce(0) { $0 + $1 - 1 }
    let features = selections.map { Self.features($0, cardinalities) }
    let count = features.first?.count ?? 0
    // The lower triangle.
    var matrix = (0..<count).map { [Double](repeating: 0, count: $0 + 1) }
    var right = [Double](repeating: 0, count: count)
    for (row, accuracy) in zip(features, accuracies) {
      let logit = Self.logit(accuracy)
      for i in 0..<count {
        right[i] += row[i] * logit
        for j in 0...i { matrix[i][j] += row[i] * row[j] }
      }
    }
    for i in 1..<max(count, 1) {
      matrix[i][i] += i <= steps ? Self.ridges.steps : Self.ridges.products
    }
    guard let weights = Self.solution(matrix, right) else { return nil }
    self.weights = weights
  }

  func accuracy(_ selection: [Int], _ cardinalities: [Int]) -> Double {
    let logit = zip(weights, Self.features(selection, cardinalities)).reduce(0) {
      $0 + $1.0 * $1.1
    }
    return Self.bounds.low + (Self.bounds.high - Self.bounds.low) / (1 + exp(-logit))
  }

  /// Fitted to nine tenths and compared with the last, ten times: the root of the mean square error, and
  /// Spearman's rank correlation.
  static func crossValidation(
    _ selections: [[Int]], _ accuracies: [Double], cardinalities: [Int]
  ) -> (error: Double, correlation: Double) {
    var predicted = accuracies
    for fold in 0..<10 {
      let fitted = selections.indices.filter { $0 % 10 != fold }
      let model = EvaluationModel(
        fitted.map { selections[$0] }, fitted.map { accuracies[$0] }, cardinalities: cardinalities)
      guard let model else { continue }
      for index in selections.indices where index % 10 == fold {
        predicted[index] = model.accuracy(selections[index], cardinalities)
      }
    }
    let squares = zip(predicted, accuracies).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    return (
      (squares / Double(accuracies.count)).squareRoot(),
      correlation(ranks(predicted), ranks(accuracies))
    )
  }

  /// Of equals the mean.
  private static func ranks(_ values: [Double]) -> [Double] {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var ranks = values
    var start = 0
    while start < order.count {
      var end = start
      while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
      for place in start..<end { ranks[order[place]] = Double(start + end - 1) / 2 }
      start = end
    }
    return ranks
  }

  private static func correlation(_ x: [Double], _ y: [Double]) -> Double {
    let count = Double(x.count)
    let (meanX, meanY) = (x.reduce(0, +) / count, y.reduce(0, +) / count)
    var (xx, xy, yy) = (0.0, 0.0, 0.0)
    for (a, b) in zip(x, y) {
      xx += (a - meanX) * (a - meanX)
      xy += (a - meanX) * (b - meanY)
      yy += (b - meanY) * (b - meanY)
    }
    return xy / (xx * yy).squareRoot()
  }

  private static func logit(_ accuracy: Double) -> Double {
    let inside = min(max(accuracy, bounds.low + 0.005), bounds.high - 0.005)
    return log((inside - bounds.low) / (bounds.high - inside))
  }

  private static func features(_ selection: [Int], _ cardinalities: [Int]) -> [Double] {
    var features = [1.0]
    for (index, count) in zip(selection, cardinalities) {
      for level in 1..<max(count, 1) { features.append(index >= level ? 0.5 : -0.5) }
    }
    for i in selection.indices {
      for j in 0..<i { features.append((selection[i] > 0) == (selection[j] > 0) ? 0.5 : -0.5) }
    }
    return features
  }

  /// By Cholesky's factor, row by row.
  private static func solution(_ matrix: [[Double]], _ right: [Double]) -> [Double]? {
    var factor = matrix
    var solution = right
    for i in factor.indices {
      var row = factor[i]
      for j in 0..<i {
        var sum = row[j]
        for k in 0..<j { sum -= row[k] * factor[j][k] }
        row[j] = sum / factor[j][j]
      }
      let pivot = row[..<i].reduce(row[i]) { $0 - $1 * $1 }
      guard pivot > 0 else { return nil }
      row[i] = pivot.squareRoot()
      solution[i] = zip(row[..<i], solution).reduce(solution[i]) { $0 - $1.0 * $1.1 } / row[i]
      factor[i] = row
    }
    for i in factor.indices.reversed() {
      solution[i] /= factor[i][i]
      for k in 0..<i { solution[k] -= solution[i] * factor[i][k] }
    }
    return solution
  }
}
