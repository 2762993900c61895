//! Whole messages, and suggestions.

import Diagnostics
import Testing

@Suite struct RendererTests {
  private func render(_ diagnostic: Diagnostic) -> String {
    DiagnosticRenderer(color: false).render(diagnostic)
  }

  @Test func aLocatedFault() {
    let diagnostic = Diagnostic(
      "unknown key `learnig_rate` in training",
      at: SourceLocation(file: "experiments/cifar10.yaml", line: 12, column: 3), length: 12,
      sourceLine: "  learnig_rate: 0.001", suggestion: "did you mean `learning_rate`?",
      notes: [
        .init("the first one is here", at: SourceLocation(file: "a.yaml", line: 2, column: 1))
      ])
    #expect(
      render(diagnostic) == """
        error: unknown key `learnig_rate` in training
          --> experiments/cifar10.yaml:12:3
           |
        12 |   learnig_rate: 0.001
           |   ^^^^^^^^^^^^
           = did you mean `learning_rate`?
           = note: the first one is here (a.yaml:2:1)

        """)
  }

  @Test func aFaultWithoutAPlace() {
    #expect(render(Diagnostic(.warning, "nothing runs")) == "warning: nothing runs\n")
  }

  @Test func tabsAndLongLinesKeepTheCaret() {
    let line = String(repeating: "x", count: 500) + "\tFAULT" + String(repeating: "y", count: 500)
    let text = render(
      Diagnostic(
        "m", at: SourceLocation(file: "f", line: 1, column: 502), length: 5, sourceLine: line))
    let lines = text.split(separator: "\n").map(String.init)
    let caret = lines[4].firstIndex(of: "^").map {
      lines[4].distance(from: lines[4].startIndex, to: $0)
    }
    let fault = lines[3].firstIndex(of: "F").map {
      lines[3].distance(from: lines[3].startIndex, to: $0)
    }
    #expect(caret == fault && lines[3].count < 140 && lines[4].hasSuffix("^^^^^"))
  }

  @Test func anOverrideIsItsOwnPlace() {
    let location = SourceLocation(file: "--set seed=x", line: 1, column: 6)
    #expect("\(location)" == "--set seed=x")
  }

  @Test(arguments: [
    ("learnig_rate", "learning_rate"), ("epoch", "epochs"), ("sede", "seed"), ("Kind", "kind"),
    ("zzzz", nil), ("", nil),
  ])
  func suggestions(word: String, expected: String?) {
    let words = ["learning_rate", "epochs", "seed", "kind", "batch_size"]
    #expect(closest(to: word, among: words) == expected)
  }

  @Test func caretsStandUnderWideAndCombinedCharacters() {
    let line = "e\u{301}\u{5927}\t: bad"
    let text = render(
      Diagnostic(
        "m", at: SourceLocation(file: "f", line: 1, column: 7), length: 9, sourceLine: line))
    #expect(
      text == """
        error: m
         --> f:1:7
          |
        1 | e\u{301}\u{5927} : bad
          |       ^^^

        """)
  }

  @Test func whatSteersTerminalsIsNotShown() {
    let text = render(
      Diagnostic(
        "a\u{1B}[2Jb\u{9B}c\u{202E}d\r\n", at: SourceLocation(file: "f\n", line: 1, column: 1),
        sourceLine: "\u{85}\u{2028}\u{FEFF}x"))
    #expect(
      text == """
        error: a?[2Jb?c?d??
         --> f?:1:1
          |
        1 | ???x
          | ^

        """)
  }

  @Test func placesBeyondALineStayAtItsEnd() {
    let text = render(
      Diagnostic(
        "m", at: SourceLocation(file: "f", line: 1, column: Int.max), length: Int.max,
        sourceLine: "ab"))
    #expect(text.hasSuffix("1 | ab\n  |   ^\n"))
  }

  @Test func coloursSurroundTheSameText() {
    let diagnostic = Diagnostic(
      "m", at: SourceLocation(file: "f", line: 1, column: 1), sourceLine: "x", suggestion: "s")
    let coloured = DiagnosticRenderer(color: true).render(diagnostic)
    let plain = coloured.replacing(#/\x{1B}\[[0-9;]*m/#, with: "")
    #expect(coloured != plain && plain == render(diagnostic))
  }
}
