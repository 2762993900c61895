//! What is wrong in a listing, each at its place, and the slips that are none.

import Diagnostics
import Networks
import Testing

@Suite struct ListingFaultTests {
  private func shown(_ all: [Diagnostic]) -> [String] {
    all.map { "\($0.location?.line ?? 0):\($0.location?.column ?? 0)+\($0.length) \($0.message)" }
  }

  private func read(_ text: String, _ network: Network = .dsCNN()) -> QuantizerListing {
    QuantizerListing(reading: text, from: "l.txt", for: network)
  }

  @Test(arguments: [
    "conv2d quantized_bits(4,4,1,alpha='auto') quantized_bits(16,16,1,alpha='auto')",
    "  conv2d\tf=64\tquantized_bits(4,4,1,alpha='auto')   quantized_bits(16,16,1,alpha='auto')  ",
    "conv2d f=64 quantized_bits (4, 4, 1, alpha='auto') quantized_bits(16,16,1,alpha = \"auto\")\r",
    "conv2d p=64 quantized_bits(4,4,1,alpha=\u{2019}auto\u{2019}) quantized_bits(16,16,1,1,'auto')",
    "\u{FEFF}```\nconv2d f = 64 quantized_bits(4,4,1,alpha='auto') quantized_bits(16,16,1,alpha='auto')\n```",
    "# from a log\n\nconv2d quantized_bits(4,4,1,alpha='auto')quantized_bits(16,16,1,alpha='auto')",
  ])
  func slipsAreAccepted(text: String) throws {
    let listing = read(text)
    #expect(shown(listing.diagnostics) == [])
    let four = try QuantizerSpec(parsing: "quantized_bits(4,4,1,1,alpha='auto')")
    let wide = try QuantizerSpec(parsing: "quantized_bits(16,16,1,1,alpha='auto')")
    #expect(Set(listing.entries.values.map(\.quantizer)) == [four, wide])
    #expect(listing.entries.keys.allSatisfy { $0.name == "conv2d" } && listing.entries.count == 2)
  }

  @Test func featureMapsMayHaveABlankInTheirName() throws {
    let listing = read("activation quantized_bits  featuremap(4,4,1,1,alpha='auto',scale_axis=0)")
    #expect(listing.diagnostics.isEmpty)
    #expect(listing.entries.first?.value.quantizer?.kind == .featureMap)
    #expect(
      shown(read("activation quantized_bits  featuremap(4,4,9,alpha='auto')").diagnostics) == [
        "1:43+1 `symmetric` takes 0, 1, True or False"
      ])
  }

  @Test(arguments: [
    ("conv3d f=64 float float", "1:1+6 ds_cnn has no layer `conv3d`"),
    ("re_lu float", "1:1+5 the layer `re_lu` has no quantizer"),
    ("activation float\nactivation float", "2:1+10 `activation` is listed twice"),
    ("conv2d f=32 float float", "1:8+4 `conv2d` of ds_cnn has 64 filters"),
    ("conv2d f=None float float", "1:8+6 `conv2d` of ds_cnn has 64 filters"),
    ("dense u=10 float float", "1:7+4 `dense` of ds_cnn has 12 units"),
    ("depthwise_conv2d f=32 float float", "1:18+4 `depthwise_conv2d` of ds_cnn has 64 filters"),
    ("activation f=3 float", "1:12+3 `activation` is an activation and has no size"),
    (
      "activation float float",
      "1:18+5 `activation` has one quantizer, nothing may follow"
    ),
    (
      "conv2d float float act=relu",
      "1:20+8 `conv2d` has a kernel's and a bias's quantizer, nothing may follow"
    ),
    (
      "activation quantized_bits(8,8,1,alpha='auto')",
      "1:12+34 quantized_bits takes a scale from each channel of an activation; "
        + "quantized_bits_featuremap takes one from each sample"
    ),
    ("conv2d quantized_bits(0) float", "1:8+17 bits must lie in 1...32"),
    ("conv2d quantized_bits(8,alfa=1) float", "1:25+4 no argument is called `alfa`"),
    ("conv2d quantised_bits(8) float", "1:8+14 no quantizer is called `quantised_bits`"),
    ("conv2d quantized_bits 8 float", "1:21+1 expected `(`"),
    ("conv2d float quantized_bits(8,8,1,alpha='auto", "1:41+5 a string without its closing quote"),
    ("conv2d float %", "1:14+1 a quantizer starts with its name"),
    ("stats: trial_size=many", "1:19+4 trial_size is a number, not `many`"),
    ("stats: size=7", "1:8+6 `size=7` is no figure of a stats block"),
    ("total=1/2/3", "1:7+5 total is a number, not `1/2/3`"),
  ])
  func faultsNameTheirPlace(text: String, expected: String) {
    let listing = read(text)
    #expect(listing.diagnostics.count == 1)
    #expect(
      shown(listing.diagnostics).first?.hasPrefix(expected) == true, "\(shown(listing.diagnostics))"
    )
    #expect(listing.diagnostics.allSatisfy { $0.sourceLine != nil && $0.severity == .error })
  }

  @Test func gapsAreToldBehindWhatPrecedesThem() {
    let listing = read(
      """
      activation_1 float
      conv2d f=64 float float
      depthwise_conv2d float
      dense float float
      """)
    let missing = listing.missing(in: .dsCNN()) { $0.name == "activation_5" }
    #expect(
      shown(missing) == [
        "3:1+16 the bias of depthwise_conv2d has no quantizer",
        "1:1+1 the listing leaves out `activation`",
        "3:1+16 after this line the listing leaves out `activation_2` ... `activation_10`, 15 layers",
        "4:1+5 after this line the listing leaves out `activation_11`",
      ])
  }

  @Test func aMisspeltNameIsOneFault() {
    let text = QuantizerListing.text(of: .dsCNN(), under: .float, factor: nil)
      .replacing("activation_7 ", with: "activaton_7 ")
    let listing = read(text)
    #expect(listing.diagnostics.map(\.suggestion) == ["did you mean `activation_7`?"])
    #expect(listing.missing(in: .dsCNN(), unless: { _ in false }).isEmpty)
  }

  @Test func theBlockIsComparedWithTheLines() {
    let network = Network.fcAutoencoder()
    var text = QuantizerListing.text(
      of: network,
      under: .flat(
        kernel: QuantizerSpec(bits: 4, alpha: .auto), bias: QuantizerSpec(bits: 16, alpha: .auto),
        activation: QuantizerSpec(kind: .featureMap, bits: 8, alpha: .auto, scaleAxis: 0),
        for: network), factor: ForgivingFactor(deltaP: 5, deltaN: 5, rate: 2, stress: 2))
    #expect(warnings(text, network) == [])
    text.replace(
      "dense_9              u=640 quantized_bits(4,", with: "dense_9   u=640 quantized_bits(5,")
    #expect(
      warnings(text, network) == [
        "1:54+7 the stats block says trial_size 1107136, the lines come to 1189056",
        "3:44+15 the stats block says p_bits 1083520, the lines come to 1165440",
        "4:14+15 the stats block says total 1107136, the lines come to 1189056",
      ])
    text = "stats: delta_p=0.05 delta_n=0.05 rate=2.0 trial_size=100 reference_size=400\ndelta=9.5%"
    #expect(
      warnings(text, network).last
        == "2:7+4 the stats block says delta 9.5 %, its own sizes give 10.00 %")
    #expect(
      warnings("a bits=1/42113 (-3%)", network).first
        == "1:8+7 the stats block says a_bits 42113, the reference of fc_autoencoder has 42112")
  }

  private func warnings(_ text: String, _ network: Network) -> [String] {
    let listing = read(text, network)
    var map = QuantizerMap()
    for (slot, entry) in listing.entries { map[slot] = entry.quantizer }
    let all = listing.contradictions(of: network, under: map, isWhole: true)
    #expect(all.allSatisfy { $0.severity == .warning } && listing.diagnostics.isEmpty)
    return shown(all)
  }

  /// Texts that are no listings at all: faults, never a crash, and not without end.
  @Test func hostileTextsAreRefused() {
    var state: UInt64 = 3
    let alphabet = Array(
      "conv2d activation quantized_bits(8,1)'\"=#/%\t\r\n\u{0}\u{301}\u{1F600}f=")
    for length in [1, 10, 100, 2000] {
      for _ in 0..<40 {
        var text = ""
        for _ in 0..<length {
          state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
          text.append(alphabet[Int((state >> 33) % UInt64(alphabet.count))])
        }
        _ = read(text)
      }
    }
    let many = read(String(repeating: "x\n", count: 100_000))
    #expect(many.diagnostics.count == 200)
    #expect(read(String(repeating: "(", count: 100_000)).diagnostics.count == 1)
  }
}
