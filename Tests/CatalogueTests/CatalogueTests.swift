//! The list of data sets, a user's own list, and what is said about what is there.

import Catalogue
import Files
import Foundation
import TestSupport
import Testing

@Suite struct CatalogueTests {
  @Test func theOfficialSetsAreSound() throws {
    let sets = Catalogue.official.sets
    #expect(Set(sets.map(\.name)).count == sets.count)
    let workspace = try Workspace()
    // A user's catalogue is checked for paths and URLs; ours passes the same checks.
    try workspace.write(try JSONValue(encoding: sets).canonicalText, to: "sets.json")
    #expect(try Catalogue(reading: workspace.path("sets.json")).sets == sets)
    for set in sets {
      #expect(!set.license.isEmpty && !set.citation.isEmpty && !set.places.isEmpty)
      for archive in set.archives {
        #expect(set.places.contains { ($0.path + "/").hasPrefix(archive.target + "/") })
      }
    }
    for name in ["anomaly_detection", "keyword_spotting", "cifar10", "visual_wake_words"] {
      #expect(sets.contains { $0.experiments.contains(name) })
    }
  }

  private static let wrong: [(String, String)] = [
    ("[{]", "no catalogue: "),
    (#"[{"name": "a"}]"#, "no catalogue: 0 lacks `title`"),
    (set(name: "A b"), "data set `A b`: a name is lower-case letters"),
    (set(target: "../out"), "data set `a`: `../out` is no plain path below the data folder"),
    (set(target: "/etc"), "data set `a`: `/etc` is no plain path below the data folder"),
    (set(url: "file:///etc/passwd"), "data set `a`: `file:///etc/passwd` is no http"),
    (set(checksum: "md5:12"), "no catalogue: 0.archives.0.checksum: `md5:12` is no md5:..."),
  ]

  @Test(arguments: wrong)
  func aWrongCatalogueIsNamed(_ text: String, _ words: String) throws {
    let workspace = try Workspace()
    try workspace.write(text, to: "sets.json")
    let path = workspace.path("sets.json")
    #expect {
      try Catalogue(reading: path)
    } throws: { error in
      "\(error)".hasPrefix("\(path): \(words)")
    }
  }

  private static func set(
    name: String = "a", target: String = "a", url: String = "https://example.org/a.zip",
    checksum: String = "md5:c58f30108f718f92721af3b95e74349a"
  ) -> String {
    """
    [{"name": "\(name)", "title": "t", "experiments": [], "license": "l", "citation": "c",
      "archives": [{"url": "\(url)", "target": "\(target)", "checksum": "\(checksum)"}],
      "places": []}]
    """
  }

  @Test func whatIsThereIsCounted() throws {
    let workspace = try Workspace()
    var set = DataSet(
      name: "a", title: "", experiments: [], license: "", citation: "", archives: [],
      places: [
        Place("a", suffix: ".wav", count: 2), Place("a/list.txt", bytes: 3),
        Place("b.h5", checksum: Checksum("md5:900150983cd24fb0d6963f7d28e17f72")),
      ])
    #expect(try Inventory(of: set, in: workspace.root).state == .missing)
    try workspace.write("12345", to: "a/x/one.wav")
    try workspace.write("12345", to: "a/y/two.WAV")
    try workspace.write("abc", to: "a/list.txt")
    try workspace.write("abc", to: "b.h5")
    let whole = try Inventory(of: set, in: workspace.root, hashes: true)
    #expect(whole.state == .complete)
    #expect(whole.entries.map(\.files) == [2, 1, 1])
    #expect(whole.bytes == 13)
    try workspace.write("abd", to: "b.h5")
    try workspace.write("ab", to: "a/list.txt")
    try workspace.write("", to: "a/y/three.wav")
    let wrong = try Inventory(of: set, in: workspace.root, hashes: true)
    #expect(wrong.state == .partial)
    #expect(
      wrong.entries.map(\.fault) == [
        "\(workspace.root)/a/y/three.wav is empty", "has 2 bytes, the published one 3",
        "is md5:4911e516e5aa21d327512e0c8b197616, the published one "
          + "md5:900150983cd24fb0d6963f7d28e17f72",
      ])
    set.places = [Place("a", suffix: ".wav", count: 7)]
    try FileManager.default.removeItem(atPath: workspace.path("a/y/three.wav"))
    #expect(
      try Inventory(of: set, in: workspace.root).entries[0].fault
        == "has 2 .wav files, the published one 7")
  }

  @Test func checksumsAreTheirAlgorithms() throws {
    let workspace = try Workspace()
    try workspace.write("abc", to: "abc")
    // The examples of RFC 1321 and FIPS 180-4.
    for text in [
      "md5:900150983cd24fb0d6963f7d28e17f72",
      "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    ] {
      let checksum = try #require(Checksum(text))
      #expect(try Checksum(ofFile: workspace.path("abc"), by: checksum.algorithm) == checksum)
    }
    for text in ["md5:", "md5:X00150983cd24fb0d6963f7d28e17f72", "sha1:00", "", "md5"] {
      #expect(Checksum(text) == nil)
    }
  }
}
