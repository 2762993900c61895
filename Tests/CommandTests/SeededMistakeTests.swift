//! Mistakes that people make, through the real binary: each is caught before any stage, on its line,
//! with what was probably meant; the whole output.

import Foundation
import TestSupport
import Testing

/// A pipeline with one mistake: its command line as `# args:`, files beside it as `#> PATH` and their
/// lines after `#: `, the expected output as lines after `#| `. It may be no UTF-8.
struct SeededMistake: CustomTestStringConvertible, Sendable {
  var name: String
  var spec: [UInt8]
  var files: [String: String] = [:]
  var arguments: [String] = []
  var expected = ""

  var testDescription: String { name }

  init(_ name: String) throws {
    self.name = name
    let path = TestPaths.fixtures + "/mistakes/" + name
    spec = []
    var file = ""
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    for line in bytes.split(separator: 10, omittingEmptySubsequences: false) {
      let text = String(decoding: line, as: UTF8.self)
      switch text.prefix(3) {
      case "#> ": file = String(text.dropFirst(3))
      case "#: ": files[file, default: ""] += text.dropFirst(3) + "\n"
      case "#| ": expected += text.dropFirst(3) + "\n"
      case "#|": expected += "\n"
      default:
        spec += line + [10]
        if text.hasPrefix("# args: ") {
          arguments = text.dropFirst(8).split(separator: " ").map(String.init)
        }
      }
    }
  }

  static let all: [SeededMistake] = {
    let names =
      (try? FileManager.default.contentsOfDirectory(atPath: TestPaths.fixtures + "/mistakes")) ?? []
    return names.sorted().compactMap { try? SeededMistake($0) }
  }()
}

@Suite struct SeededMistakeTests {
  @Test func thereAreEnough() { #expect(SeededMistake.all.count >= 25) }

  @Test(arguments: SeededMistake.all)
  func isCaughtBeforeAnyStage(_ mistake: SeededMistake) throws {
    let workspace = try Workspace.small()
    for (path, text) in mistake.files { try workspace.write(text, to: path) }
    try Data(mistake.spec).write(
      to: URL(fileURLWithPath: workspace.path("pipelines/wrong.yaml")))
    let before = workspace.files
    for command in ["plan", "run"] {
      let outcome = try workspace.run(
        "shiftwork", [command, "pipelines/wrong.yaml"] + mistake.arguments)
      // A byte that is no text is shown as what stands for such bytes.
      #expect(outcome.error == mistake.expected)
      #expect(outcome.out == "")
      #expect(outcome.code == 2)
    }
    #expect(workspace.files == before)
  }

  @Test func aLineOfTenMegabytesIsReadToItsFault() throws {
    let workspace = try Workspace.small()
    let line = "set: {training.metrics: [" + String(repeating: "accuracy, ", count: 1 << 20)
    try workspace.write(
      "pipeline: wrong\nexperiment: small\n\(line)accuracy]}\nstages: {pretrain: {}}\n",
      to: "pipelines/wrong.yaml")
    let outcome = try workspace.run("shiftwork", ["plan", "pipelines/wrong.yaml"])
    #expect(outcome.code == 2)
    #expect(
      outcome.error == """
        error: the text is larger than the 10 MB that a spec may have
         --> pipelines/wrong.yaml:1:1

        """)
    let short = "set: {training.metrics: [" + String(repeating: " ", count: 10_000_000)
    try workspace.write(
      "pipeline: wrong\nexperiment: small\n\(short)accuray]}\nstages: {pretrain: {}}\n",
      to: "pipelines/wrong.yaml")
    let shown = try workspace.run("shiftwork", ["plan", "pipelines/wrong.yaml"])
    #expect(shown.code == 2)
    #expect(shown.error.utf8.count < 1_000)
    #expect(shown.error.contains(" --> pipelines/wrong.yaml:3:10000026\n"))
    #expect(shown.error.hasSuffix("= did you mean `accuracy`?\n"))
  }
}
