//! Gaussian-process regression at one length scale, as scikit-learn's GaussianProcessRegressor does
//! it. Chooses no length scale and knows no selection.

import CKernels
import Glibc

/// The Matern kernel of smoothness 5/2 and variance 1 in a = sqrt(5) * distance / length scale.
enum Matern {
  static func value(_ a: Double) -> Double { (1 + a + a * a / 3) * exp(-a) }

  /// What the difference of two points is multiplied by to give the value's gradient, times the
  /// squared length scale.
  static func slope(_ a: Double) -> Double { -5.0 / 3 * (1 + a) * exp(-a) }
}

/// Points by coordinate, so that distances to all of them are computed in vectors.
struct PointColumns: Sendable {
  let dimensions: Int
  private(set) var count = 0
  private var capacity: Int
  private var values: [Double]

  init(dimensions: Int, capacity: Int = 64) {
    self.dimensions = dimensions
    self.capacity = capacity
    values = Array(repeating: 0, count: dimensions * capacity)
  }

  /// Appends a point and returns sqrt(5) times its distances from all before it, and 0 from itself.
  mutating func append(_ point: [Double]) -> [Double] {
    precondition(point.count == dimensions, "a point of other dimensions")
    var distances = [Double](repeating: 0, count: count + 1)
    squaredDistances(to: point, into: &distances)
    for i in 0..<count { distances[i] = (5 * distances[i]).squareRoot() }
    if count == capacity {
      var larger = Array(repeating: 0.0, count: dimensions * capacity * 2)
      for d in 0..<dimensions {
        for i in 0..<count { larger[d * capacity * 2 + i] = values[d * capacity + i] }
      }
      capacity *= 2
      values = larger
    }
    for (d, value) in point.enumerated() { values[d * capacity + count] = value }
    count += 1
    return distances
  }

  mutating func removeLast(_ number: Int) { count -= number }

  /// Squared distances of all points to `point`, into the first elements of `distances`.
  func squaredDistances(to point: UnsafePointer<Double>, into distances: inout [Double]) {
    ck_squared_distances(values, capacity, point, dimensions, count, &distances)
  }

  /// The sum over all points of weight * point.
  func weightedSums(_ weights: [Double], into sums: UnsafeMutablePointer<Double>) {
    ck_weighted_sums(values, capacity, weights, dimensions, count, sums)
  }
}

/// The lower triangle of the covariances' Cholesky factor, rows end to end, and what it says of values.
struct CovarianceFactor {
  let rows: [Double]
  /// Of the values, up to a constant of their number.
  let logLikelihood: Double

  /// - Parameters:
  ///   - distances: sqrt(5) times the points' distances, a triangle like the factor.
  ///   - values: normalised.
  /// - Returns: nil where the covariance is not positive definite.
  init?(_ distances: [Double], _ values: [Double], lengthScale: Double, alpha: Double) {
    let n = values.count
    let inverse = 1 / lengthScale
    var rows = distances
    rows.withUnsafeMutableBufferPointer { rows in
      for index in rows.indices { rows[index] = Matern.value(rows[index] * inverse) }
      for i in 0..<n { rows[Self.diagonal(i)] += alpha }
    }
    guard ck_cholesky(&rows, n) != 0 else { return nil }
    var solution = values
    ck_forward_solve(rows, &solution, n)
    let logDeterminant = (0..<n).reduce(0) { $0 + log(rows[Self.diagonal($1)]) }
    logLikelihood = -0.5 * ck_dot(solution, solution, n) - logDeterminant
    self.rows = rows
  }

  private static func diagonal(_ i: Int) -> Int { i * (i + 3) / 2 }
}

/// A posterior: values are normalised to mean 0 and deviation 1, and `alpha` is the noise's variance
/// beside them.
package struct GaussianProcess: Sendable {
  let points: PointColumns
  package let lengthScale: Double
  /// Of the values.
  let mean: Double
  let deviation: Double
  /// The inverse of the covariance's Cholesky factor, rows end to end.
  let inverse: [Double]
  /// The covariance's inverse times the normalised values.
  let weights: [Double]
  package let logMarginalLikelihood: Double

  /// Nil where the covariance is not positive definite, or there is no point.
  package init?(
    _ points: [[Double]], _ values: [Double], lengthScale: Double, alpha: Double = 1e-4
  ) {
    precondition(points.count == values.count, "a value for each point")
    var columns = PointColumns(dimensions: points.first?.count ?? 0)
    var distances: [Double] = []
    for point in points { distances += columns.append(point) }
    self.init(columns, values, distances, lengthScale: lengthScale, alpha: alpha)
  }

  /// - Parameter distances: sqrt(5) times the points' distances, the lower triangle's rows.
  init?(
    _ points: PointColumns, _ values: [Double], _ distances: [Double], lengthScale: Double,
    alpha: Double
  ) {
    let n = points.count
    let (mean, deviation) = Self.moments(values)
    let scaled = values.map { ($0 - mean) / deviation }
    guard n > 0,
      let factor = CovarianceFactor(distances, scaled, lengthScale: lengthScale, alpha: alpha)
    else { return nil }
    var inverse = factor.rows
    var scratch = [Double](repeating: 0, count: 4 * n)
    ck_invert_triangle(&inverse, &scratch, n)
    var weights = [Double](repeating: 0, count: n)
    _ = ck_triangle_solve(inverse, scaled, &weights, n)
    self.points = points
    self.lengthScale = lengthScale
    self.mean = mean
    self.deviation = deviation
    self.inverse = inverse
    self.weights = weights
    logMarginalLikelihood = factor.logLikelihood - Double(n) / 2 * log(2 * .pi)
  }

  /// Mean and deviation; a deviation of 0 counts as 1.
  static func moments(_ values: [Double]) -> (mean: Double, deviation: Double) {
    let mean = values.reduce(0, +) / Double(values.count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    return (mean, variance < 1e-28 ? 1 : variance.squareRoot())
  }

  /// Mean and deviation of the value at a point, without its noise.
  package func posterior(at point: [Double]) -> (mean: Double, deviation: Double) {
    var scratch = PosteriorScratch(points.count)
    return posterior(at: point, &scratch)
  }

  func posterior(
    at point: UnsafePointer<Double>, _ scratch: inout PosteriorScratch
  ) -> (mean: Double, deviation: Double) {
    let n = points.count
    let factor = 5.0.squareRoot() / lengthScale
    points.squaredDistances(to: point, into: &scratch.arguments)
    for i in 0..<n {
      scratch.arguments[i] = factor * scratch.arguments[i].squareRoot()
      scratch.covariances[i] = Matern.value(scratch.arguments[i])
    }
    let variance = 1 - ck_triangle_solve(inverse, scratch.covariances, &scratch.solution, n)
    return (
      mean + deviation * ck_dot(scratch.covariances, weights, n),
      deviation * max(variance, 0).squareRoot()
    )
  }
}

/// What a posterior at a point is computed in.
struct PosteriorScratch {
  /// sqrt(5) * distance / length scale to each point.
  var arguments: [Double]
  var covariances: [Double]
  /// The covariance's inverse times the covariances with the point.
  var solution: [Double]

  init(_ count: Int) {
    arguments = Array(repeating: 0, count: count)
    covariances = arguments
    solution = arguments
  }
}
