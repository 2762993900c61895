//! Bits, energy and scores of random configurations beside what QKeras's own code says of them.

import Foundation
import Networks
import TestSupport
import Testing

@Suite struct QKerasCostTests {
  /// A line of an array of mixed types: the configuration's letters, then numbers.
  private struct Case: Decodable {
    var letters: String
    var numbers: [Double] = []

    init(from decoder: any Decoder) throws {
      var container = try decoder.unkeyedContainer()
      letters = try container.decode(String.self)
      while !container.isAtEnd { numbers.append(try container.decode(Double.self)) }
    }

    /// The bits of the slots in the network's order.
    func bits(in network: Network) throws -> [Slot: Int] {
      let byLetter: [Character: Int] = ["a": 4, "b": 8, "c": 16, "d": 31]
      let bits = letters.compactMap { byLetter[$0] }
      try #require(bits.count == network.slots.count)
      return Dictionary(uniqueKeysWithValues: zip(network.slots, bits))
    }
  }

  private struct Bits: Decodable {
    var network: String
    var stressed_reference: Double
    var cases: [Case]
  }

  private struct Energy: Decodable {
    var network: String
    var reference: Double
    /// Of the first case.
    var layers: [Double]
    var cases: [Case]
  }

  private struct Fixture: Decodable {
    var bits: [Bits]
    var energy: [Energy]
  }

  private static func fixture() throws -> Fixture {
    let path = TestPaths.fixtures + "/search/costs.json"
    return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: URL(filePath: path)))
  }

  private static let factor = ForgivingFactor(deltaP: 8, deltaN: 5, rate: 2, stress: 0.5)

  @Test func bitsAndScoresAreAutoQKerass() throws {
    var count = 0
    for expected in try Self.fixture().bits {
      let network = try #require(Network.named(expected.network))
      let reference = BitCost.reference(of: network)
      #expect(Double(reference.totalBits) * Self.factor.stress == expected.stressed_reference)
      for expectedCase in expected.cases {
        let bits = try expectedCase.bits(in: network)
        let trial = BitCost(of: network) { bits[$0] ?? 0 }
        #expect(Double(trial.totalBits) == expectedCase.numbers[0])
        let delta = Self.factor.delta(reference: reference, trial: trial)
        #expect(abs(delta - expectedCase.numbers[1]) < 1e-6)
        let score = ForgivingFactor.score(metric: 0.7, delta: delta)
        #expect(abs(score - expectedCase.numbers[2]) < 1e-6)
        count += 1
      }
    }
    #expect(count == 1000)
  }

  @Test func energiesAreThoseOfRunQTools() throws {
    var factor = Self.factor
    factor.stress = 1
    for expected in try Self.fixture().energy {
      let network = try #require(Network.named(expected.network))
      #expect(expected.cases.count == 50)
      let reference = EnergyCost.reference(of: network)
      // QKeras adds hundredths, two for most layers, and cuts the sum to a whole number.
      #expect(abs(reference.picojoules - expected.reference) < 1)
      for (index, expectedCase) in expected.cases.enumerated() {
        let bits = try expectedCase.bits(in: network)
        let trial = EnergyCost(of: network) { bits[$0] }
        if index == 0 {
          #expect(trial.layers.count == expected.layers.count)
          for (layer, energy) in zip(trial.layers, expected.layers) {
            #expect(abs(layer.picojoules - energy) < 0.011, "\(layer.name)")
          }
        }
        #expect(abs(trial.picojoules - expectedCase.numbers[1]) < 1e-6 * expectedCase.numbers[1])
        let delta = factor.delta(reference: reference, trial: trial)
        #expect(abs(delta - expectedCase.numbers[2]) < 1e-6)
      }
    }
  }

  @Test func anEditedTableCounts() {
    var table = EnergyTable()
    table.dramAccess = [0]
    table.sramAccess = [0]
    table.integerMultiply = [1]
    table.integerAdd = [0]
    let cost = EnergyCost(of: .fcAutoencoder(), table: table) { _ in 8 }
    // A picojoule a multiplication.
    let multiplications: Int = 2 * 640 * 128 + 6 * 128 * 128 + 2 * 128 * 8
    #expect(cost.picojoules == Double(multiplications))
  }

  @Test func everyNetworkHasAnEnergyBelowItsReference() throws {
    for kind in ["resnet", "mobilenet_v1", "mobilenet_v2", "efficientnet_b0"] {
      let network = try #require(Network.named(kind))
      let reference = EnergyCost.reference(of: network).picojoules
      let eight = EnergyCost(of: network) { _ in 8 }.picojoules
      let four = EnergyCost(of: network) { _ in 4 }.picojoules
      #expect(0 < four && four < eight && eight < reference / 2)
    }
  }
}
