//! Texts that want to cost time, memory or the stack: bounded, and in the same words as others.

import Diagnostics
import Specs
import Testing

@Suite struct HostileTextTests {
  private func parse(_ text: String) throws(InvalidSpec) -> Node {
    try YAML.parse(Array(text.utf8), file: "f.yaml")
  }

  private func faults(_ text: String) -> [Diagnostic] {
    do {
      _ = try parse(text)
      return []
    } catch {
      return error.diagnostics
    }
  }

  @Test(.timeLimit(.minutes(1))) func manyFaultsOnOneLongLineEnd() {
    let text = "{" + Array(repeating: "some_key: 1", count: 90_000).joined(separator: ", ") + "}"
    let found = faults(text)
    #expect(found.count == 100)
    #expect(DiagnosticRenderer(color: false).render(found).utf8.count < 100_000)
  }

  @Test(.timeLimit(.minutes(1))) func manyUnknownKeysEnd() throws {
    let keys = (0..<90_000).map { "key_\($0): 1" }.joined(separator: ", ")
    let faults = FaultCollector()
    var fields = FieldReader(try parse("{\(keys)}"), in: "training", faults: faults)
    _ = fields.int("key", in: 0...1, default: 0)
    fields.rejectUnknownKeys()
    #expect(faults.diagnostics.count == 1000 && faults.isFull)
    #expect(DiagnosticRenderer(color: false).render(faults.diagnostics).utf8.count < 1_000_000)
  }

  @Test(.timeLimit(.minutes(1))) func manyWrongVariablesEnd() throws {
    let faults = FaultCollector()
    let node = try parse("a: \"" + String(repeating: "$ ", count: 1_000_000) + "\"")
    _ = Interpolation.expand(node, variables: [:], faults: faults)
    #expect(faults.diagnostics.count == 1000)
  }

  @Test func aFullCollectorStillKeepsTheFirstError() {
    let faults = FaultCollector()
    for number in 0..<2000 { faults.add(Diagnostic(.warning, "\(number)")) }
    #expect(faults.diagnostics.count == 1000 && !faults.hasErrors && !faults.isFull)
    faults.add(Diagnostic("wrong"))
    #expect(faults.diagnostics.count == 1001 && faults.hasErrors && faults.isFull)
  }

  @Test func aDeepOverrideIsAnUnknownKey() throws {
    let path = Array(repeating: "a", count: 30_000).joined(separator: ".")
    let root = try parse("b: 1").applying([Override(parsing: "\(path)=1")])
    var depth = 0
    var node = root["a"]
    while let next = node, case .mapping(let entries) = next.value {
      depth += 1
      node = entries.first?.value
    }
    #expect(depth == 99)
    let expanded = Interpolation.expand(root, variables: [:], faults: FaultCollector())
    #expect(expanded["b"]?.found == "1")
  }

  @Test func lineNumbersAndShownLinesAgreeWhateverEndsALine() {
    for end in ["\n", "\r\n", "\r", "\u{85}", "\u{2028}", "\u{2029}"] {
      let fault = faults("a: 1\(end)b: 2\(end)a: 3\(end)").first
      #expect(fault?.location?.line == 3 && fault?.sourceLine == "a: 3", "\(end.debugDescription)")
    }
  }

  @Test func aByteOrderMarkIsNoCharacter() throws {
    let bytes = [0xEF, 0xBB, 0xBF] + Array("a: 1\n".utf8)
    let root = try YAML.parse(bytes, file: "f.yaml")
    #expect(root["a"]?.location.column == 4 && root["a"]?.diagnostic("m").sourceLine == "a: 1")
  }

  @Test(arguments: [
    ("!!str 12", "the text `12`"), ("! 12", "the text `12`"), ("!!float 1", "the number 1"),
    ("!!int '12'", "12"), ("!!null ''", "nothing"), ("!!bool true", "true"),
  ])
  func tagsOfYAMLMeanWhatTheySay(text: String, found: String) throws {
    #expect(try parse(text).found == found)
  }

  @Test(arguments: [
    ("-0", "0"), ("+12", "12"), ("9223372036854775807", "9223372036854775807"),
    ("-9223372036854775808", "-9223372036854775808"), ("0o", "the text `0o`"),
    ("0x+1", "the text `0x+1`"), ("1.", "the number 1."), (".", "the text `.`"),
    ("+", "the text `+`"), ("1e", "the text `1e`"), ("-.5", "the number -.5"),
    ("1e-400", "the number 1e-400"), ("nan", "the text `nan`"), ("0b1", "the text `0b1`"),
    ("2001-01-01", "the text `2001-01-01`"), ("no", "the text `no`"),
  ])
  func scalarsAtTheEdges(text: String, found: String) throws {
    #expect(try parse(text).found == found)
  }

  @Test func anEmptyDocumentStandsWhereItsTextEnds() throws {
    let fault = try parse("# x\n---\n\n").diagnostic("m")
    #expect(fault.location?.line == 2 && fault.location?.column == 4 && fault.sourceLine == "---")
  }
}
