//! Fields, overrides and variables: all faults at once, whole messages.

import Diagnostics
import Specs
import Testing

@Suite struct FieldReaderTests {
  enum Kind: String, CaseIterable {
    case adam, sgd
  }

  private func node(_ text: String) throws -> Node {
    try YAML.parse(Array(text.utf8), file: "f.yaml")
  }

  private func rendered(_ faults: FaultCollector) -> String { rendered(faults.diagnostics) }

  private func rendered(_ faults: [Diagnostic]) -> String {
    DiagnosticRenderer(color: false).render(faults)
  }

  @Test func everyFaultOfAMappingIsReportedAtOnce() throws {
    let faults = FaultCollector()
    var fields = FieldReader(
      try node("epochs: many\nrate: 2\nkind: adm\nbatchsize: 3\nflag: yes\nseed: 1.5\n"),
      in: "training", faults: faults)
    let epochs = fields.int("epochs", in: 1...100, default: 5)
    let rate = fields.double("rate", in: 0...1, default: 0.5)
    let kind = fields.choice("kind", of: Kind.self)
    let batchSize = fields.int("batch_size", in: 1...100)
    let flag = fields.bool("flag", default: true)
    let seed = fields.int("seed", in: 0...Int.max, default: 0)
    let name = fields.string("name")
    #expect(epochs == 5 && rate == 0.5 && kind == .adam && batchSize == 1)
    #expect(flag && seed == 0 && name == "")
    fields.rejectUnknownKeys()
    #expect(
      rendered(faults) == """
        error: `epochs` wants a whole number, not the text `many`
         --> f.yaml:1:9
          |
        1 | epochs: many
          |         ^^^^

        error: `rate` must lie in 0...1, not be 2
         --> f.yaml:2:7
          |
        2 | rate: 2
          |       ^

        error: `kind` cannot be `adm`
         --> f.yaml:3:7
          |
        3 | kind: adm
          |       ^^^
          = did you mean `adam`?

        error: `flag` wants true or false, not the text `yes`
         --> f.yaml:5:7
          |
        5 | flag: yes
          |       ^^^
          = did you mean `true`?

        error: `seed` wants a whole number, not the number 1.5
         --> f.yaml:6:7
          |
        6 | seed: 1.5
          |       ^^^

        error: training needs `name`
         --> f.yaml:1:1
          |
        1 | epochs: many
          | ^

        error: unknown key `batchsize` in training
         --> f.yaml:4:1
          |
        4 | batchsize: 3
          | ^^^^^^^^^
          = did you mean `batch_size`?

        """)
  }

  @Test func spellingsOfANumberAreEqual() throws {
    let faults = FaultCollector()
    for text in ["rate: 1e-3", "rate: 0.001", "rate: 1.0E-03"] {
      var fields = FieldReader(try node(text), in: "training", faults: faults)
      let rate = fields.double("rate", in: 0...1)
      #expect(rate == 0.001)
    }
    var whole = FieldReader(try node("rate: 1"), in: "training", faults: faults)
    let rate = whole.double("rate", in: 0...1)
    #expect(rate == 1 && !faults.hasErrors)
  }

  @Test func overridesReplaceAndMakeFields() throws {
    let overrides = try ["a.b=7", "a.c.d=[1, x]", "e=", "list.1=9"].map { text in
      try Override(parsing: text)
    }
    let root = try node("a: {b: 1}\nlist: [1, 2]\n").applying(overrides)
    #expect(root.node(at: ["a", "b"])?.found == "7")
    #expect(root.node(at: ["a", "c", "d"])?.found == "a list")
    #expect(root["e"]?.found == "nothing")
    guard case .sequence(let list)? = root["list"]?.value else {
      Issue.record("no list")
      return
    }
    #expect(list.map(\.found) == ["1", "9"])
  }

  @Test func faultsOfOverridesPointIntoTheArgument() throws {
    let faults = FaultCollector()
    let root = try node("a: {b: 1}\n").applying([
      Override(parsing: "a.b=x"), Override(parsing: "a.oops=1"),
    ])
    var fields = FieldReader(try #require(root["a"]), in: "a", faults: faults)
    _ = fields.int("b", in: 0...9)
    fields.rejectUnknownKeys()
    #expect(
      rendered(faults) == """
        error: `b` wants a whole number, not the text `x`
         --> --set a.b=x
          |
        1 | a.b=x
          |     ^

        error: unknown key `oops` in a
         --> --set a.oops=1
          |
        1 | a.oops=1
          |   ^^^^
          = its keys are b

        """)
  }

  @Test(arguments: ["seed", "=1", "a..b=1", "a b=1", "a=[1", "a=*x"])
  func badOverridesAreRefused(argument: String) {
    #expect(throws: InvalidSpec.self) { try Override(parsing: argument) }
  }

  @Test func variablesAreExpanded() throws {
    let faults = FaultCollector()
    let root = Interpolation.expand(
      try node("a: ${data}/x\nb: $$5\nc: [\"${dat}/y\"]\nd: $x\n"), variables: ["data": "/d"],
      faults: faults)
    #expect(root["a"]?.found == "the text `/d/x`" && root["b"]?.found == "the text `$5`")
    #expect(
      rendered(faults) == """
        error: unknown variable `${dat}`
         --> f.yaml:3:6
          |
        3 | c: ["${dat}/y"]
          |      ^^^^^^
          = did you mean `${data}`?

        error: a variable is written `${name}`, a dollar `$$`
         --> f.yaml:4:4
          |
        4 | d: $x
          |    ^

        """)
  }

  @Test func aMissingKeyIsToldEvenWhenAKnownOneLooksLikeIt() throws {
    let faults = FaultCollector()
    var fields = FieldReader(try node("rates: 1\n"), in: "training", faults: faults)
    _ = fields.double("rate", in: 0...1)
    _ = fields.double("rates", in: 0...1)
    fields.rejectUnknownKeys()
    #expect(faults.diagnostics.map(\.message) == ["training needs `rate`"])
  }

  @Test func valuesOfTheWrongTypeComeWithWhatToWrite() throws {
    let faults = FaultCollector()
    var fields = FieldReader(
      try node("a: 2.0\nb: 010\nc: '0.5'\nd: 12\ne: Off\nf: {g: 1}\n"), in: "x", faults: faults)
    _ = fields.int("a", in: 0...9)
    _ = fields.int("b", in: 0...9)
    _ = fields.double("c", in: 0...9)
    _ = fields.string("d")
    _ = fields.bool("e")
    _ = fields.int("f", in: 0...9)
    #expect(
      faults.diagnostics.map { "\($0.message): \($0.suggestion ?? "nothing")" } == [
        "`a` wants a whole number, not the number 2.0: did you mean `2`?",
        "`b` wants a whole number, not the text `010`: did you mean `10`?",
        "`c` wants a number, not the text `0.5`: did you mean `0.5`?",
        "`d` wants text, not 12: write it in quotes: '12'",
        "`e` wants true or false, not the text `Off`: did you mean `false`?",
        "`f` wants a whole number, not a mapping: nothing",
      ])
  }

  @Test func faultsInsideATextPointThereOrAtItsStart() throws {
    let faults = FaultCollector()
    _ = Interpolation.expand(
      try node("a: 'x ${y}'\nb: \"\\t${y}\"\nc: |\n  x ${y}\n"), variables: [:], faults: faults)
    let places = faults.diagnostics.map { "\($0.location?.description ?? "") \($0.length)" }
    #expect(places == ["f.yaml:1:7 4", "f.yaml:2:4 8", "f.yaml:3:4 1"])
  }

  @Test func aBrokenOverrideShowsTheArgument() throws {
    let error = try #require(
      throws: InvalidSpec.self, performing: { _ = try Override(parsing: "seed=[1") })
    #expect(
      rendered(error.diagnostics) == """
        error: this is no YAML: did not find expected ',' or ']' (while parsing a flow sequence, \
        which begins at line 1)
         --> --set seed=[1
          |
        1 | seed=[1
          |        ^

        """)
  }

  @Test func duplicateKeysShowBothPlaces() throws {
    let error = try #require(
      throws: InvalidSpec.self, performing: { _ = try node("a: 1\nb: 2\na: 3\n") })
    #expect(
      rendered(error.diagnostics) == """
        error: duplicate key `a`
         --> f.yaml:3:1
          |
        3 | a: 3
          | ^
          = note: the first one is here (f.yaml:1:1)

        """)
  }
}
