//! The README's commands and specs, tried: what it shows must work.

import Foundation
import TestSupport
import Testing

@Suite struct ReadmeTests {
  /// The lines of the README's code blocks of a language.
  private func blocks(_ language: String) throws -> [[String]] {
    let text = try String(contentsOfFile: TestPaths.root + "/README.md", encoding: .utf8)
    var blocks: [[String]] = []
    var current: [String]?
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      if line == "```" + language {
        current = []
      } else if line == "```" {
        if let current { blocks.append(current) }
        current = nil
      } else {
        current?.append(line)
      }
    }
    return blocks
  }

  @Test func everyCommandAndSpecIsAccepted() throws {
    let workspace = try Workspace()
    for folder in ["experiments", "experiments/quantizers", "pipelines"] {
      for name in try FileManager.default.contentsOfDirectory(
        atPath: "\(TestPaths.root)/\(folder)")
      where name.hasSuffix(".yaml") || name.hasSuffix(".txt") {
        try workspace.copy("\(TestPaths.root)/\(folder)/\(name)", to: "\(folder)/\(name)")
      }
    }
    let specs = try blocks("yaml").map { $0.joined(separator: "\n") + "\n" }
    try #require(specs.count == 2)
    try workspace.write(specs[0], to: "pipelines/mine.yaml")
    try workspace.write("experiment: readme\n" + specs[1], to: "readme.yaml")
    let stats = try workspace.run("shiftwork", ["stats", "readme.yaml"])
    #expect(stats.code == 0 && stats.out.contains("conv2d_6 ") && stats.error == "")
    // Planned instead of run, and on data that a fresh clone has.
    for name in ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"] {
      try workspace.write("", to: "data/cifar-10-batches-py/\(name)")
    }
    try workspace.write("", to: "data/cifar-10-batches-py/test_batch")
    for file in [
      "keras_models/pretrainedResnet.h5", "keras_models/kws_ref_model.h5",
      "keras_models/vww_96.h5", "vw_coco2014_96/person/1.jpg", "vw_coco2014_96/non_person/1.jpg",
      "dcase2020/ToyCar/train/normal_id_01_00000000.wav",
      "dcase2020/ToyCar/test/normal_id_01_00000000.wav",
      "speech_commands_v0.02/testing_list.txt", "speech_commands_test_set_v0.02/README.md",
    ] {
      try workspace.write("", to: "data/" + file)
    }
    let commands = try blocks("sh").flatMap { $0 }.filter { $0.hasPrefix("shiftwork ") }
    #expect(commands.count >= 8)
    for command in commands {
      var words = command.split(separator: " ").dropFirst().map(String.init)
      if words.first == "run" { words[0] = "plan" }
      let outcome = try workspace.run("shiftwork", words)
      #expect(outcome.code == 0, "\(command): \(outcome.error)")
      #expect(outcome.error == "", "\(command)")
    }
  }
}
