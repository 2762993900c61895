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

  package mutating func value(at point: UnsafePointer<Double>) -> Double {
    let (mean, deviation) = process.posterior(at: point, &scratch)
    return mean - beta * deviation
  }

  /// The bound at a point, its gradient into `gradient`.
  package mutating func value(
    at point: UnsafePointer<Double>, gradient: UnsafeMutablePointer<Double>
  ) -> Double {
    let (mean, deviation) = process.posterior(at: point, &scratch)
    let square = process.lengthScale * process.lengthScale
    let ratio = deviation > 0 ? beta * process.deviation * process.deviation / deviation : 0
    var sum = 0.0
    for i in 0..<process.points.count {
      let factor =
        (process.deviation * process.weights[i] + ratio * scratch.solution[i])
        * Matern.slope(scratch.arguments[i]) / square
      scratch.covariances[i] = factor
      sum += factor
    }
    process.points.weightedSums(scratch.covariances, into: gradient)
    for d in 0..<process.points.dimensions { gradient[d] = sum * point[d] - gradient[d] }
    return mean - beta * deviation
  }

  /// Local minima in the unit cube, the lowest first: all starting points' roughly, and those of the
  /// most promising until a step gains less than SciPy's default of the value.
  package mutating func minima(from starts: [[Double]]) -> [(point: [Double], value: Double)] {
    var minima = starts.map { (point: $0, value: 0.0) }
    for (count, tolerance) in [(starts.count, 1e-2), (16, 1e-4), (4, 2.2e-9)] {
      for index in minima.indices.prefix(count) {
        minima[index] = descended(from: minima[index].point, tolerance: tolerance)
      }
      minima.sort { $0.value < $1.value }
    }
    return minima
  }

  /// Where L-BFGS comes to, until a step gains less than that share of the value.
  private mutating func descended(
    from start: [Double], tolerance: Double
  ) -> (point: [Double], value: Double) {
    guard let optimizer = nlopt_create(NLOPT_LD_LBFGS, UInt32(start.count)) else {
      return (start, value(at: start))
    }
    defer { nlopt_destroy(optimizer) }
    nlopt_set_lower_bounds1(optimizer, 0)
    nlopt_set_upper_bounds1(optimizer, 1)
    nlopt_set_ftol_rel(optimizer, tolerance)
    nlopt_set_maxeval(optimizer, 500)
    var point = start
    var value = Double.infinity
    withUnsafeMutablePointer(to: &self) { bound in
      nlopt_set_min_objective(
        optimizer,
        { _, point, gradient, bound in
          guard let point, let bound else { return .infinity }
          let pointer = bound.assumingMemoryBound(to: LowerConfidenceBound.self)
          guard let gradient else { return pointer.pointee.value(at: point) }
          return pointer.pointee.value(at: point, gradient: gradient)
        }, bound)
      // Whatever it ends by, the last point is the best one.
      _ = nlopt_optimize(optimizer, &point, &value)
    }
    return value.isFinite ? (point, value) : (start, self.value(at: start))
  }
}
