//! `stats`: what a network costs in bits under its quantizers, layer by layer.

import ArgumentParser
import Experiments
import Files

struct StatsCommand: ColoringCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats",
    abstract: "Print AutoQKeras's stats block and listing for a network with its quantizers.",
    discussion: """
      Bits of parameters (p_bits) and activations (a_bits) beside the reference of 16-bit kernels \
      and activations and 31-bit biases, and the share by which the search's goal raises or lowers \
      a score. Without quantizers the reference stands alone. The output is a listing that \
      `quantizers: {file: ...}` and --quantizers read.
      """)

  @Argument(
    help: ArgumentHelp(
      "An experiment's YAML file, a pipeline's, or a network such as ds_cnn.",
      valueName: "experiment"),
    completion: .file(extensions: ["yaml"]))
  var target: String

  @Option(
    help: ArgumentHelp(
      "A listing to take the quantizers from instead of the experiment's; what it leaves out takes "
        + "the experiment's kernel, bias and activation.", valueName: "file"),
    completion: .file())
  var quantizers: String?

  @Flag(help: "One JSON object, with every slot.")
  var json = false

  @OptionGroup var fields: FieldOptions

  var color: ColorChoice { fields.color }

  func run() throws {
    let statistics = try NetworkStatistics(
      StatisticsRequest(
        target: target, quantizers: quantizers, overrides: fields.set, data: fields.dataFolder,
        variable: { Environment[$0] }))
    Console.show(statistics.warnings, color: fields.color)
    if json {
      Console.out(statistics.json.canonicalText)
    } else {
      Console.write(statistics.text, to: 1)
    }
  }
}
