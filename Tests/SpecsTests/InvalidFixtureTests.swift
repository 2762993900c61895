//! Every wrong text among the fixtures gives the faults that its comments name, and no others.

import Diagnostics
import Foundation
import Specs
import TestSupport
import Testing

@Suite struct InvalidFixtureTests {
  static let folder = TestPaths.fixtures + "/specs/invalid"

  static func names() -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { $0.hasSuffix(".yaml") }.sorted()
  }

  enum Optimizer: String, CaseIterable {
    case adam, sgd
  }

  @Test func thereAreFixtures() { #expect(Self.names().count > 20) }

  @Test(arguments: names())
  func faultsAreThoseThatTheFileExpects(name: String) throws {
    let path = Self.folder + "/" + name
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    let mark = "# expect: "
    let expected = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
      .map { $0.drop { $0 == " " } }
      .filter { $0.hasPrefix(mark) }.map { String($0.dropFirst(mark.count)) }
    let found = faults(path, name)
    #expect(!expected.isEmpty)
    #expect(
      found.map { "\($0.location?.line ?? 0):\($0.location?.column ?? 0) \($0.message)" }
        == expected)
    let rendered = DiagnosticRenderer(color: false).render(found)
    for fault in found {
      #expect(fault.sourceLine != nil && fault.location?.file == name)
      #expect(rendered.contains(" --> \(name):"))
    }
  }

  /// YAML's faults, or those of a small schema.
  private func faults(_ path: String, _ name: String) -> [Diagnostic] {
    do {
      let root = try YAML.load(path: path, shownAs: name)
      let faults = FaultCollector()
      var top = FieldReader(root, in: "the file", faults: faults)
      guard var training = top.mapping("training") else { return [] }
      _ = training.int("epochs", in: 1...100_000)
      _ = training.int("batch_size", in: 1...65_536, default: 32)
      _ = training.double("rate", in: 0...1, default: 0.1)
      _ = training.double("learning_rate", in: 0...1, default: 0.1)
      _ = training.bool("shuffle", default: true)
      _ = training.choice("optimizer", of: Optimizer.self, default: .adam)
      _ = training.string("label", default: "")
      _ = training.strings("metrics")
      training.rejectUnknownKeys()
      return faults.diagnostics
    } catch {
      return error.diagnostics
    }
  }
}
