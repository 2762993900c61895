//! Every wrong specification among the fixtures, through the real binary: the whole output.

import Foundation
import TestSupport
import Testing

/// A fixture carries its command line as `# args:` and its expected output as lines after `#| `. A
/// listing that its quantizers name lies beside it, under the same name.
struct InvalidFixture: CustomTestStringConvertible, Sendable {
  var name: String
  var spec: String
  var arguments: [String]
  var expected: String

  var testDescription: String { name }

  init(_ name: String) throws {
    self.name = name
    let lines = try String(
      contentsOfFile: TestPaths.fixtures + "/invalid/" + name, encoding: .utf8
    ).split(separator: "\n", omittingEmptySubsequences: false)
    spec = lines.filter { !$0.hasPrefix("#|") }.joined(separator: "\n")
    let arguments = lines.first { $0.hasPrefix("# args: ") }?.dropFirst(8)
    self.arguments = (arguments ?? "").split(separator: " ").map(String.init)
    expected = lines.filter { $0.hasPrefix("#|") }
      .map { $0.dropFirst($0.hasPrefix("#| ") ? 3 : 2) + "\n" }.joined()
  }

  static let all: [InvalidFixture] = {
    let names =
      (try? FileManager.default.contentsOfDirectory(
        atPath: TestPaths.fixtures + "/invalid")) ?? []
    return names.filter { $0.hasSuffix(".yaml") }.sorted().compactMap { try? InvalidFixture($0) }
  }()
}

@Suite struct InvalidSpecTests {
  @Test func fixturesAreThere() { #expect(InvalidFixture.all.count >= 10) }

  @Test(arguments: InvalidFixture.all)
  func saysWhatIsWrongAndWritesNothing(_ fixture: InvalidFixture) throws {
    let workspace = try Workspace.small()
    let isExperiment = fixture.name.hasPrefix("experiment_")
    try workspace.write(
      fixture.spec, to: isExperiment ? "experiments/wrong.yaml" : "pipelines/wrong.yaml")
    let listing = "\(TestPaths.fixtures)/invalid/\(fixture.name.dropLast(5)).txt"
    if FileManager.default.fileExists(atPath: listing) {
      try workspace.copy(listing, to: "experiments/wrong.txt")
    }
    if isExperiment {
      let small = try workspace.read("pipelines/small.yaml")
      try workspace.write(
        small.replacingOccurrences(of: "small", with: "wrong"), to: "pipelines/wrong.yaml")
    }
    let before = workspace.files
    for command in ["plan", "run"] {
      let outcome = try workspace.run(
        "shiftwork", [command, "pipelines/wrong.yaml"] + fixture.arguments)
      #expect(outcome.error == fixture.expected)
      #expect(outcome.out == "")
      #expect(outcome.code == 2)
    }
    #expect(workspace.files == before)
  }
}

extension Workspace {
  /// One with an experiment and a pipeline named small.
  static func small() throws -> Workspace {
    let workspace = try Workspace()
    for file in ["experiments/small.yaml", "pipelines/small.yaml"] {
      try workspace.copy(TestPaths.fixtures + "/small/" + file, to: file)
    }
    return workspace
  }
}
