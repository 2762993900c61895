//! `shiftwork stats`: AutoQKeras's figures from the real binary, and listings on their whole way.

import Foundation
import TestSupport
import Testing

@Suite struct StatsTests {
  private static let listings = TestPaths.root + "/experiments/quantizers"

  @Test(arguments: [
    ("fc_autoencoder", 4_278_904, 42112, 4_321_016),
    ("ds_cnn", 370_484, 1_164_976, 1_535_460),
    ("mobilenet_v1", 3_414_670, 4_372_512, 7_787_182),
    ("resnet", 1_248_486, 1_909_920, 3_158_406),
    ("mobilenet_v2", 35_623_294, 22_761_008, 58_384_302),
    ("efficientnet_b0", 64_280_882, 46_418_336, 110_699_218),
  ])
  func aNetworkAloneHasItsReference(
    kind: String, parameters: Int, activations: Int, total: Int
  ) throws {
    let outcome = try Workspace().run("shiftwork", ["stats", kind])
    #expect(outcome.code == 0)
    #expect(
      outcome.out.hasPrefix(
        """
        stats: delta_p=0.05 delta_n=0.05 rate=2.0 reference_size=\(total)
               a_bits=\(activations) p_bits=\(parameters)
               total=\(total)
        activation           float

        """))
  }

  @Test(arguments: [
    (
      "fc_autoencoder",
      "trial_size=1259512 reference_size=4321016\n       delta=8.89%\n"
        + "       a_bits=26752/42112 (-36.47%) p_bits=1232760/4278904 (-71.19%)\n"
        + "       total=1259512/4321016 (-70.85%)\n"
    ),
    (
      "ds_cnn",
      "trial_size=574820 reference_size=1535460\n       delta=7.09%\n"
        + "       a_bits=428976/1164976 (-63.18%) p_bits=145844/370484 (-60.63%)\n"
        + "       total=574820/1535460 (-62.56%)\n"
    ),
    (
      "mobilenet_v1",
      "trial_size=3718680 reference_size=7787182\n       delta=5.33%\n"
        + "       a_bits=2507784/4372512 (-42.65%) p_bits=1210896/3414670 (-64.54%)\n"
        + "       total=3718680/7787182 (-52.25%)\n"
    ),
  ])
  func theThesissFiguresComeOut(kind: String, block: String) throws {
    let workspace = try Workspace()
    let listing = "\(Self.listings)/\(kind)_thesis.txt"
    let outcome = try workspace.run("shiftwork", ["stats", kind, "--quantizers", listing])
    #expect(outcome.code == 0)
    #expect(outcome.error == "")
    #expect(
      outcome.out.hasPrefix("stats: delta_p=0.05 delta_n=0.05 rate=2.0 \(block)activation  "))
    // What it prints it also reads.
    try workspace.write(outcome.out, to: "again.txt")
    let again = try workspace.run("shiftwork", ["stats", kind, "--quantizers", "again.txt"])
    #expect(again.out == outcome.out && again.error == "")
  }

  @Test func partsNeedADefault() throws {
    let workspace = try Workspace.small()
    let listing = "\(Self.listings)/mobilenet_v2_thesis_part.txt"
    let alone = try workspace.run("shiftwork", ["stats", "mobilenet_v2", "--quantizers", listing])
    #expect(alone.code == 2 && alone.out == "")
    #expect(
      alone.error.hasPrefix(
        "error: after this line the listing leaves out `activation_15` ... `activation_64`, "
          + "83 layers\n  --> \(listing):34:1\n"))
    let filled = try workspace.run(
      "shiftwork",
      [
        "stats", "experiments/small.yaml", "--set", "network.kind=mobilenet_v2", "--quantizers",
        listing,
      ])
    #expect(filled.code == 0)
    #expect(filled.error == "")
    #expect(filled.out.contains("/22761008 (") && filled.out.contains("total="))
  }

  @Test func experimentsAndPipelinesHaveTheirMapAndGoal() throws {
    let workspace = try Workspace.small()
    let one = try workspace.run(
      "shiftwork",
      ["stats", "experiments/small.yaml", "--set", "search.goal={delta_p: 8, stress: 0.5}"])
    #expect(one.code == 0)
    #expect(
      one.out.hasPrefix(
        "stats: delta_p=0.08 delta_n=0.05 rate=2.0 trial_size=1591664 reference_size=1579203\n"),
      "\(one.out)")
    try workspace.write(
      workspace.read("pipelines/small.yaml").replacing(
        "stages:", with: "set: {quantizers.bias: \"quantized_bits(31,31,1,alpha='auto')\"}\nstages:"
      ),
      to: "pipelines/small.yaml")
    let other = try workspace.run("shiftwork", ["stats", "pipelines/small.yaml"])
    #expect(other.out.contains("quantized_bits(8,8,1,alpha='auto') quantized_bits(31,31,1,"))
    let json = try workspace.run("shiftwork", ["stats", "pipelines/small.yaml", "--json"])
    struct Answer: Decodable {
      struct Bits: Decodable { var total_bits: Int }
      struct Slot: Decodable { var name, role: String; var bits, elements: Int }
      var experiment, network: String
      var delta: Double
      var trial, reference: Bits
      var slots: [Slot]
    }
    let answer = try JSONDecoder().decode(Answer.self, from: Data(json.out.utf8))
    #expect(answer.experiment == "small" && answer.network == "resnet")
    #expect(answer.reference.total_bits == 3_158_406)
    let bits = answer.slots.map { $0.bits * $0.elements }.reduce(0, +)
    // The input's own bits are no slot's.
    #expect(answer.trial.total_bits == bits + 8 * 32 * 32 * 3)
    #expect(answer.delta > 0.04)
  }

  @Test func aListingInAnExperimentCountsByWhatItSays() throws {
    let workspace = try Workspace.small()
    func plan() throws -> CommandOutcome {
      try workspace.run("shiftwork", ["plan", "pipelines/small.yaml", "--json"])
    }
    let before = try plan()
    let listing = try workspace.run("shiftwork", ["stats", "experiments/small.yaml"]).out
    try workspace.write("# moved\n" + listing, to: "experiments/lists/flat.txt")
    let text = try workspace.read("experiments/small.yaml")
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      .filter { !$0.hasPrefix("  ") }.joined(separator: "\n")
    try workspace.write(
      lines.replacing("quantizers:", with: "quantizers: {file: lists/flat.txt}"),
      to: "experiments/small.yaml")
    let after = try plan()
    #expect(after.code == 0 && after.error == "")
    #expect(after.out == before.out)
    // A stale block is only a warning; an exception wins over the listing.
    let edited = listing.replacing(
      "dense                u=10 quantized_bits(8", with: "dense u=10 quantized_bits(4")
    try workspace.write(edited, to: "experiments/lists/flat.txt")
    let stale = try plan()
    #expect(stale.code == 0 && stale.out != before.out)
    #expect(stale.error.contains("warning: the stats block says trial_size"))
    #expect(stale.error.contains(" --> experiments/lists/flat.txt:1:"))
    let back = try workspace.run(
      "shiftwork",
      [
        "plan", "pipelines/small.yaml", "--json", "--set",
        "quantizers.layers={dense: {kernel: \"quantized_bits(8,8,1,alpha='auto')\"}}",
      ])
    #expect(back.out == before.out)
  }

  @Test func wrongTargetsAreExplained() throws {
    let workspace = try Workspace.small()
    let word = try workspace.run("shiftwork", ["stats", "mobilenet_v3"])
    #expect(word.code == 2)
    #expect(
      word.error
        == "error: `mobilenet_v3` is neither a file nor a network\n = did you mean `mobilenet_v1`?\n"
    )
    let field = try workspace.run("shiftwork", ["stats", "resnet", "--set", "seed=1"])
    #expect(field.code == 2 && field.error.contains("name an experiment"))
    let file = try workspace.run("shiftwork", ["stats", "resnet", "--quantizers", "none.txt"])
    #expect(file.code == 2 && file.error.contains("there is no file none.txt"))
  }
}
