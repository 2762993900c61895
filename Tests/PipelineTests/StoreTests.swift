//! What crashes, torn lines, lost power and strangers do to a store.

import Files
import Glibc
import Pipeline
import Testing

@Suite struct StoreTests {
  private func journal(_ bench: Bench) throws -> [UInt8] {
    try Files.read(bench.root + "/journal", limit: 1 << 24)
  }

  private func setJournal(_ bytes: [UInt8], _ bench: Bench) throws {
    try Files.writeAtomically(bytes, to: bench.root + "/journal")
  }

  private func artifact(of name: String, _ bench: Bench, boot: String = "boot-1") throws -> String {
    let record = try #require(try bench.store(boot: boot).records.last { $0.name == name })
    return try bench.store(boot: boot).path(of: record.artifact)
  }

  @Test func anyPrefixOfTheJournalIsAGoodJournal() async throws {
    let bench = try Bench()
    _ = try await bench.run([stage("a"), stage("b", needs: ["a"])])
    let whole = try journal(bench)
    let lines = whole.split(separator: 10).count
    for length in stride(from: 0, through: whole.count, by: 37) {
      try setJournal(Array(whole.prefix(length)), bench)
      let known = try bench.store().records.count
      #expect(known <= lines)
      let run = try await bench.run([stage("a"), stage("b", needs: ["a"])])
      #expect(run.summary.exitCode == 0)
      // A torn line does not spoil the one that is appended after it.
      #expect(try bench.plan([stage("a"), stage("b", needs: ["a"])]).isUpToDate)
    }
  }

  @Test func aDamagedByteCostsItsLineAtMost() async throws {
    let bench = try Bench()
    _ = try await bench.run([stage("a")])
    let whole = try journal(bench)
    for position in stride(from: 0, to: whole.count, by: 11) {
      var bytes = whole
      bytes[position] ^= 0x55
      try setJournal(bytes, bench)
      let plan = try bench.plan([stage("a")])
      if case .hit(let record) = plan.entries[0].state {
        #expect(record.metrics["length"] == .int(3))
      }
    }
  }

  @Test func hostileJournalsAreSkipped() throws {
    let bench = try Bench()
    try Files.createDirectories(bench.root)
    for text in [
      "\n\n\n", "0\t99999999999999999999\tx\n", "0\t-1\t\n", "0\t9223372036854775807\trecord\t\n",
      "\t\t\t\t\n", String(repeating: "\t", count: 10_000), "ffffffff\t0\t\n",
    ] {
      try setJournal(Array(text.utf8), bench)
      #expect(try bench.store().records.isEmpty)
    }
    try setJournal((0...255).map { $0 } + [10], bench)
    #expect(try bench.store().records.isEmpty)
  }

  @Test func aMissingOutputIsMadeAgain() async throws {
    let bench = try Bench()
    _ = try await bench.run(diamond())
    let path = try artifact(of: "b", bench) + "/out.txt"
    try Files.remove(path)
    let words = try bench.plan(diamond()).words
    #expect(words[1] == "b run: output \(path) is missing")
    #expect(words[3] == "d unless [\"b\"]")
    #expect(try await bench.run(diamond()).ran == ["b"])
    #expect(try bench.plan(diamond()).isUpToDate)
  }

  @Test func aChangedOutputIsMadeAgain() async throws {
    let bench = try Bench()
    _ = try await bench.run(diamond())
    let path = try artifact(of: "d", bench) + "/out.txt"
    try Files.writeAtomically("longer than it was before, by far", to: path)
    #expect(try bench.plan(diamond()).words[3] == "d run: output \(path) was changed")
    #expect(try await bench.run(diamond()).ran == ["d"])
    #expect(try bench.plan(diamond()).isUpToDate)
  }

  @Test func afterAnotherBootUnsyncedOutputsAreChecked() async throws {
    let bench = try Bench()
    let unsynced = try await bench.run([stage("a"), stage("b", value: 2)])
    #expect(unsynced.ran == ["a", "b"])
    // Without the line of the sync, as when the power goes before it.
    let text = String(decoding: try journal(bench), as: UTF8.self)
    let lines = text.split(separator: "\n").filter { !$0.contains("\tsync\t") }
    try setJournal(Array((lines.joined(separator: "\n") + "\n").utf8), bench)
    let path = try artifact(of: "a", bench) + "/out.txt"
    let size = try Files.read(path, limit: 1000).count
    // What a lost write leaves: the size without the bytes.
    try Files.writeAtomically([UInt8](repeating: 0, count: size), to: path)
    #expect(
      try bench.plan([stage("a"), stage("b", value: 2)]).isUpToDate, "the same boot is believed")
    let plan = try bench.plan([stage("a"), stage("b", value: 2)], boot: "boot-2")
    #expect(plan.words.map { $0.prefix(5) } == ["a run", "b hit"])
    #expect(try await bench.run([stage("a"), stage("b", value: 2)], boot: "boot-2").ran == ["a"])
  }

  @Test func afterAnotherBootSyncedOutputsAreBelieved() async throws {
    let bench = try Bench()
    _ = try await bench.run([stage("a")])
    #expect(String(decoding: try journal(bench), as: UTF8.self).contains("\tsync\t"))
    #expect(try bench.plan([stage("a")], boot: "boot-2").isUpToDate)
  }

  @Test func sameBytesAreKeptOnce() async throws {
    let bench = try Bench()
    _ = try await bench.run([stage("a"), stage("b")])
    #expect(try Files.list(bench.root + "/artifacts").count == 1)
  }

  @Test func remainsOfDeadProcessesAreCleared() async throws {
    let bench = try Bench()
    try Files.createDirectories(bench.root + "/tmp/123-dead/half-written")
    _ = try await bench.run([stage("a")])
    #expect(try Files.list(bench.root + "/tmp") == [])
  }

  /// What kill -9 leaves after each step of a run, besides a torn journal.
  @Test func theSameCommandGoesOnFromAnyStep() async throws {
    let bench = try Bench()
    let stages = diamond(b: 2)
    _ = try await bench.run(stages)
    let keys = try #require(try bench.plan(stages)["b"])
    let key = try #require(keys.contentKey)
    let lines = String(decoding: try journal(bench), as: UTF8.self).split(separator: "\n")
    // Renamed, not recorded; the log, a task and half an output lie about.
    try setJournal(Array(lines.prefix(1).map { $0 + "\n" }.joined().utf8), bench)
    try Files.createDirectories(bench.root + "/tmp/99-dead/abc")
    for path in [
      "logs/\(key).log", "tmp/99-dead/abc.task.json", "tmp/99-dead/abc/o",
    ] { try Files.writeAtomically("left", to: bench.root + "/" + path) }
    #expect(try await bench.run(stages).ran == ["b", "c", "d"])
    #expect(try bench.plan(stages).isUpToDate)
    #expect(try Files.list(bench.root + "/tmp") == [])
  }

  @Test func checkpointsOutliveAFailureAndGoWithSuccess() async throws {
    struct Interrupted: StageRunner {
      let fails: Bool
      func run(
        _ task: StageTask, report: @escaping @Sendable (StageEvent) -> Void
      ) async throws -> StageOutcome {
        if fails {
          try Files.createDirectories(task.checkpoint)
          try Files.writeAtomically("epoch 3", to: task.checkpoint + "/state")
          throw PipelineError.workerKilled(signal: 9)
        }
        try Files.copy(task.checkpoint + "/state", to: task.output + "/out.txt")
        return StageOutcome()
      }
    }
    let bench = try Bench()
    for fails in [true, false] {
      let store = try bench.store()
      let plan = try Plan(graph: StageGraph([stage("a")]), store: store)
      let summary = await Scheduler(store: store, runner: Interrupted(fails: fails)).run(plan)
      #expect(summary.failures.isEmpty == !fails)
      #expect(try Files.list(bench.root + "/checkpoints").isEmpty == !fails)
    }
  }

  @Test func linksInAnOutputAreRefused() throws {
    let bench = try Bench()
    let store = try bench.store()
    let folder = try store.temporaryDirectory()
    #expect(symlink("/etc/passwd", folder + "/link") == 0)
    #expect(throws: PipelineError.self) {
      try store.publish(
        directory: folder, keys: [SHA256.digest(of: "k")],
        manifest: Manifest(kind: "k", version: 1, fields: .object([:])), seconds: 1)
    }
    #expect(store.record(for: SHA256.digest(of: "k")) == nil)
  }

  @Test func anotherProcessSeesWhatWasPublished() throws {
    let bench = try Bench()
    let (one, other) = (try bench.store(), try bench.store())
    let folder = try one.temporaryDirectory()
    try Files.writeAtomically("x", to: folder + "/x")
    let key = SHA256.digest(of: "trial")
    #expect(other.record(for: key) == nil)
    let published = try one.publish(
      directory: folder, keys: [key],
      manifest: Manifest(kind: "trial", version: 1, fields: .object([:])),
      metrics: .object(["loss": .double(.nan)]), seconds: 0.5)
    let found = try #require(other.record(for: key))
    #expect(found.artifact == published.artifact)
    #expect(found.metrics["loss"] == .string("nan"))
    #expect(found.seconds == 0.5)
    #expect(found.manifest["@kind"] == .string("trial"))
  }

  @Test func digestsOfSourcesSurviveATornMemory() throws {
    let bench = try Bench()
    let file = try bench.write("x", to: "x")
    let store = try bench.store()
    let digest = try store.digest(ofSource: file)
    #expect(digest == SHA256.digest(of: "x"))
    #expect(try store.digest(ofSource: bench.folder + "/none") == nil)
    try Files.createDirectories(bench.root)
    try Files.writeAtomically([UInt8](repeating: 7, count: 1000), to: bench.root + "/sources")
    #expect(try bench.store().digest(ofSource: file) == digest)
  }
}
