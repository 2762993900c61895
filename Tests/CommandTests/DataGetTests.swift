//! `shiftwork data get` against a server on loopback: whole, broken off, killed, wrong, hostile.

import Foundation
import TestSupport
import Testing

@Suite struct DataGetTests {
  private let workspace: Workspace
  private let served: String

  init() throws {
    workspace = try Workspace()
    served = workspace.path("served")
    try FileManager.default.createDirectory(atPath: served, withIntermediateDirectories: true)
    try Python.run(TestPaths.fixtures + "/data/make_archives.py", [served])
  }

  /// One data set of one archive that becomes `place`.
  private func describe(
    _ file: String, _ checksum: String? = nil, bytes: Int? = nil, url: String = "http://127.0.0.1:1"
  ) throws {
    let checksum = checksum.map { "\"checksum\": \"\($0)\"," } ?? ""
    let bytes = bytes.map { "\"bytes\": \($0)," } ?? ""
    try workspace.write(
      """
      [{"name": "toy", "title": "A toy", "experiments": [], "license": "CC0", "citation": "nobody",
        "archives": [{"url": "\(url)/\(file)", \(checksum) \(bytes) "target": "below/place",
          "folder": "set", "unpacked_limit": 1000000}],
        "places": [{"path": "below/place", "suffix": ".wav", "count": 2}]}]
      """, to: "sets.json")
  }

  private func get(_ server: RangeServer?, _ arguments: [String] = []) throws -> CommandOutcome {
    try workspace.run(
      "shiftwork",
      ["data", "get", "toy", "--catalogue", "sets.json"]
        + (server.map { ["--url", $0.url] } ?? []) + arguments)
  }

  private var data: [String] { workspace.files.filter { $0.hasPrefix("data/") } }

  private let whole = [
    "data/.downloads/toy.lock", "data/below/place/a.wav", "data/below/place/deep/b.wav",
    "data/below/place/list.txt",
  ]

  private func md5(_ file: String) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["md5sum", served + "/" + file]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return "md5:" + String(decoding: text.prefix(32), as: UTF8.self)
  }

  /// An archive that does not compress, of about 600 kB.
  private func makeLarge() throws {
    let folder = workspace.path("large/set")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    var state: UInt64 = 1
    for name in ["a.wav", "b.wav"] {
      let bytes = (0..<300_000).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 33)
      }
      try Data(bytes).write(to: URL(fileURLWithPath: folder + "/" + name))
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
      "tar", "-czf", served + "/large.tar.gz", "-C", workspace.path("large"), "set/a.wav",
      "set/b.wav",
    ]
    try process.run()
    process.waitUntilExit()
  }

  @Test func anArchiveIsFetchedCheckedAndUnpacked() throws {
    try describe("good.tar.gz", try md5("good.tar.gz"))
    let server = try RangeServer(folder: served)
    let outcome = try get(server)
    #expect(outcome.code == 0, "\(outcome.error)")
    #expect(
      outcome.out == """
        data/below/place: done
        toy: 70.0 kB in data
          licence   CC0
          cite      nobody

        """)
    #expect(data == whole)
    // A second time nothing is fetched.
    let again = try get(server)
    #expect(again.code == 0 && again.out.hasPrefix("data/below/place: is there\n"))
    #expect(server.requests == ["good.tar.gz 0"])
    let verified = try workspace.run(
      "shiftwork", ["data", "verify", "toy", "--catalogue", "sets.json"])
    #expect(verified.code == 0)
    #expect(verified.out == "data/below/place: 2 .wav files, 70.0 kB, count as published\n")
  }

  @Test func aServerThatBreaksOffIsAskedForTheRest() throws {
    try makeLarge()
    try describe("large.tar.gz", try md5("large.tar.gz"))
    let server = try RangeServer(folder: served, mode: "break=250000")
    let outcome = try get(server)
    #expect(outcome.code == 0, "\(outcome.error)")
    #expect(
      server.requests == ["large.tar.gz 0", "large.tar.gz 250000", "large.tar.gz 500000"])
    #expect(data.count == 3)
  }

  @Test func aDownloadThatWasGivenUpGoesOn() throws {
    try makeLarge()
    try describe("large.tar.gz", try md5("large.tar.gz"))
    do {
      let server = try RangeServer(folder: served, mode: "break=250000")
      let outcome = try get(server, ["--retries", "0"])
      #expect(outcome.code == 1)
      #expect(outcome.error.hasPrefix("error: \(server.url)/large.tar.gz: (18) "))
      #expect(
        outcome.error.hasSuffix(
          "; 250000 bytes are kept in data/.downloads/toy-large.tar.gz.part, and the same command "
            + "goes on\n"))
    }
    #expect(data == ["data/.downloads/toy-large.tar.gz.part", "data/.downloads/toy.lock"])
    let server = try RangeServer(folder: served)
    #expect(try get(server).code == 0)
    #expect(server.requests == ["large.tar.gz 0", "large.tar.gz 250000"])
  }

  @Test func aKilledDownloadGoesOn() throws {
    try makeLarge()
    try describe("large.tar.gz", try md5("large.tar.gz"))
    do {
      let server = try RangeServer(folder: served, mode: "slow=250000")
      let process = Process()
      process.executableURL = URL(fileURLWithPath: Workspace.products + "/shiftwork")
      process.arguments = [
        "data", "get", "toy", "--catalogue", "sets.json", "--url", server.url,
      ]
      process.currentDirectoryURL = URL(fileURLWithPath: workspace.root)
      try process.run()
      let part = workspace.path("data/.downloads/toy-large.tar.gz.part")
      func size() -> Int {
        let attributes = try? FileManager.default.attributesOfItem(atPath: part)
        return attributes?[.size] as? Int ?? 0
      }
      // The last of what has come is still in curl's buffer.
      while size() < 200_000 {
        try #require(process.isRunning)
        usleep(10_000)
      }
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }
    let server = try RangeServer(folder: served)
    #expect(try get(server).code == 0)
    let offset = server.requests.last?.split(separator: " ").last.flatMap { Int($0) }
    #expect(try #require(offset) >= 200_000)
    #expect(data.count == 3)
  }

  @Test func aServerWithoutRangesGivesTheWholeAgain() throws {
    try makeLarge()
    try describe("large.tar.gz", try md5("large.tar.gz"))
    do {
      let server = try RangeServer(folder: served, mode: "break=250000")
      #expect(try get(server, ["--retries", "0"]).code == 1)
    }
    let server = try RangeServer(folder: served, mode: "norange")
    let outcome = try get(server)
    #expect(outcome.code == 0, "\(outcome.error)")
    #expect(data.count == 3)
  }

  @Test func aWrongChecksumLeavesNothing() throws {
    let wrong = "md5:900150983cd24fb0d6963f7d28e17f72"
    try describe("good.tar.gz", wrong)
    let server = try RangeServer(folder: served)
    let outcome = try get(server)
    #expect(outcome.code == 1)
    #expect(
      outcome.error
        == "error: \(server.url)/good.tar.gz: the download is \(try md5("good.tar.gz")), the "
        + "published checksum is \(wrong): it is removed, and nothing is unpacked\n")
    #expect(data == ["data/.downloads/toy.lock"])
  }

  @Test func aWrongSizeLeavesNothing() throws {
    try describe("good.tar.gz", bytes: 100_000)
    let server = try RangeServer(folder: served)
    let outcome = try get(server)
    #expect(outcome.code == 1)
    #expect(
      outcome.error.contains("bytes, the published archive has 100000: the download is removed"))
    #expect(data == ["data/.downloads/toy.lock"])
  }

  @Test(arguments: [
    "absolute.tar.gz", "dotdot.tar.gz", "dotdot.zip", "symlink.tar.gz", "hardlink.tar.gz",
    "device.tar.gz", "bomb.tar.gz", "bomb.zip", "truncated.tar.gz", "text.tar.gz",
  ])
  func aHostileArchiveIsNamedAndNothingOfItStays(_ name: String) throws {
    try describe(name)
    let server = try RangeServer(folder: served)
    let outcome = try get(server)
    #expect(outcome.code == 1)
    #expect(outcome.error.hasPrefix("error: data/.downloads/toy-\(name): "), "\(outcome.error)")
    #expect(outcome.out == "\(name): no published checksum to compare it with\n")
    // The download itself is kept: it says what was wrong.
    #expect(data == ["data/.downloads/toy-\(name)", "data/.downloads/toy.lock"])
    #expect(!workspace.files.contains { $0.hasSuffix("out.wav") })
  }

  @Test func anArchiveOfSomethingElseIsNamed() throws {
    try describe("other.tar.gz")
    let outcome = try get(try RangeServer(folder: served))
    #expect(outcome.code == 1)
    #expect(
      outcome.error
        == "error: data/.downloads/toy-other.tar.gz: the archive has no folder `set`\n")
    #expect(!data.contains { $0.contains("below") })
  }

  @Test func whatTheServerLacksIsNamedAtOnce() throws {
    try describe("missing.tar.gz")
    let server = try RangeServer(folder: served)
    let outcome = try get(server)
    #expect(outcome.code == 1)
    #expect(outcome.error.hasPrefix("error: \(server.url)/missing.tar.gz: (22) "))
    #expect(outcome.error.contains("404"))
  }

  @Test func whatLiesThereIsNeverTouched() throws {
    try describe("good.tar.gz")
    try workspace.write("mine", to: "data/below/place/mine.wav")
    let server = try RangeServer(folder: served)
    let outcome = try get(server)
    #expect(outcome.code == 1)
    #expect(
      outcome.error == """
        error: toy is there and differs from the published data set:
          data/below/place has 1 .wav files, the published one 2
        what is there is left as it is; move it away to fetch it anew

        """)
    #expect(server.requests == [])
    #expect(try workspace.read("data/below/place/mine.wav") == "mine")
  }

  /// A limit on the size of files stands for a full disk: the same calls fail, with EFBIG for ENOSPC.
  @Test func aDiskThatIsFullIsNamed() throws {
    try makeLarge()
    try describe("large.tar.gz", try md5("large.tar.gz"))
    let server = try RangeServer(folder: served)
    let command = "data get toy --catalogue sets.json --url \(server.url)"
    func limited(_ kilobytes: Int) throws -> CommandOutcome {
      // bash counts in 1,024 bytes.
      try workspace.run(
        "/bin/bash",
        ["-c", "ulimit -f \(kilobytes); exec \(Workspace.products)/shiftwork \(command)"])
    }
    let download = try limited(200)
    #expect(download.code == 1)
    #expect(
      download.error
        == "error: data/.downloads/toy-large.tar.gz.part: cannot write: File too large\n")
    // Room for the rest of nothing but the unpacked files.
    #expect(try get(server, ["--keep-archives"]).code == 0)
    try FileManager.default.removeItem(atPath: workspace.path("data/below"))
    let unpacking = try limited(250)
    #expect(unpacking.code == 1)
    #expect(
      unpacking.error
        == "error: data/.downloads/toy-large.tar.gz: the entry `set/a.wav` cannot be written: "
        + "File too large\n")
    #expect(!data.contains { $0.contains("below") })
    #expect(try get(server).code == 0)
  }

  @Test func wrongUsageIsTwo() throws {
    for arguments in [
      ["get"], ["get", "none"], ["get", "cifar10", "--url", "ftp://x"], ["verify", "none"],
      ["build-vww", "--threshold", "2"], ["build-vww", "--quality", "0"],
    ] {
      let outcome = try workspace.run("shiftwork", ["data"] + arguments)
      #expect(outcome.code == 2, "\(arguments) \(outcome.error)")
    }
  }

  @Test func theListSaysWhatIsThereAndHowToGetTheRest() throws {
    try workspace.write("no batch", to: "data/cifar-10-batches-py/data_batch_1")
    let outcome = try workspace.run("shiftwork", ["data"])
    #expect(outcome.code == 0, "\(outcome.error)")
    #expect(
      outcome.out.contains(
        """
        cifar10: CIFAR-10, python version
          for       experiments/cifar10.yaml, experiments/own_network.yaml
          found     data/cifar-10-batches-py/data_batch_1: 8 bytes
          missing   data/cifar-10-batches-py/data_batch_2: is not there
        """))
    #expect(outcome.out.contains("  get       shiftwork data get cifar10    download 170.5 MB\n"))
    let verified = try workspace.run("shiftwork", ["data", "verify", "cifar10"])
    #expect(verified.code == 1)
    #expect(
      verified.error.hasPrefix("error: data/cifar-10-batches-py/data_batch_1 is md5:"),
      "\(verified.error)")
    let json = try workspace.run("shiftwork", ["data", "list", "--json"])
    for line in json.out.split(separator: "\n") {
      _ = try JSONSerialization.jsonObject(with: Data(line.utf8))
    }
  }
}
