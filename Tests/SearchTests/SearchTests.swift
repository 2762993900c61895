//! The search space and the random tuner.

import Networks
import Search
import Testing

@Suite struct SearchTests {
  static func space() -> SearchSpace {
    func candidates(_ bits: [Int]) -> [QuantizerSpec] {
      bits.map { QuantizerSpec(bits: $0, integer: $0, symmetric: true, alpha: .auto) }
    }
    return SearchSpace([
      .init(role: .kernel, slots: ["conv2d", "conv2d_1"], candidates: candidates([4, 8, 16])),
      .init(role: .bias, slots: ["conv2d"], candidates: candidates([31])),
      .init(role: .activation, slots: ["activation"], candidates: candidates([4, 8])),
    ])
  }

  @Test func aTunerGivesEverySelectionOnce() {
    let space = Self.space()
    var tuner = RandomTuner(cardinalities: space.choices.map(\.candidates.count), seed: 1)
    var all: Set<[Int]> = []
    while let proposal = tuner.propose(1).first {
      #expect(all.insert(proposal.selection).inserted)
      tuner.tell([FinishedTrial(proposal, score: 0)])
    }
    #expect(all.count == 6 && Self.space().count == 6)
  }

  @Test func sharedSlotsGetTheSameQuantizer() {
    let map = Self.space().quantizers([1, 0, 0])
    #expect(map.kernels["conv2d"]?.bits == 8 && map.kernels["conv2d_1"]?.bits == 8)
    #expect(
      map.biases == ["conv2d": QuantizerSpec(bits: 31, integer: 31, symmetric: true, alpha: .auto)])
    #expect(map.activations["activation"]?.bits == 4)
  }

  @Test func aSpaceLargerThanAnyIntegerHasNoCount() {
    let choice = Self.space().choices[0]
    #expect(SearchSpace(Array(repeating: choice, count: 60)).count == nil)
  }
}
