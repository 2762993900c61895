//! Files that extend and include others: what wins, and what is refused.

import Diagnostics
import Foundation
import Specs
import TestSupport
import Testing

@Suite struct ComposerTests {
  let workspace: Workspace

  init() throws { workspace = try Workspace() }

  private func load(_ name: String) -> (node: Node?, faults: [Diagnostic]) {
    let faults = FaultCollector()
    let node = Composer(faults: faults).load(workspace.path(name))
    return (node, faults.diagnostics)
  }

  /// Messages without the workspace's own path.
  private func messages(_ name: String) -> [String] {
    load(name).faults.map {
      $0.message.replacingOccurrences(of: workspace.root + "/", with: "")
    }
  }

  @Test func ownFieldsWinAndListsAreReplaced() throws {
    try workspace.write("a: 1\nb: {c: 2, d: [1, 2]}\ne: {f: 1}\n", to: "base.yaml")
    try workspace.write("b: {c: 5}\ng: 7\n", to: "more/second.yaml")
    try workspace.write(
      "extends: [base.yaml, more/second.yaml]\nb: {d: [3], h: 4}\ne: null\n", to: "top.yaml")
    let (node, faults) = load("top.yaml")
    let root = try #require(node)
    #expect(faults.isEmpty)
    #expect(root["a"]?.found == "1" && root["g"]?.found == "7" && root["e"]?.found == "nothing")
    #expect(root.node(at: ["b", "c"])?.found == "5" && root.node(at: ["b", "h"])?.found == "4")
    guard case .sequence(let list)? = root.node(at: ["b", "d"])?.value else {
      Issue.record("no list")
      return
    }
    #expect(list.map(\.found) == ["3"])
    #expect(root["extends"] == nil)
    #expect(root["g"]?.location.file == workspace.path("more/second.yaml"))
  }

  @Test func includesAreDefaultsOfTheirMapping() throws {
    try workspace.write("x: 1\ny: {z: 2}\n", to: "parts/one.yaml")
    try workspace.write("include: one.yaml\nx: 3\n", to: "parts/two.yaml")
    try workspace.write("a:\n  - {include: parts/two.yaml, y: {w: 4}}\n", to: "top.yaml")
    let root = try #require(load("top.yaml").node)
    guard case .sequence(let list)? = root["a"]?.value, let first = list.first else {
      Issue.record("no list")
      return
    }
    #expect(first["x"]?.found == "3" && first["include"] == nil)
    #expect(first.node(at: ["y", "z"])?.found == "2" && first.node(at: ["y", "w"])?.found == "4")
  }

  @Test func whatCannotBeLoadedIsToldWhereItIsAskedFor() throws {
    try workspace.write("extends: [b.yaml, {}, nothing.yaml]\n", to: "a.yaml")
    try workspace.write("include: c.yaml\n", to: "b.yaml")
    try workspace.write("x: {include: [a.yaml, list.yaml]}\n", to: "c.yaml")
    try workspace.write("[1, 2]\n", to: "list.yaml")
    #expect(
      messages("a.yaml") == [
        "files need each other: a.yaml needs b.yaml needs c.yaml needs a.yaml",
        "list.yaml holds a list, and include wants a mapping",
        "extends names YAML files beside this one, not a mapping",
        "cannot read nothing.yaml: No such file or directory",
      ])
    #expect(load("a.yaml").faults.allSatisfy { $0.location != nil && $0.sourceLine != nil })
  }

  @Test func aFileThatExtendsItselfByAnotherNameIsACycle() throws {
    try workspace.write("extends: ./sub/../a.yaml\n", to: "a.yaml")
    try workspace.write("x: 1\n", to: "sub/x.yaml")
    #expect(messages("a.yaml") == ["files need each other: a.yaml needs ./sub/../a.yaml"])
  }

  @Test(.timeLimit(.minutes(1))) func filesThatGrowAreRefused() throws {
    try workspace.write(
      "x: [\(Array(repeating: "1", count: 1000).joined(separator: ", "))]\n", to: "f0.yaml")
    for number in 1..<40 {
      try workspace.write(
        "a: {include: f\(number - 1).yaml}\nb: {include: f\(number - 1).yaml}\n",
        to: "f\(number).yaml")
    }
    let many = Array(repeating: "f0.yaml", count: 100_000).joined(separator: ", ")
    try workspace.write("extends: [\(many)]\n", to: "wide.yaml")
    let large = "the document has more than 200000 values with the files that it builds on"
    #expect(Set(messages("f20.yaml")) == [large])
    #expect(messages("wide.yaml") == [large])
    #expect(Set(messages("f39.yaml")) == ["more than 32 files build on each other"])
  }
}
