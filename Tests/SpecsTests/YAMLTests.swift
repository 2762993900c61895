//! YAML to nodes: values, places, and every fault in its place.

import Diagnostics
import Specs
import TestSupport
import Testing

@Suite struct YAMLTests {
  private func parse(_ text: String) throws -> Node {
    try YAML.parse(Array(text.utf8), file: "f.yaml")
  }

  @Test func scalarsFollowTheCoreSchema() throws {
    let text = """
      [null, ~, true, False, 12, -3, 0x1F, 0o17, 1e-3, .5, -2.5E+3, .inf, yes, 010, "16:9", 16:9,
       1_000, '12', 1.2.3, "", 0]
      """
    guard case .sequence(let nodes) = try parse(text).value else {
      Issue.record("no list")
      return
    }
    let found = nodes.map { node -> String in
      switch node.value {
      case .null: "null"
      case .bool(let flag): "bool \(flag)"
      case .int(let number): "int \(number)"
      case .float(let number): "float \(number)"
      case .string(let string): "text \(string)"
      case .sequence, .mapping: "collection"
      }
    }
    #expect(
      found == [
        "null", "null", "bool true", "bool false", "int 12", "int -3", "int 31", "int 15",
        "float 0.001", "float 0.5", "float -2500.0", "float inf", "text yes", "text 010",
        "text 16:9", "text 16:9", "text 1_000", "text 12", "text 1.2.3", "text ", "int 0",
      ])
  }

  @Test func nodesKnowTheirPlaces() throws {
    let root = try parse("# ä\na: {b: [1, 'two']}\nc:\n  d: three\n")
    let two = root["a"]?["b"]
    guard case .sequence(let elements)? = two?.value else {
      Issue.record("no list")
      return
    }
    #expect("\(elements[1].location)" == "f.yaml:2:12" && elements[1].length == 5)
    let three = root.node(at: ["c", "d"])
    #expect(three.map { "\($0.location)" } == "f.yaml:4:6")
    #expect(three?.diagnostic("m").sourceLine == "  d: three")
  }

  @Test func aliasesAreWrittenOut() throws {
    let root = try parse("a: &x {b: 1}\nc: *x\n")
    guard case .int(1)? = root.node(at: ["c", "b"])?.value else {
      Issue.record("the alias was not followed")
      return
    }
  }

  static let bomb =
    "a0: &a0 [1,1,1,1,1,1,1,1,1]\n"
    + (1...8).map { level in
      "a\(level): &a\(level) [\(Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ","))]\n"
    }.joined()

  @Test(arguments: [
    ("", "1:1 the file is empty"),
    ("# only a comment\n", "1:1 the file is empty"),
    ("a: 1\nb: 2\na: 3\n", "3:1 duplicate key `a`"),
    ("a: 1\n\tb: 2\n", "2:1 a tab cannot indent in YAML"),
    ("a: 1\n---\nb: 2\n", "2:1 a spec is one document"),
    ("a: !thing 1\n", "1:4 unknown tag `!thing`"),
    ("a: !!python/object:os.system x\n", "1:4 unknown tag `!!python/object:os.system`"),
    ("a: *nobody\n", "1:4 no anchor `&nobody` stands before this alias"),
    ("a: &x [*x]\n", "1:8 no anchor `&x` stands before this alias"),
    ("<<: {a: 1}\n", "1:1 merge keys (`<<`) are not part of YAML 1.2"),
    ("[1, 2]: 3\n", "1:1 a key must be a word, not a list"),
    ("a: 99999999999999999999\n", "1:4 the integer 99999999999999999999 does not fit"),
    ("a: 1e999\n", "1:4 the number 1e999 is too large"),
    ("a: [1, 2\n", "1:9 this is no YAML: did not find expected ',' or ']'"),
    ("a: 'x\n", "1:6 this is no YAML: found unexpected end of stream"),
    ("a: b: c\n", "1:5 this is no YAML: mapping values are not allowed in this context"),
    (String(repeating: "[", count: 200), "1:102 nested more than 100 deep"),
    (bomb, "6:14 the document has more than 200000 values"),
    ("a: \"x\\0y\"\n", "1:4 a text must not hold a zero byte"),
    ("a: \u{1}\n", "1:4 this is no YAML: control characters are not allowed"),
  ])
  func faultsStandInTheirPlace(text: String, expected: String) throws {
    do {
      _ = try parse(text)
      Issue.record("no fault in \(text.prefix(40))")
    } catch let error as InvalidSpec {
      let first = try #require(error.diagnostics.first)
      let location = try #require(first.location)
      #expect(
        "\(location.line):\(location.column) \(first.message)".hasPrefix(expected), "\(first)")
    }
  }

  @Test func badBytesAndGiantFilesAreNamed() {
    func message(_ bytes: [UInt8]) -> String {
      do {
        _ = try YAML.parse(bytes, file: "f.yaml")
        return "none"
      } catch {
        let first = error.diagnostics.first
        return
          "\(first?.location?.line ?? 0):\(first?.location?.column ?? 0) \(first?.message ?? "")"
      }
    }
    #expect(
      message(Array("a: ä\nb: ".utf8) + [0xFF])
        == "2:4 the text is not UTF-8: byte 0xff at offset 9")
    #expect(message(Array("a: ".utf8) + [0xC3]).hasPrefix("1:4 the text is not UTF-8: byte 0xc3"))
    #expect(
      message([UInt8](repeating: 32, count: 11 << 20))
        == "1:1 the text is larger than the 10 MB that a spec may have")
  }

  @Test func aMissingFileIsNamed() {
    #expect(throws: InvalidSpec([Diagnostic("cannot read x.yaml: No such file or directory")])) {
      _ = try YAML.load(path: "/nonexistent/x.yaml", shownAs: "x.yaml")
    }
  }

  /// Whatever a text holds, it gives a node or faults with places.
  @Test func mutatedTextsNeverCrash() {
    let seed = Array(
      "a: {b: [1, 'two', &x \"th\\u00e4\"], c: *x}\nd: |\n  text\ne: !!str 12\n? f\n: - 1\n  - 2\n"
        .utf8)
    let pool = Array("[]{}:,&*!|>'\"#%@`-?\t\n \\0a\u{e4}".utf8) + [0, 0xFF, 0xC3]
    for round in 0..<4000 {
      let noise = hashed(12, stream: UInt32(round), scale: 0.5).map { Double($0) + 0.5 }
      var bytes = seed
      for step in 0..<4 {
        let place = min(Int(noise[step * 3] * Double(bytes.count)), bytes.count - 1)
        let byte = pool[min(Int(noise[step * 3 + 1] * Double(pool.count)), pool.count - 1)]
        switch Int(noise[step * 3 + 2] * 3) {
        case 0: bytes[place] = byte
        case 1: bytes.insert(byte, at: place)
        default: bytes.remove(at: place)
        }
      }
      do {
        _ = try YAML.parse(bytes, file: "f")
      } catch {
        #expect(!error.diagnostics.isEmpty && error.diagnostics.allSatisfy { $0.location != nil })
      }
    }
  }
}
