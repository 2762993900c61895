//! Wrong texts made more wrong: whatever comes of them, every fault can be shown in its place.

import Diagnostics
import Foundation
import Specs
import Testing

@Suite struct MutationTests {
  /// Of splitmix64's kind: the same texts on every machine.
  private struct Noise: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var word = state
      word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
      word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
      return word ^ (word >> 31)
    }
  }

  private static let pieces =
    [
      "\t", "\r", "\n", "\0", "\"", "'", "${", "$", "}", "{", "[", "]", "- ", ": ", ", ", "? ",
      "&x ",
      "*x", "!!int ", "!", "|\n", ">-\n", "#", "%YAML 1.2\n", "---\n", "...\n", "<<: ", "\\u0000",
      "1e999", "0x", "\u{2028}", "\u{FEFF}", "e\u{301}", "=", ".", "a.b=",
    ].map { Array($0.utf8) } + [[0xFF], [0xC3], [0xE2, 0x80], [0xF0, 0x9F]]

  @Test(.timeLimit(.minutes(1)), arguments: InvalidFixtureTests.names())
  func mutatedFixturesNeverCrash(name: String) throws {
    let path = InvalidFixtureTests.folder + "/" + name
    let original = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    var noise = Noise(state: name.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) })
    for _ in 0..<200 {
      var bytes = original
      for _ in 0..<Int.random(in: 1...6, using: &noise) {
        let place = Int.random(in: 0...bytes.count, using: &noise)
        let end = min(bytes.count, place + Int.random(in: 0...3, using: &noise))
        let piece = Self.pieces.randomElement(using: &noise) ?? []
        bytes.replaceSubrange(place..<end, with: Bool.random(using: &noise) ? piece : [])
      }
      check(faults(of: bytes), bytes)
      let argument = String(decoding: bytes.prefix(60), as: UTF8.self)
      do {
        let root = try YAML.parse(Array("a: {b: [1, 2]}".utf8), file: "f")
        let faults = FaultCollector()
        read(root.applying([try Override(parsing: argument)]), faults)
        check(faults.diagnostics, bytes)
      } catch {
        #expect(!error.diagnostics.isEmpty)
        check(error.diagnostics, bytes)
      }
    }
  }

  private func faults(of bytes: [UInt8]) -> [Diagnostic] {
    do {
      let root = try YAML.parse(bytes, file: "f")
      let faults = FaultCollector()
      read(root, faults)
      return faults.diagnostics
    } catch {
      #expect(!error.diagnostics.isEmpty)
      return error.diagnostics
    }
  }

  private func read(_ root: Node, _ faults: FaultCollector) {
    let root = Interpolation.expand(root, variables: ["data": "/d"], faults: faults)
    var top = FieldReader(root, in: "the file", faults: faults)
    _ = top.double("a", in: 0...1)
    if var training = top.mapping("training") {
      _ = training.int("epochs", in: 1...100)
      _ = training.double("rate", in: 0...1, default: 0.5)
      _ = training.string("label", default: "")
      _ = training.bool("shuffle", default: true)
      _ = training.strings("metrics")
      training.rejectUnknownKeys()
    }
    top.rejectUnknownKeys()
  }

  private func check(_ faults: [Diagnostic], _ bytes: [UInt8]) {
    for fault in faults {
      #expect(fault.location != nil && fault.sourceLine != nil, "\(fault.message) in \(bytes)")
    }
    let rendered = DiagnosticRenderer(color: false).render(faults)
    #expect(faults.isEmpty == rendered.isEmpty)
    #expect(rendered.utf8.allSatisfy { $0 >= 32 && $0 != 127 || $0 == 10 })
  }
}
