//! The examples of Sources/Experiments/README.md: all of them together are a workspace that checks.

import Foundation
import TestSupport
import Testing

@Suite struct GrammarReadmeTests {
  /// Each block's file and its lines.
  private static let files: [(path: String, text: String)] = {
    let path = TestPaths.root + "/Sources/Experiments/README.md"
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    return text.components(separatedBy: "```yaml\n").dropFirst().compactMap { block in
      guard let body = block.components(separatedBy: "```").first,
        let first = body.split(separator: "\n").first, first.hasPrefix("# ")
      else { return nil }
      return (String(first.dropFirst(2)), body)
    }
  }()

  @Test func everyExampleIsAccepted() throws {
    let workspace = try Workspace()
    #expect(Self.files.count == 8)
    for (path, text) in Self.files { try workspace.write(text, to: path) }
    let plain = try workspace.run("shiftwork", ["check"], environment: ["SCRATCH": "/nowhere"])
    #expect(plain.code == 0)
    #expect(
      plain.out == """
        experiments/base.yaml: an experiment without a pipeline of its name
        experiments/energy.yaml: an experiment without a pipeline of its name
        experiments/longer.yaml: an experiment without a pipeline of its name
        experiments/searched.yaml: an experiment without a pipeline of its name
        pipelines/swept.yaml: 48 stages at 12 points over experiment base
        pipelines/tuned.yaml: 4 stages over experiment base
        pipelines/words.yaml: 9 stages at 3 points

        """)
    #expect(plain.error == "")
  }

  @Test func fieldsAreThoseThatTheFilesSay() throws {
    let workspace = try Workspace()
    for (path, text) in Self.files { try workspace.write(text, to: path) }
    let stats = try workspace.run("shiftwork", ["stats", "experiments/longer.yaml"])
    #expect(stats.out.contains("quantized_bits(4,4,1,alpha='auto')"))
    let other = try workspace.run(
      "shiftwork", ["stats", "experiments/longer.yaml", "--set", "variables.bits=8"])
    #expect(other.out.contains("quantized_bits(8,8,1,alpha='auto')"))
  }
}
