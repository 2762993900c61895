//! Values as they are encoded are those that come back from their text.

import Files
import Foundation
import Testing

@Suite struct JSONValueEncoderTests {
  struct Inner: Codable {
    enum Kind: String, Codable { case one, two }

    var kind = Kind.two
    var rate = 0.001
    var whole = 2.0
    var large = 1e20
    var single: Float = 0.1
    var small: Int8 = -3
    var wide: UInt64 = 7
    var absent: Int?
    var present: Int? = 4
  }

  enum Choice: Codable {
    case plain
    case pair(Int, name: String)
  }

  struct Outer: Codable {
    var inner = Inner()
    var list = [Inner(), Inner()]
    var names = ["a": [1, 2], "b": []]
    var choices = [Choice.plain, .pair(1, name: "x")]
    var value = JSONValue.object(["x": .array([.null, .bool(true), .double(0.5)])])
  }

  @Test func agreesWithTheText() throws {
    let text = try JSONEncoder().encode(Outer())
    #expect(try JSONValue(encoding: Outer()) == JSONValue(parsing: Array(text)))
    #expect(try JSONValue(encoding: 3) == .int(3))
    #expect(try JSONValue(encoding: [Double]()) == .array([]))
    #expect(throws: (any Error).self) { try JSONValue(encoding: [Double.infinity]) }
  }
}
