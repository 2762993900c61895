//! House rules that a machine can hold: what a file looks like, and who may import what.

import Foundation
import TestSupport
import Testing

@Suite struct TidinessTests {
  /// Files below a folder of the checkout, with their lines.
  private static func files(
    in folder: String, endings: [String] = [".swift"]
  ) -> [(path: String, lines: [String])] {
    let root = TestPaths.root + "/" + folder
    let names = FileManager.default.enumerator(atPath: root)?.allObjects as? [String] ?? []
    return names.filter { name in endings.contains { name.hasSuffix($0) } }.sorted().compactMap {
      name in
      guard let text = try? String(contentsOfFile: root + "/" + name, encoding: .utf8) else {
        return nil
      }
      return (folder + "/" + name, text.components(separatedBy: "\n"))
    }
  }

  private static let sources = files(in: "Sources")
  private static let tests = files(in: "Tests")

  @Test func everyFileSaysWhatItIsAndStaysShort() {
    #expect(Self.sources.count > 100)
    for (path, lines) in Self.sources + Self.tests {
      #expect(lines.first?.hasPrefix("//! ") == true, "\(path) opens without its sentence")
      #expect(lines.count <= 401, "\(path) has \(lines.count) lines")
    }
    for (path, lines) in Self.files(in: "Sources", endings: [".c", ".h"]) {
      #expect(lines.count <= 401, "\(path) has \(lines.count) lines")
    }
  }

  @Test func nothingIsLeftHalfDone() {
    let words = ["TO" + "DO", "FIX" + "ME", " XX" + "X", "fatal" + "Error(", "try" + "!"]
    for (path, lines) in Self.sources + Self.tests {
      for (number, line) in lines.enumerated() {
        for word in words where line.contains(word) {
          Issue.record("\(path):\(number + 1): \(word)")
        }
      }
    }
  }

  /// A C library stands behind one Swift target, so that its errors and its lifetimes do too.
  @Test func eachLibraryHasOneImporter() {
    let importers = [
      "CYAML": "Specs", "CCrypto": "Files", "CHDF5": "Records", "COneDNN": "Tensors",
      "CTurboJPEG": "Datasets", "CSndfile": "Datasets", "CArchive": "Archives",
      "CNLopt": "Search",
    ]
    for (path, lines) in Self.sources {
      let target = path.split(separator: "/")[1]
      for line in lines where line.contains("import C") {
        let library = line.split(separator: " ").last.map(String.init) ?? ""
        if let importer = importers[library] { #expect(target == importer, "\(path): \(line)") }
      }
    }
  }

  /// What the layers must not know.
  @Test func theCommandLineLinksNoEngine() {
    let light = [
      "Diagnostics", "Files", "Specs", "Pipeline", "Networks", "Experiments", "Catalogue",
      "Downloads", "shiftwork",
    ]
    let heavy = [
      "Tensors", "Quantization", "Training", "Datasets", "Records", "Archives", "Stages",
    ]
    for (path, lines) in Self.sources
    where light.contains(String(path.split(separator: "/")[1])) {
      for line in lines where line.contains("import ") {
        let module = line.split(separator: " ").last.map(String.init) ?? ""
        #expect(!heavy.contains(module), "\(path): \(line)")
      }
    }
  }
}
