//! The bit accounting against the figures that AutoQKeras prints for the thesis's networks.

import Networks
import Testing

@Suite struct CostModelTests {
  @Test(arguments: [
    ("fc_autoencoder", 4_278_904, 42112, 4_321_016),
    ("ds_cnn", 370_484, 1_164_976, 1_535_460),
    ("mobilenet_v1", 3_414_670, 4_372_512, 7_787_182),
    ("resnet", 1_248_486, 1_909_920, 3_158_406),
    ("mobilenet_v2", 35_623_294, 22_761_008, 58_384_302),
    ("efficientnet_b0", 64_280_882, 46_418_336, 110_699_218),
  ])
  func referenceBits(kind: String, parameters: Int, activations: Int, total: Int) throws {
    let cost = BitCost.reference(of: try #require(Network.named(kind)))
    #expect(cost.parameterBits == parameters)
    #expect(cost.activationBits == activations)
    #expect(cost.totalBits == total)
  }

  @Test(arguments: [
    ("fc_autoencoder", 1_259_512, 8.89), ("ds_cnn", 574_820, 7.09),
    ("mobilenet_v1", 3_718_680, 5.33), ("mobilenet_v2", 24_252_296, 6.34),
    ("efficientnet_b0", 61_175_468, 4.28),
  ])
  func forgivingFactorOfTheThesis(kind: String, trialBits: Int, deltaPercent: Double) throws {
    let reference = BitCost.reference(of: try #require(Network.named(kind)))
    var trial = reference
    trial.parameterBits = trialBits
    trial.activationBits = 0
    let factor = ForgivingFactor(deltaP: 5, deltaN: 5, rate: 2, stress: 1)
    let delta = factor.delta(reference: reference, trial: trial)
    #expect((delta * 10000).rounded() / 100 == deltaPercent)
    #expect(ForgivingFactor.score(metric: 0.5, delta: delta) == 0.5 * (1 + delta))
  }

  @Test func aNetworkAboveTheReferenceIsPunished() {
    let reference = BitCost.reference(of: .resnet())
    var trial = reference
    trial.activationBits += reference.totalBits
    let factor = ForgivingFactor(deltaP: 5, deltaN: 8, rate: 2, stress: 1)
    #expect(abs(factor.delta(reference: reference, trial: trial) + 0.08) < 1e-12)
  }

  @Test func float32SlotsCount32Bits() {
    let cost = BitCost(of: .resnet(), under: .float)
    #expect(cost.parameterBits == 77706 * 32)
  }
}
