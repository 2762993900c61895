//! The examples of Sources/Training/README.md, each checked as the `training` of an experiment.

import Foundation
import TestSupport
import Testing

@Suite struct TrainingReadmeTests {
  private static let examples: [String] = {
    let path = TestPaths.root + "/Sources/Training/README.md"
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    return text.components(separatedBy: "```yaml\n").dropFirst().compactMap {
      $0.components(separatedBy: "```").first
    }
  }()

  @Test func thereAreSome() { #expect(Self.examples.count == 6) }

  @Test(arguments: examples) func isAccepted(_ example: String) throws {
    let workspace = try Workspace()
    let training = example.split(separator: "\n").map { "  \($0)\n" }.joined()
    try workspace.write(
      """
      experiment: example
      dataset: {kind: cifar10, source: synthetic}
      network: {kind: resnet}
      pretrain: {epochs: 2}
      training:
      \(training)
      """, to: "experiments/example.yaml")
    try workspace.write(
      "pipeline: example\nexperiment: example\nstages: {pretrain: {}}\n",
      to: "pipelines/example.yaml")
    let outcome = try workspace.run("shiftwork", ["check", "pipelines/example.yaml"])
    #expect(outcome.code == 0 && outcome.error == "", "\(outcome.error)")
  }
}
