//! After each kind of edit exactly the stages run whose inputs differ, and the plan says so before.

import Diagnostics
import Files
import Glibc
import Pipeline
import Testing

@Suite struct RerunTests {
  @Test func runsOnceThenNothing() async throws {
    let bench = try Bench()
    let first = try await bench.run(diamond())
    #expect(first.ran == ["a", "b", "c", "d"])
    #expect(first.summary.exitCode == 0)
    let second = try await bench.run(diamond())
    #expect(second.ran == [])
    #expect(second.events.sorted() == ["a hit", "b hit", "c hit", "d hit"])
    #expect(second.summary.hits.count == 4)
    #expect(try bench.plan(diamond()).isUpToDate)
    #expect(second.summary.records["a"]?.metrics["length"] == .int(3))
  }

  @Test func anEditRunsWhatDependsOnIt() async throws {
    let bench = try Bench()
    _ = try await bench.run(diamond())
    let edited = diamond(b: 2)
    #expect(
      try bench.plan(edited).words == [
        "a hit", "b run: value: 1 -> 2 (p.yaml:1:10)", "c hit", "d unless [\"b\"]",
      ])
    let second = try await bench.run(edited)
    #expect(second.ran == ["b", "d"])
    #expect(try await bench.run(diamond()).ran == [], "the old results are still there")
  }

  @Test func equalBytesCutTheRestOff() async throws {
    let bench = try Bench()
    _ = try await bench.run(diamond())
    let edited = diamond(aUnseen: .double(0.001))
    #expect(
      try bench.plan(edited).words == [
        "a run: training.unseen: 0 -> 0.001 (p.yaml:2:3)", "b unless [\"a\"]", "c unless [\"a\"]",
        "d unless [\"b\", \"c\"]",
      ])
    let second = try await bench.run(edited)
    #expect(second.ran == ["a"])
    #expect(second.events.filter { $0.hasSuffix("hit") }.sorted() == ["b hit", "c hit", "d hit"])
    #expect(try bench.plan(edited).isUpToDate)
  }

  @Test func spellingsOfANumberAreOne() async throws {
    let bench = try Bench()
    _ = try await bench.run(diamond(bUnseen: .double(1)))
    #expect(try await bench.run(diamond(bUnseen: .int(1))).ran == [])
  }

  @Test func sourcesCountByTheirBytes() async throws {
    let bench = try Bench()
    let file = try bench.write("one", to: "data.bin")
    _ = try await bench.run(diamond(file: file))
    _ = try bench.write("one", to: "data.bin")
    #expect(try await bench.run(diamond(file: file)).ran == [])
    let elsewhere = try bench.write("one", to: "moved.bin")
    #expect(try await bench.run(diamond(file: elsewhere)).ran == [], "paths never count")

    // One byte, the same size, the same time of modification.
    var status = stat()
    #expect(stat(file, &status) == 0)
    let handle = open(file, O_WRONLY)
    #expect(write(handle, "O", 1) == 1)
    var times = [status.st_atim, status.st_mtim]
    #expect(futimens(handle, &times) == 0)
    close(handle)
    #expect(try bench.plan(diamond(file: file)).words[0] == "a run: input data (\(file)) changed")
    #expect(try await bench.run(diamond(file: file)).ran == ["a", "b", "c", "d"])
  }

  /// Nobody knows what a stage read whose source changed while it ran, so no key may answer for it.
  @Test func aSourceThatChangesUnderAStageFailsIt() async throws {
    let bench = try Bench()
    let file = try bench.write("one", to: "data.bin")
    let meddler = FakeRunner(meddle: { _ = try? bench.write("two", to: "data.bin") })
    let meddled = try await bench.run([stage("a", file: file)], runner: meddler)
    #expect(meddled.summary.failures.first?.message.hasPrefix("\(file) changed while") == true)
    _ = try bench.write("one", to: "data.bin")
    #expect(try await bench.run([stage("a", file: file)]).ran == ["a"])
    #expect(try await bench.run([stage("a", file: file)]).ran == [])
  }

  @Test func foldersAreSourcesToo() async throws {
    let bench = try Bench()
    try Files.createDirectories(bench.folder + "/set/deep")
    _ = try bench.write("x", to: "set/deep/1")
    let stages = [
      Stage(name: "s", kind: "k", inputs: [("data", .file(path: bench.folder + "/set"))])
    ]
    let before = try bench.plan(stages).entries[0].planKey
    _ = try bench.write("y", to: "set/2")
    #expect(try bench.plan(stages).entries[0].planKey != before)
    try Files.remove(bench.folder + "/set/2")
    #expect(try bench.plan(stages).entries[0].planKey == before)
  }

  @Test func aCodeVersionCounts() async throws {
    let bench = try Bench()
    _ = try await bench.run(diamond())
    var stages = diamond()
    stages[3].version = 2
    #expect(try bench.plan(stages).words[3] == "d run: code version 1 -> 2")
    #expect(try await bench.run(stages).ran == ["d"])
  }

  @Test func labelsNeverCount() async throws {
    let bench = try Bench()
    _ = try await bench.run(diamond())
    var stages = diamond()
    stages[0].unkeyed = .object(["label": .string("new")])
    stages[0].resources.cores = 2
    stages[0].environment = ["X": "1"]
    #expect(try await bench.run(stages).ran == [])
  }

  @Test func forcedStagesRunAndEqualBytesStop() async throws {
    let bench = try Bench()
    _ = try await bench.run(diamond())
    #expect(try await bench.run(diamond(), forced: ["a", "d"]).ran == ["a", "d"])
  }

  @Test func equalStagesOfASweepRunOnce() async throws {
    let bench = try Bench()
    let stages = (0..<6).map { index in
      var stage = stage("a")
      stage.name = "seed=\(index)/a"
      return stage
    }
    let run = try await bench.run(stages, runner: FakeRunner(pause: .milliseconds(20)))
    #expect(run.ran.count == 1)
    #expect(run.summary.records.count == 6)
  }

  @Test func missingSourcesAreToldTogether() throws {
    let bench = try Bench()
    do {
      _ = try bench.plan([stage("a", file: "/nowhere/1"), stage("b", file: "/nowhere/2")])
      Issue.record("the files are not there")
    } catch let error as InvalidSpec {
      #expect(
        error.diagnostics.map(\.message) == [
          "there is no file `/nowhere/1`, the data of stage `a`",
          "there is no file `/nowhere/2`, the data of stage `b`",
        ])
    }
  }

  @Test func aThousandStagesPlanAsHits() async throws {
    let bench = try Bench()
    let stages = (0..<200).flatMap { chain in
      (0..<5).map { link in
        stage("\(chain)/\(link)", value: chain, needs: link > 0 ? ["\(chain)/\(link - 1)"] : [])
      }
    }
    #expect(try await bench.run(stages).ran.count == 1000)
    #expect(try bench.plan(stages).isUpToDate)
    #expect(try await bench.run(stages).ran == [])
  }
}
