//! The surrogate models' loops beside naive ones.

import CKernels
import Testing

import Search

@Suite struct SurrogateKernelTests {
  /// Numbers around 0 that every run has.
  private static func numbers(_ count: Int, seed: UInt64) -> [Double] {
    var draws = TrialDraws(seed: seed, trial: 0)
    return (0..<count).map { _ in draws.normal() }
  }

  private static func start(_ row: Int) -> Int { row * (row + 1) / 2 }

  /// B * B' + 1 of random rows, the lower triangle.
  private static func covariance(_ count: Int) -> [Double] {
    let rows = (0..<count).map { numbers(count, seed: UInt64($0)) }
    return (0..<count).flatMap { i in
      (0...i).map { j in
        zip(rows[i], rows[j]).reduce(i == j ? 1 : 0) { $0 + $1.0 * $1.1 }
      }
    }
  }

  @Test(arguments: [1, 2, 3, 4, 5, 8, 19, 40])
  func aFactorTimesItselfIsTheMatrix(_ count: Int) {
    let matrix = Self.covariance(count)
    var factor = matrix
    #expect(ck_cholesky(&factor, count) == 1)
    for i in 0..<count {
      for j in 0...i {
        let product = (0...j).reduce(0) {
          $0 + factor[Self.start(i) + $1] * factor[Self.start(j) + $1]
        }
        #expect(abs(product - matrix[Self.start(i) + j]) < 1e-11 * Double(count))
      }
    }
  }

  /// What a factor grows by when a row comes is what it has when it is made anew.
  @Test func aFactorGrowsByTheSameBits() {
    let count = 23
    let matrix = Self.covariance(count)
    var factor = matrix
    #expect(ck_cholesky(&factor, count) == 1)
    var row = Array(matrix[Self.start(count - 1)..<(matrix.count - 1)])
    ck_forward_solve(factor, &row, count - 1)
    #expect(row == Array(factor[Self.start(count - 1)..<(matrix.count - 1)]))
  }

  @Test func aMatrixThatIsNotPositiveDefiniteHasNoFactor() {
    var matrix = Self.covariance(9)
    matrix[Self.start(6) + 6] = -1
    #expect(ck_cholesky(&matrix, 9) == 0)
    var notNumbers = [Double.nan, 0, 1]
    #expect(ck_cholesky(&notNumbers, 2) == 0)
  }

  @Test(arguments: [1, 2, 3, 4, 5, 8, 19, 40])
  func theInverseSolves(_ count: Int) {
    let matrix = Self.covariance(count)
    var inverse = matrix
    var scratch = [Double](repeating: 0, count: 4 * count)
    #expect(ck_cholesky(&inverse, count) == 1)
    ck_invert_triangle(&inverse, &scratch, count)
    let right = Self.numbers(count, seed: 99)
    var solution = [Double](repeating: 0, count: count)
    let square = ck_triangle_solve(inverse, right, &solution, count)
    #expect(abs(square - zip(right, solution).reduce(0) { $0 + $1.0 * $1.1 }) < 1e-11)
    for i in 0..<count {
      let product = (0..<count).reduce(0) {
        $0 + matrix[Self.start(max(i, $1)) + min(i, $1)] * solution[$1]
      }
      #expect(abs(product - right[i]) < 1e-11 * Double(count))
    }
  }

  @Test func distancesAndSumsAreThoseOfNaiveLoops() {
    let (dimensions, count, stride) = (7, 13, 16)
    let columns = Self.numbers(dimensions * stride, seed: 1)
    let point = Self.numbers(dimensions, seed: 2)
    let weights = Self.numbers(count, seed: 3)
    var distances = [Double](repeating: 0, count: count)
    ck_squared_distances(columns, stride, point, dimensions, count, &distances)
    var sums = [Double](repeating: 0, count: dimensions)
    ck_weighted_sums(columns, stride, weights, dimensions, count, &sums)
    for i in 0..<count {
      let expected = (0..<dimensions).reduce(0) {
        let difference = columns[$1 * stride + i] - point[$1]
        return $0 + difference * difference
      }
      #expect(abs(distances[i] - expected) < 1e-13)
    }
    for d in 0..<dimensions {
      let expected = (0..<count).reduce(0) { $0 + weights[$1] * columns[d * stride + $1] }
      #expect(abs(sums[d] - expected) < 1e-13)
    }
  }
}
