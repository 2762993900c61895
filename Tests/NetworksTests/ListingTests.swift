//! Listings: the thesis's own come to the bits that it prints, and what is written is read back.

import Diagnostics
import Foundation
import Networks
import TestSupport
import Testing

@Suite struct ListingTests {
  private static func listing(
    _ file: String, for network: Network
  ) throws -> (listing: QuantizerListing, map: QuantizerMap) {
    let text = try String(
      contentsOfFile: "\(TestPaths.root)/experiments/quantizers/\(file)", encoding: .utf8)
    let listing = QuantizerListing(reading: text, from: file, for: network)
    var map = QuantizerMap()
    for (slot, entry) in listing.entries { map[slot] = entry.quantizer }
    return (listing, map)
  }

  @Test(arguments: [
    ("fc_autoencoder", 1_232_760, 26752, 1_259_512),
    ("ds_cnn", 145_844, 428_976, 574_820),
    ("mobilenet_v1", 1_210_896, 2_507_784, 3_718_680),
  ])
  func theThesissListingsComeToItsBits(
    kind: String, parameters: Int, activations: Int, total: Int
  ) throws {
    let network = try #require(Network.named(kind))
    let (listing, map) = try Self.listing("\(kind)_thesis.txt", for: network)
    #expect(listing.diagnostics.isEmpty)
    #expect(listing.missing(in: network, unless: { _ in false }).isEmpty)
    #expect(listing.contradictions(of: network, under: map, isWhole: true).isEmpty)
    let cost = BitCost(of: network, under: map)
    #expect(cost.parameterBits == parameters)
    #expect(cost.activationBits == activations)
    #expect(cost.totalBits == total)
  }

  /// The thesis printed none of the ResNet: this one a search found.
  @Test func theSearchedListingComesToItsBits() throws {
    let network = Network.resnet()
    let (listing, map) = try Self.listing("resnet_searched.txt", for: network)
    #expect(listing.diagnostics.isEmpty)
    #expect(listing.missing(in: network, unless: { _ in false }).isEmpty)
    #expect(listing.contradictions(of: network, under: map, isWhole: true).isEmpty)
    #expect(BitCost(of: network, under: map).totalBits == 1_441_648)
  }

  @Test(arguments: [
    ("mobilenet_v2", 68, "`activation_15` ... `activation_64`, 83 layers"),
    ("efficientnet_b0", 34, "`activation_18` ... `activation_189`, 246 layers"),
  ])
  func partsSayWhatIsLeftOut(kind: String, count: Int, gap: String) throws {
    let network = try #require(Network.named(kind))
    let (listing, map) = try Self.listing("\(kind)_thesis_part.txt", for: network)
    #expect(listing.diagnostics.isEmpty)
    #expect(listing.entries.count == count)
    let missing = listing.missing(in: network, unless: { _ in false })
    #expect(missing.map(\.message) == ["after this line the listing leaves out \(gap)"])
    // The reference that the block prints is the network's; its trial needs the whole listing.
    #expect(listing.contradictions(of: network, under: map, isWhole: false).isEmpty)
    #expect(!listing.contradictions(of: network, under: map, isWhole: true).isEmpty)
  }

  @Test func theBlockIsAutoQKerass() throws {
    let network = Network.dsCNN()
    let (_, map) = try Self.listing("ds_cnn_thesis.txt", for: network)
    let factor = ForgivingFactor(deltaP: 5, deltaN: 5, rate: 2, stress: 1)
    let text = QuantizerListing.text(of: network, under: map, factor: factor)
    #expect(
      text.hasPrefix(
        """
        stats: delta_p=0.05 delta_n=0.05 rate=2.0 trial_size=574820 reference_size=1535460
               delta=7.09%
               a_bits=428976/1164976 (-63.18%) p_bits=145844/370484 (-60.63%)
               total=574820/1535460 (-62.56%)
        activation           quantized_bits_featuremap(16,16,1,1,alpha='auto',scale_axis=0)
        conv2d               f=64 quantized_bits(16,16,1,alpha='auto') quantized_bits(31,31,1,alpha='auto')

        """))
    // Blanks apart, all of it is what the thesis prints.
    func words(_ text: String) -> [Substring] { text.split(whereSeparator: \.isWhitespace) }
    let printed = try String(
      contentsOfFile: TestPaths.root + "/experiments/quantizers/ds_cnn_thesis.txt", encoding: .utf8)
    #expect(words(text) == words(printed))
  }

  @Test func stressIsInTheReferenceSizeAlone() {
    let map = QuantizerMap.flat(
      kernel: QuantizerSpec(bits: 4, alpha: .auto), bias: nil, activation: nil, for: .resnet())
    let factor = ForgivingFactor(deltaP: 8, deltaN: 5, rate: 2.5, stress: 0.5)
    let statistics = BitStatistics(of: .resnet(), under: map, factor: factor)
    #expect(statistics.lines[0].hasPrefix("stats: delta_p=0.08 delta_n=0.05 rate=2.5 trial_size="))
    #expect(statistics.lines[0].hasSuffix(" reference_size=1579203"))
    #expect(statistics.lines[3].contains("/3158406 ("))
  }

  /// A generator of the test's own: the same maps on every run.
  private struct Draws {
    var state: UInt64
    mutating func below(_ count: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(count))
    }
  }

  private static func spec(_ role: Slot.Role, _ draws: inout Draws) -> QuantizerSpec? {
    if draws.below(6) == 0 { return nil }
    let isFeatureMap = role == .activation && draws.below(2) == 0
    let alphas: [QuantizerSpec.Alpha] = [
      .none, .constant(0.375), .constant(-1e-5), .bestPo2, .auto, .autoPo2,
    ]
    let isFlat = role == .activation && !isFeatureMap
    return QuantizerSpec(
      kind: isFeatureMap ? .featureMap : .quantizedBits, bits: 2 + draws.below(31),
      integer: draws.below(40) - 8, symmetric: draws.below(2) == 0,
      keepNegative: draws.below(4) != 0,
      alpha: alphas[draws.below(isFlat ? 4 : 6)], scaleAxis: isFeatureMap ? 0 : nil,
      qnoiseFactor: draws.below(3) == 0 ? 0.25 : 1)
  }

  @Test(arguments: Network.kinds)
  func whatIsWrittenReadsBack(kind: String) throws {
    let network = try #require(Network.named(kind))
    var draws = Draws(state: 7)
    for round in 0..<20 {
      var map = QuantizerMap()
      for slot in network.slots { map[slot] = Self.spec(slot.role, &draws) }
      let factor =
        round % 2 == 0 ? nil : ForgivingFactor(deltaP: 3, deltaN: 8, rate: 2, stress: 1)
      let text = QuantizerListing.text(of: network, under: map, factor: factor)
      let listing = QuantizerListing(reading: text, from: "a.txt", for: network)
      #expect(listing.diagnostics.allSatisfy { $0.severity == .warning })
      #expect(listing.missing(in: network, unless: { _ in false }).isEmpty)
      #expect(listing.contradictions(of: network, under: map, isWhole: true).isEmpty)
      var read = QuantizerMap()
      for (slot, entry) in listing.entries { read[slot] = entry.quantizer }
      #expect(read == map)
    }
  }

  @Test func aFloatNetworksListingIsATemplate() {
    let text = QuantizerListing.text(of: .resnet(), under: .float, factor: nil)
    #expect(text.hasPrefix("       a_bits=1909920 p_bits=1248486\n       total=3158406\n"))
    let listing = QuantizerListing(reading: text, from: "a.txt", for: .resnet())
    #expect(listing.diagnostics.isEmpty && listing.entries.count == Network.resnet().slots.count)
    #expect(listing.entries.values.allSatisfy { $0.quantizer == nil })
    #expect(listing.contradictions(of: .resnet(), under: .float, isWhole: true).isEmpty)
  }
}
