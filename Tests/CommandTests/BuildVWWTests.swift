//! `shiftwork data build-vww` on COCO's own images: classes, files, what a kill leaves.

import Foundation
import TestSupport
import Testing

@Suite(.enabled(if: TestPaths.sharedData != nil, "needs COCO's images"))
struct BuildVWWTests {
  private let workspace: Workspace
  private let coco = (TestPaths.sharedData ?? "") + "/vww/coco_mini"

  init() throws { workspace = try Workspace() }

  private func build(_ arguments: String...) throws -> CommandOutcome {
    try workspace.run(
      "shiftwork", ["data", "build-vww", "--coco", coco, "--output", "vww"] + arguments)
  }

  private var images: [String] {
    workspace.files.filter { $0.hasSuffix(".jpg") }.map { String($0.dropFirst(4)) }
  }

  /// CLASS/FILE of every image that has a class at a threshold, by the shared list.
  private func expected(_ threshold: String) throws -> [String] {
    let text = try String(contentsOfFile: coco + "/expected_labels.csv", encoding: .utf8)
    let lines = text.split(whereSeparator: \.isNewline).map { $0.split(separator: ",") }
    let column = try #require(lines[0].firstIndex { $0 == "silabs_script_at_" + threshold })
    return lines.dropFirst().filter { $0[column] != "skipped" }
      .map { "\($0[column])/\($0[1])" }.sorted()
  }

  @Test(arguments: ["0.025", "0.005"])
  func theClassesAreTheScripts(_ threshold: String) throws {
    let outcome = try build("--threshold", threshold)
    #expect(outcome.code == 0, "\(outcome.error)")
    let expected = try expected(threshold)
    #expect(images == expected)
    let counts = ["person", "non_person"].map { name in
      expected.filter { $0.hasPrefix(name + "/") }.count
    }
    #expect(
      outcome.out
        == "vww: \(counts[0]) person, \(counts[1]) non_person, \(100 - expected.count) left out; "
        + "\(expected.count) made now\n")
    #expect(
      workspace.files.filter { !$0.hasSuffix(".jpg") } == [
        "vww/.lock", "vww/build.json", "vww/index.csv",
      ])
    // Again: everything is there.
    #expect(try build("--threshold", threshold).out.hasSuffix("; 0 made now\n"))
    let other = try build("--threshold", "0.1")
    #expect(other.code == 1)
    #expect(
      other.error
        == "error: vww: was built with threshold \(threshold) and quality 99: name another folder, "
        + "or remove this one\n")
  }

  @Test func aKilledBuildGoesOnAndComesToTheSameBytes() throws {
    #expect(try build().code == 0)
    let whole = try images.map { try Data(contentsOf: url("vww/" + $0)) }
    let names = images
    try FileManager.default.removeItem(atPath: workspace.path("vww"))
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Workspace.products + "/shiftwork")
    process.arguments = ["data", "build-vww", "--coco", coco, "--output", "vww", "-j", "1"]
    process.currentDirectoryURL = URL(fileURLWithPath: workspace.root)
    try process.run()
    while images.isEmpty && process.isRunning { usleep(1_000) }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    var outcome = try build()
    // The killed command's worker ends with it; until it has, it holds the folder.
    for _ in 0..<100 where outcome.error.contains("another process is building there") {
      usleep(50_000)
      outcome = try build()
    }
    #expect(outcome.code == 0, "\(outcome.error)")
    #expect(images == names)
    #expect(try images.map { try Data(contentsOf: url("vww/" + $0)) } == whole)
  }

  private func url(_ name: String) -> URL { URL(fileURLWithPath: workspace.path(name)) }

  @Test func anImageThatCannotBeReadIsNamedAndTheOthersAreMade() throws {
    let copy = workspace.path("coco")
    try FileManager.default.copyItem(atPath: coco, toPath: copy)
    let expected = try expected("0.025")
    let broken = try #require(expected.first.map { String($0.split(separator: "/")[1]) })
    let path = try #require(
      ["train2017", "val2017"].map { "coco/\($0)/\(broken)" }.first {
        FileManager.default.fileExists(atPath: workspace.path($0))
      })
    let bytes = try Data(contentsOf: url(path))
    try bytes.prefix(bytes.count / 2).write(to: url(path))
    let arguments = ["data", "build-vww", "--coco", "coco", "--output", "vww"]
    let outcome = try workspace.run("shiftwork", arguments)
    #expect(outcome.code == 1)
    #expect(
      outcome.error.hasPrefix("error: 1 images cannot be made:\n  \(path): no usable JPEG: "),
      "\(outcome.error)")
    let made = workspace.files.filter { $0.hasPrefix("vww/") && $0.hasSuffix(".jpg") }
    #expect(made.count == expected.count - 1)
    try bytes.write(to: url(path))
    let again = try workspace.run("shiftwork", arguments)
    #expect(again.code == 0 && again.out.hasSuffix("; 1 made now\n"), "\(again.error)")
  }

  @Test func aFolderOfOthersIsNotTouched() throws {
    try workspace.write("mine", to: "vww/mine.txt")
    let outcome = try build()
    #expect(outcome.code == 1)
    #expect(outcome.error == "error: vww: has files that no build made: name another folder\n")
    let missing = try workspace.run("shiftwork", ["data", "build-vww", "--coco", "nowhere"])
    #expect(missing.code == 1)
    #expect(
      missing.error.hasPrefix("error: nowhere: no such folder; `shiftwork data get coco2014`"))
  }
}
