//! Lines of JSON are read back as they were, and are one line whatever they hold.

import Files
import Testing

@Suite struct JSONLineTests {
  @Test func linesComeBack() throws {
    let value = JSONValue.object([
      "b": .array([.null, .bool(true), .int(-3), .double(0.1), .double(1e-300), .string("")]),
      "a \"quoted\" \\ key\n": .string("tab\t bell\u{7} é \u{2028} 🎵"),
      "empty": .object([:]), "none": .array([]),
    ])
    let line = value.line
    #expect(!line.contains(10))
    #expect(try JSONValue(parsing: line) == value)
  }

  @Test func membersAreInOrder() {
    let value = JSONValue.object(["b": .int(1), "B": .int(2), "a": .double(.nan)])
    #expect(String(decoding: value.line, as: UTF8.self) == #"{"B":2,"a":null,"b":1}"#)
  }
}
