//! A search whose trials are made up: batches, failures, tables. The real processes are
//! `SearchResumeTests`'.

import Experiments
import Files
import Foundation
import Networks
import Pipeline
import Records
import Stages
import TestSupport
import Testing
import Training

@Suite struct SearchTests {
  private static func experiment(search: String) -> String {
    """
    experiment: tiny
    dataset:
      kind: cifar10
      source: synthetic
      synthetic: {training_images: 40, test_images: 10, seed: 3}
    network: {kind: resnet}
    training: {batch_size: 20, optimizer: adam, learning_rate: 0.001}
    pretrain: {epochs: 1}
    search: {max_consecutive_failed_trials: 2, \(search)}
    numerics: {threads: 1, isa: sse41}

    """
  }

  private let workspace: Workspace
  private let stages: [String: Stage]
  let store: Store
  private let model: String

  init() throws { try self.init(search: "tuner: random, trials: 10, epochs: 1") }

  init(search: String) throws {
    workspace = try Workspace()
    try workspace.write(Self.experiment(search: search), to: "experiments/tiny.yaml")
    try workspace.write(
      "pipeline: tiny\nexperiment: tiny\nstages: {pretrain: {}, search: {needs: pretrain}}\n",
      to: "pipelines/tiny.yaml")
    let pipeline = try ResolvedPipeline(
      PipelineRequest(path: workspace.path("pipelines/tiny.yaml")))
    stages = Dictionary(uniqueKeysWithValues: pipeline.graph.stages.map { ($0.name, $0) })
    store = try Store(root: workspace.path("store"))
    let stage = try #require(stages["search"])
    let network = try #require(stage.fields.decode(as: SearchStageFields.self).network.network)
    let weights = WeightStore(network: network)
    weights.initialize(seed: 1)
    let folder = try store.temporaryDirectory()
    try WeightsFile.write(
      weights.tensors, to: folder + "/weights.h5",
      layers: network.weights.map { String($0.name.prefix { $0 != "/" }) }.reduce(into: []) {
        if $0.last != $1 { $0.append($1) }
      })
    try Files.writeAtomically(
      JSONValue(encoding: QuantizerMap.float).prettyText, to: folder + "/quantizers.json")
    let record = try store.publish(
      directory: folder, keys: [],
      manifest: Manifest(kind: "pretrain", version: 1, fields: .object([:])), seconds: 0)
    model = store.path(of: record.artifact)
  }

  private static func task(
    _ stage: Stage, inputs: [String: String], output: String, store: Store, jobs: Int = 1
  ) -> StageTask {
    StageTask(
      name: stage.name, kind: stage.kind, version: stage.version, fields: stage.fields,
      inputs: inputs, output: output, checkpoint: store.root + "/checkpoint", store: store.root,
      unkeyed: .object([:]), log: store.root + "/log", cores: 8, jobs: jobs)
  }

  /// The search's folder.
  func search(_ trials: MadeTrials, jobs: Int) async throws -> String {
    let stage = try #require(stages["search"])
    let output = try store.temporaryDirectory()
    let task = Self.task(stage, inputs: ["model": model], output: output, store: store, jobs: jobs)
    try await StageContext(task) { _ in }.search(runner: trials)
    return output
  }

  func table(_ folder: String, _ name: String = "trials.csv") throws -> [[Substring]] {
    try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
      .split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
  }

  @Test func howManyRunAtOnceChangesNothing() async throws {
    let alone = MadeTrials()
    let one = try await search(alone, jobs: 1)
    #expect(alone.most == 1 && alone.started.count == 10)
    // The trials are there: none runs again.
    let found = MadeTrials()
    #expect(try table(await search(found, jobs: 8)) == table(one))
    #expect(found.started.isEmpty)
    // Another store knows none of them.
    let other = try SearchTests()
    let many = MadeTrials()
    #expect(try other.table(await other.search(many, jobs: 8)) == table(one))
    #expect(many.most > 1 && many.most <= 4 && many.started.count == 10)
  }

  /// Trials of few bits score badly in these, and each tuner finds better ones than it began with.
  @Test(arguments: ["bayesian", "additive"])
  func aTunerLearnsFromItsTrials(_ tuner: String) async throws {
    let tests = try SearchTests(
      search: "trials: 10, epochs: 1, tuner: \(tuner)"
        + (tuner == "bayesian" ? ", initial_trials: 4" : ""))
    let folder = try await tests.search(MadeTrials(), jobs: 4)
    let metrics = try tests.table(folder).dropFirst().map { try #require(Double($0[3])) }
    #expect(metrics.count == 10)
    #expect(metrics.dropFirst(4).max() ?? 0 >= metrics.prefix(4).max() ?? 1)
    // The same again from the trials that are there.
    let found = MadeTrials()
    let again = try await tests.search(found, jobs: 1)
    #expect(try tests.table(again) == tests.table(folder) && found.started.isEmpty)
  }

  @Test func failedTrialsAreRecordedAndTriedAgainByTheNextSearch() async throws {
    let failing = MadeTrials(failing: ["search/trial_2", "search/trial_5"])
    let folder = try await search(failing, jobs: 3)
    let rows = try table(folder)
    #expect(rows.count == 11)
    let failed = rows.filter { $0[1] == "failed" }
    #expect(failed.map { $0[0] } == ["2", "5"])
    #expect(failed.allSatisfy { $0[2] == "" && $0[3] == "" })
    for row in failed {
      #expect(Files.exists(store.logPath(for: try #require(Digest(hex: String(row.last ?? ""))))))
    }
    let again = MadeTrials()
    let healed = try table(await search(again, jobs: 3))
    #expect(again.started.sorted() == ["search/trial_2", "search/trial_5"])
    #expect(!healed.contains { $0[1] == "failed" })
  }

  @Test func manyFailuresInARowEndTheSearch() async throws {
    let failing = MadeTrials(failing: ["search/trial_4", "search/trial_5"])
    let error = await #expect(throws: (any Error).self) { try await search(failing, jobs: 1) }
    let message = error.map { "\($0)" } ?? ""
    #expect(
      message.hasPrefix(
        "2 trials failed in a row (search.max_consecutive_failed_trials), the last one with: the "
          + "worker was ended by signal 9; its log is "), "\(message)")
    #expect(failing.started.count == 8)
  }

  /// While a search runs, its checkpoint is the table of the trials that have ended.
  @Test func theTableSoFarIsKept() async throws {
    let folder = try await search(MadeTrials(), jobs: 2)
    #expect(try table(store.root + "/checkpoint") == table(folder))
  }

  /// Every row beats those above it, and no trial beats a row with as few bits.
  @Test func theFrontIsNotBeaten() async throws {
    let folder = try await search(MadeTrials(), jobs: 2)
    func points(_ name: String) throws -> [(metric: Double, bits: Int)] {
      try table(folder, name).dropFirst().map {
        (try #require(Double($0[3])), try #require(Int($0[5])))
      }
    }
    let front = try points("pareto.csv")
    #expect(!front.isEmpty)
    for (below, above) in zip(front, front.dropFirst()) {
      #expect(above.bits > below.bits && above.metric > below.metric)
    }
    for trial in try points("trials.csv") {
      #expect(front.contains { $0.bits <= trial.bits && $0.metric >= trial.metric })
    }
  }
}
