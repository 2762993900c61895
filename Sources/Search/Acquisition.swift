//! Where a Gaussian process is worth a trial: its lower confidence bound and the bound's minima in
//! the unit cube. Knows no trial.

import CKernels
import CNLopt
import Glibc

/// mean - beta * deviation, to be minimised.
package struct LowerConfidenceBound {
  private let process: GaussianProcess
  private let beta: Double
  private var scratch: PosteriorScratch

  package init(_ process: GaussianProcess, beta: Double = 2.6) {
    self.process = process
    self.beta = beta
    scratch = PosteriorScratch(process.points.count)
  }

  package mutating func value(at point: [Double]) -> Double {
    let (mean, deviation) = process.posterior(at: point, &scratch)
    return mean - beta * deviation
  }

  /// The bound at a point, its gradient into `gradient`.
  package mutating func value(at point: [Double], gradient: UnsafeMutablePointer<Double>) -> Double
  {
    let (mean, deviation) = process.posterior(at: point, &scratch)
    let n = process.points.count
    let square = process.lengthScale * process.lengthScale
    let ratio = deviation > 0 ? beta * process.deviation * process.deviation / deviation : 0
    var sum = 0.0
    for i in 0..<n {
      let factor =
        (process.deviation * process.weights[i] + ratio * scratch.solution[i])
        * Matern.slope(scratch.arguments[i]) / square
      scratch.covariances[i] = factor
      sum += factor
    }
    for d in point.indices {
      gradient[d] =
        sum * point[d] - process.points.weighted(scratch.covariances, coordinate: d)
    }
    return mean - beta * deviation
  }

  /// Descends from a starting point by L-BFGS within the unit cube, until a step gains less than
  /// SciPy's default of the value.
  package mutating func minimum(from start: [Double]) -> (point: [Double], value: Double) {
    let dimensions = start.count
    guard let optimizer = nlopt_create(NLOPT_LD_LBFGS, UInt32(dimensions)) else {
      return (start, value(at: start))
    }
    defer { nlopt_destroy(optimizer) }
    nlopt_set_lower_bounds1(optimizer, 0)
    nlopt_set_upper_bounds1(optimizer, 1)
    nlopt_set_ftol_rel(optimizer, 2.2e-9)
    nlopt_set_maxeval(optimizer, 500)
    var point = start
    var value = Double.infinity
    withUnsafeMutablePointer(to: &self) { bound in
      nlopt_set_min_objective(
        optimizer,
        { count, x, gradient, bound in
          guard let x, let bound else { return .infinity }
          let pointer = bound.assumingMemoryBound(to: LowerConfidenceBound.self)
          let point = Array(UnsafeBufferPointer(start: x, count: Int(count)))
          guard let gradient else { return pointer.pointee.value(at: point) }
          return pointer.pointee.value(at: point, gradient: gradient)
        }, bound)
      // Whatever it ends by, the last point is the best one.
      _ = nlopt_optimize(optimizer, &point, &value)
    }
    return value.isFinite ? (point, value) : (start, self.value(at: start))
  }
}
