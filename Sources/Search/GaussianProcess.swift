//! Gaussian-process regression at one length scale, as scikit-learn's GaussianProcessRegressor does
//! it. Chooses no length scale and knows no selection.

import CKernels
import CLAPACKE
import Glibc

/// The Matern kernel of smoothness 5/2 and variance 1 in a = sqrt(5) * distance / length scale.
enum Matern {
  static func value(_ a: Double) -> Double { (1 + a + a * a / 3) * exp(-a) }

  /// What the difference of two points is multiplied by to give the value's gradient, times the
  /// squared length scale.
  static func slope(_ a: Double) -> Double { -5.0 / 3 * (1 + a) * exp(-a) }

  /// The derivative by the logarithm of the length scale.
  static func scaleSlope(_ a: Double) -> Double { a * a * (1 + a) / 3 * exp(-a) }
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

  init(_ points: [[Double]]) {
    self.init(dimensions: points.first?.count ?? 0, capacity: max(points.count, 1))
    for point in points { append(point) }
  }

  mutating func append(_ point: [Double]) {
    precondition(point.count == dimensions, "a point of other dimensions")
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
  }

  mutating func removeLast(_ number: Int) { count -= number }

  func point(_ index: Int) -> [Double] {
    (0..<dimensions).map { values[$0 * capacity + index] }
  }

  /// Squared distances of all points to `point`, into the first elements of `distances`.
  func squaredDistances(to point: [Double], into distances: inout [Double]) {
    ck_squared_distances(values, capacity, point, dimensions, count, &distances)
  }

  /// The sum over all points of weight * coordinate.
  func weighted(_ weights: [Double], coordinate: Int) -> Double {
    values.withUnsafeBufferPointer {
      guard let base = $0.baseAddress else { return 0 }
      return ck_dot(base + coordinate * capacity, weights, count)
    }
  }
}

/// A posterior: values are normalised to mean 0 and deviation 1, and `alpha` is the noise's variance
/// beside them.
package struct GaussianProcess: Sendable {
  let points: PointColumns
  package let lengthScale: Double
  /// Of the values.
  let mean: Double
  let deviation: Double
  /// The covariance's inverse, rows end to end.
  let inverse: [Double]
  /// The inverse times the normalised values.
  let weights: [Double]
  package let logMarginalLikelihood: Double
  /// The likelihood's derivative by the logarithm of the length scale.
  package let likelihoodSlope: Double

  /// Nil where the covariance is not positive definite, or there is no point.
  package init?(
    _ points: [[Double]], _ values: [Double], lengthScale: Double, alpha: Double = 1e-4
  ) {
    self.init(PointColumns(points), values, lengthScale: lengthScale, alpha: alpha)
  }

  init?(_ points: PointColumns, _ values: [Double], lengthScale: Double, alpha: Double) {
    precondition(points.count == values.count, "a value for each point")
    let n = points.count
    guard n > 0, n < 1 << 15 else { return nil }
    let (mean, deviation) = Self.moments(values)
    let scaled = values.map { ($0 - mean) / deviation }
    var arguments = [Double](repeating: 0, count: n * n)
    var covariance = arguments
    var row = [Double](repeating: 0, count: n)
    let factor = 5.0.squareRoot() / lengthScale
    for i in 0..<n {
      points.squaredDistances(to: points.point(i), into: &row)
      for j in 0...i {
        let a = factor * row[j].squareRoot()
        arguments[i * n + j] = a
        covariance[i * n + j] = Matern.value(a)
      }
      covariance[i * n + i] += alpha
    }
    let rowMajor: Int32 = 101
    let lower = CChar(UInt8(ascii: "L"))
    guard LAPACKE_dpotrf(rowMajor, lower, Int32(n), &covariance, Int32(n)) == 0 else { return nil }
    let logDeterminant = (0..<n).reduce(0) { $0 + log(covariance[$1 * n + $1]) }
    guard LAPACKE_dpotri(rowMajor, lower, Int32(n), &covariance, Int32(n)) == 0 else { return nil }
    for i in 0..<n { for j in 0..<i { covariance[j * n + i] = covariance[i * n + j] } }
    var weights = [Double](repeating: 0, count: n)
    ck_matrix_vector(covariance, scaled, &weights, n)
    // d/d log l of the likelihood is (w' dK w - trace(K^-1 dK)) / 2, and dK is 0 on the diagonal.
    var slope = 0.0
    for i in 0..<n {
      for j in 0..<i {
        slope +=
          (weights[i] * weights[j] - covariance[i * n + j])
          * Matern.scaleSlope(arguments[i * n + j])
      }
    }
    self.points = points
    self.lengthScale = lengthScale
    self.mean = mean
    self.deviation = deviation
    self.weights = weights
    inverse = covariance
    logMarginalLikelihood =
      -0.5 * ck_dot(scaled, weights, n) - logDeterminant - Double(n) / 2 * log(2 * .pi)
    likelihoodSlope = slope
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
    at point: [Double], _ scratch: inout PosteriorScratch
  ) -> (mean: Double, deviation: Double) {
    let n = points.count
    let factor = 5.0.squareRoot() / lengthScale
    points.squaredDistances(to: point, into: &scratch.arguments)
    for i in 0..<n {
      scratch.arguments[i] = factor * scratch.arguments[i].squareRoot()
      scratch.covariances[i] = Matern.value(scratch.arguments[i])
    }
    ck_matrix_vector(inverse, scratch.covariances, &scratch.solution, n)
    let variance = 1 - ck_dot(scratch.covariances, scratch.solution, n)
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
  /// The inverse times the covariances.
  var solution: [Double]

  init(_ count: Int) {
    arguments = Array(repeating: 0, count: count)
    covariances = arguments
    solution = arguments
  }
}
