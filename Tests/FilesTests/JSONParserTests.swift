//! JSON's texts and typed values become what Foundation makes of them, and hostile texts a fault.

import Files
import Foundation
import Testing

@Suite struct JSONParserTests {
  @Test(arguments: [
    "null", " true ", "false", "0", "-0", "-0.0", "1", "1.0", "-12.50", "1e3", "1E+2", "12e-1",
    "9007199254740993", "9223372036854775807", "9223372036854775808", "1e16", "1e300", "\"\"",
    #""a\"\\\/\b\f\n\r\t\u00e9\u2028 é 🎵 \uD83C\uDFB5""#, "[]", "[ 1 , [ ] , {} ]", "{}",
    #"{"b":1,"a":{"c":[null,true]}}"#,
  ])
  func valuesAreFoundations(text: String) throws {
    let bytes = Array(text.utf8)
    let expected = try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
    #expect(try JSONValue(parsing: bytes) == expected)
  }

  @Test(arguments: [
    ("", "it is no JSON: the end where a value is due at byte 0"),
    ("{\"a\":1", "it is no JSON: neither comma nor brace at byte 6"),
    ("[1 2]", "it is no JSON: neither comma nor bracket at byte 3"),
    ("[1,]", "it is no JSON: no value at byte 3"),
    ("{a:1}", "it is no JSON: no key in quotes at byte 1"),
    ("{\"a\" 1}", "it is no JSON: no colon after a key at byte 5"),
    ("01", "it is no JSON: a zero before a number at byte 1"),
    ("-", "it is no JSON: no digit at byte 1"), ("1.", "it is no JSON: no digit at byte 2"),
    ("1e999", "it is no JSON: too large a number at byte 5"),
    ("nul", "it is no JSON: no value at byte 0"),
    ("1 1", "it is no JSON: text after the value at byte 2"),
    ("\"a", "it is no JSON: the end within a string at byte 2"),
    ("\"\\x\"", "it is no JSON: an escape that JSON has not at byte 3"),
    ("\"\\ud800\"", "it is no JSON: half a pair at byte 7"),
    ("\"\\u12\"", "it is no JSON: the end within a string at byte 3"),
    ("\"\n\"", "it is no JSON: a control character within a string at byte 2"),
  ])
  func faultsAreTold(text: String, message: String) {
    do {
      _ = try JSONValue(parsing: Array(text.utf8))
      Issue.record("it is a fault")
    } catch {
      #expect("\(error)" == message)
    }
  }

  @Test func hostileTextsAreFaults() {
    let deep = [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)
    #expect(throws: JSONError.self) { try JSONValue(parsing: deep) }
    #expect(throws: JSONError.self) { try JSONValue(parsing: [34, 0xFF, 34]) }
    #expect(throws: JSONError.self) { try JSONValue(parsing: [34, 0xC3, 34]) }
  }

  private struct Everything: Codable {
    enum Kind: String, Codable { case one, two }
    enum Choice: Codable { case empty, pair(x: Int, y: Double) }
    var flag = true
    var text = "é\n"
    var whole = 3
    var small: Int8 = -4
    var large = UInt64.max
    var round = 2.0
    var exact = 0.1
    var huge = 1e300
    var float: Float = 0.1
    var wholeFloat: Float = 16
    var nothing: Int?
    var kind = Kind.two
    var choices = [Choice.empty, .pair(x: 1, y: 2.5)]
    var table = ["b": [1.5, 2], "a": []]
    var numbered = [2: "two", 1: "one"]
    var optional: [Int?] = [1, nil]
    var json = JSONValue.object(["x": .array([.null, .double(0.5)])])
  }

  @Test func typedValuesAreFoundations() throws {
    let value = Everything()
    let expected = try JSONDecoder().decode(
      JSONValue.self, from: JSONEncoder().encode(value))
    #expect(try JSONValue(encoding: value) == expected)
    #expect(throws: EncodingError.self) { try JSONValue(encoding: ["x": Double.nan]) }
  }
}
