//! The Gaussian process and its acquisition beside scikit-learn's and SciPy's.

import Foundation
import TestSupport
import Testing

import Search

@Suite struct GaussianProcessTests {
  private struct Fixture: Decodable {
    struct Posterior: Decodable {
      var cardinalities: [Int]
      var indices: [[Int]]
      var values: [Double]
      var lengthScale: Double
      var queries: [[Double]]
      var mean: [Double]
      var deviation: [Double]
      var likelihood: Double
    }

    struct Search: Decodable {
      var cardinalities: [Int]
      var indices: [[Int]]
      var values: [Double]
      var lengthScale: Double
      var likelihood: Double
      var starts: [[Double]]
      var minimum: Double
    }

    var posteriors: [Posterior]
    var searches: [Search]
  }

  private static func fixture() throws -> Fixture {
    let path = TestPaths.fixtures + "/search/gaussian_process.json"
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Fixture.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
  }

  private static func points(_ indices: [[Int]], _ cardinalities: [Int]) -> [[Double]] {
    indices.map { zip($0, cardinalities).map { (Double($0) + 0.5) / Double($1) } }
  }

  private static func scan(of search: Fixture.Search) -> LengthScaleScan {
    var scan = LengthScaleScan(dimensions: search.cardinalities.count, alpha: 1e-4)
    for (point, value) in zip(points(search.indices, search.cardinalities), search.values) {
      scan.append(point, value: value)
    }
    return scan
  }

  @Test func posteriorsAreThoseOfScikitLearn() throws {
    for expected in try Self.fixture().posteriors {
      let points = Self.points(expected.indices, expected.cardinalities)
      let process = try #require(
        GaussianProcess(points, expected.values, lengthScale: expected.lengthScale))
      for (index, query) in expected.queries.enumerated() {
        let (mean, deviation) = process.posterior(at: query)
        #expect(abs(mean - expected.mean[index]) < 1e-6)
        #expect(abs(deviation - expected.deviation[index]) < 1e-6)
      }
      #expect(abs(process.logMarginalLikelihood - expected.likelihood) < 1e-6)
    }
  }

  @Test func theLengthScaleIsAtLeastAsLikelyAsTheBestOfTwentyOneClimbs() throws {
    for expected in try Self.fixture().searches {
      let process = try #require(Self.scan(of: expected).fitted())
      #expect(process.logMarginalLikelihood > expected.likelihood - 1e-5)
    }
  }

  @Test func fromEqualStartsTheAcquisitionComesAsFarAsSciPys() throws {
    for expected in try Self.fixture().searches {
      let process = try #require(Self.scan(of: expected).fitted())
      var bound = LowerConfidenceBound(process)
      let minimum = try #require(bound.minima(from: expected.starts).first?.value)
      #expect(minimum < expected.minimum + 1e-4)
    }
  }

  @Test func theAcquisitionsGradientIsThatOfItsDifferences() throws {
    let expected = try Self.fixture().searches[1]
    var bound = LowerConfidenceBound(try #require(Self.scan(of: expected).fitted()))
    var point = expected.starts[0]
    var gradient = [Double](repeating: 0, count: point.count)
    _ = bound.value(at: point, gradient: &gradient)
    for d in point.indices {
      let middle = point[d]
      point[d] = middle + 1e-5
      let above = bound.value(at: point)
      point[d] = middle - 1e-5
      let below = bound.value(at: point)
      point[d] = middle
      #expect(abs((above - below) / 2e-5 - gradient[d]) < 1e-6)
    }
  }

  /// What a batch supposes of its own trials must leave no trace.
  @Test func takingTrialsBackLeavesTheScanAsItWas() throws {
    let expected = try Self.fixture().searches[0]
    var scan = Self.scan(of: expected)
    let before = try #require(scan.fitted())
    let points = Self.points(expected.indices, expected.cardinalities)
    for point in points.prefix(5) { scan.append(point.map { $0 / 2 }, value: 3) }
    scan.removeLast(5)
    let after = try #require(scan.fitted())
    #expect(before.lengthScale == after.lengthScale)
    #expect(before.posterior(at: points[0]) == after.posterior(at: points[0]))
  }
}
