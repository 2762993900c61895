//! One spelling for equal manifests, another for different ones.

import Diagnostics
import Files
import Pipeline
import Testing

@Suite struct ManifestTests {
  private func manifest(_ fields: JSONValue, version: Int = 1) -> Manifest {
    Manifest(kind: "fit", version: version, fields: fields)
  }

  @Test func spellsEveryFieldOnce() throws {
    let fields = try JSONValue(
      parsing: Array(
        #"{"b":{"rate":1e-3,"name":"x\ny"},"a":[1,{"c":true}],"e":[],"o":{},"n":null}"#.utf8))
    var manifest = manifest(fields, version: 3)
    let digest = SHA256.digest(of: "x")
    manifest.inputs = ["model": .artifact(digest), "data": .file(digest)]
    #expect(
      manifest.lines == [
        #"@kind = "fit""#, "@version = 3", "a[0] = 1", "a[1].c = true", #"b.name = "x\ny""#,
        "b.rate = 0.001", "e = []", "n = null", "o = {}",
        "@inputs.data = \"file \(digest.hex)\"", "@inputs.model = \"artifact \(digest.hex)\"",
      ])
  }

  @Test(arguments: [
    (#"{"x":1e-3}"#, #"{"x":0.001}"#), (#"{"x":1}"#, #"{"x":1.0}"#),
    (#"{"x":1,"y":2}"#, #"{"y":2,"x":1}"#),
  ])
  func sameKey(one: String, other: String) throws {
    #expect(
      try manifest(JSONValue(parsing: Array(one.utf8))).digest
        == manifest(JSONValue(parsing: Array(other.utf8))).digest)
  }

  @Test func differentKeys() {
    let fields: [JSONValue] = [
      .object([:]), .object(["a": .array([.int(1)])]), .object(["a": .object(["0": .int(1)])]),
      .object(["a": .object(["b": .int(1)])]), .object(["a.b": .int(1)]), .object(["a": .null]),
      .object(["a": .string("null")]), .object(["a": .string("1")]), .object(["a": .int(1)]),
      .object(["a": .double(0)]), .object(["a": .double(-0.0)]), .object(["@version": .int(1)]),
      .object(["a": .string("1\nb = 1")]), .object(["a": .int(1), "b": .int(1)]),
      .object(["a": .double(.nan)]), .object(["a": .double(1e300)]),
    ]
    #expect(Set(fields.map { manifest($0).digest }).count == fields.count)
    #expect(manifest(.object([:]), version: 2).digest != manifest(.object([:])).digest)
  }

  @Test func storedJSONHoldsTheSamePaths() {
    let stored = manifest(.object(["a": .object(["b": .double(.infinity)])])).json
    #expect(stored["a.b"] == .string("inf"))
    #expect(stored["@kind"] == .string("fit"))
  }

  @Test func longestPrefixGivesTheLocation() {
    let stage = stage("s", line: 7)
    #expect(stage.location(of: "value")?.description == "p.yaml:7:10")
    #expect(stage.location(of: "training.unseen[2].x")?.description == "p.yaml:8:3")
    #expect(stage.location(of: "trainings")?.description == "p.yaml:7:3")
  }
}
