//! The real programs on a tiny made data set: every kind of stage, what runs again, and whether a
//! stage kind's bytes change without its version.

import Foundation
import TestSupport
import Testing

@Suite struct EndToEndTests {
  /// Every kind of stage. One thread and a plain instruction set, so that every machine gives the
  /// same bytes.
  private static let experiment = """
    experiment: tiny
    dataset:
      kind: cifar10
      source: synthetic
      synthetic: {training_images: 90, test_images: 25, seed: 3}
      augment: {rotation_degrees: 15, shift: 0.1, horizontal_flip: true}
    network: {kind: resnet}
    pretrained: {path: weights.h5}
    training:
      {batch_size: 20, optimizer: adam, learning_rate: 0.001, callbacks: [csv_logger]}
    pretrain: {epochs: 2}
    quantizers:
      kernel: quantized_bits(8,8,1,1,alpha='auto')
      bias: quantized_bits(16,16,1,1,alpha='auto')
      activation: quantized_bits_featuremap(8,8,1,1,alpha='auto',scale_axis=0)
    search: {trials: 3, epochs: 1, subset: {training: 40, validation: 9}}
    fine_tune: {epochs: 1, callbacks: [csv_logger, {model_checkpoint: {monitor: val_loss}}]}
    evaluate: {batch_size: 10}
    numerics: {threads: 1, isa: sse41}

    """

  private static let pipeline = """
    pipeline: tiny
    experiment: tiny
    stages:
      pretrain: {}
      quantize: {needs: pretrain}
      switch_to_best_po2: {needs: quantize, layers: [Conv2D, activation]}
      search: {needs: pretrain}
      switch_to_auto_po2: {needs: search}
      fine_tune: {needs: switch_to_auto_po2}
      evaluate: {needs: fine_tune}

    """

  private static let loading = """
    pipeline: loading
    experiment: tiny
    stages:
      load_pretrained: {}
      evaluate: {needs: load_pretrained}

    """

  let workspace: Workspace

  init() throws {
    workspace = try Workspace()
    try workspace.write(Self.experiment, to: "experiments/tiny.yaml")
    try workspace.write(Self.pipeline, to: "pipelines/tiny.yaml")
    try workspace.write(Self.loading, to: "pipelines/loading.yaml")
  }

  /// One event of `--json`.
  private struct Event: Decodable {
    var stage: String
    var kind: String
    var state: String
    var artifact: String?
    var metrics: [String: Double]?
  }

  private func events(_ arguments: [String]) throws -> [Event] {
    let outcome = try workspace.run("shiftwork", ["run"] + arguments + ["--json"])
    #expect(outcome.code == 0, "\(outcome.error)")
    return try outcome.out.split(separator: "\n").map {
      try JSONDecoder().decode(Event.self, from: Data($0.utf8))
    }
  }

  @Test func everyKindRunsOnceAndItsBytesBelongToItsVersion() throws {
    let first = try events(["pipelines/tiny.yaml"]).filter { $0.state == "done" }
    #expect(
      first.map(\.stage).sorted() == [
        "evaluate", "fine_tune", "pretrain", "quantize", "search", "switch_to_auto_po2",
        "switch_to_best_po2",
      ])
    let again = try events(["pipelines/tiny.yaml"])
    #expect(again.count == 7 && again.allSatisfy { $0.state == "hit" })

    let longer = try events(["pipelines/tiny.yaml", "--set", "fine_tune.epochs=2"])
    #expect(longer.filter { $0.state == "done" }.map(\.stage) == ["fine_tune", "evaluate"])
    let log = try workspace.read("results/tiny/fine_tune/log.csv").split(separator: "\n")
    #expect(log.first == "epoch,accuracy,loss,lr,val_accuracy,val_loss" && log.count == 3)

    // The listing beside a searched network is its map and its bits.
    let listing = try workspace.read("results/tiny/search/quantizers.txt")
    let stats = try workspace.run(
      "shiftwork",
      ["stats", "experiments/tiny.yaml", "--quantizers", "results/tiny/search/quantizers.txt"])
    #expect(stats.out == listing && stats.error == "")
    let switched = try workspace.read("results/tiny/switch_to_auto_po2/quantizers.txt")
    #expect(switched.hasPrefix("       a_bits=") && switched.contains("alpha='auto_po2'"))

    // What a stage hands on is a file that load_pretrained takes, with the same result.
    try FileManager.default.copyItem(
      atPath: workspace.path("results/tiny/pretrain/weights.h5"),
      toPath: workspace.path("weights.h5"))
    let loaded = try events(["pipelines/loading.yaml"]).filter { $0.state == "done" }
    #expect(loaded.map(\.stage) == ["load_pretrained", "evaluate"])

    try compareWithRecord(first + loaded.prefix(1) + prepared())
  }

  /// The stage that prepares the training part of a tree of machine sounds.
  private func prepared() throws -> [Event] {
    try workspace.writeMachines("machines/ToyFan")
    try workspace.write(
      SoundDataTests.machines.replacingOccurrences(of: "epochs: 2", with: "epochs: 1"),
      to: "experiments/machines.yaml")
    try workspace.write(
      "pipeline: machines\nexperiment: machines\nstages: {pretrain: {}}\n",
      to: "pipelines/machines.yaml")
    return try events(["pipelines/machines.yaml"]).filter {
      $0.state == "done" && $0.kind == "prepare_data"
    }
  }

  /// Switching changes the chosen alphas and nothing else.
  @Test func switchingKeepsWeightsAndBits() throws {
    _ = try events(["pipelines/tiny.yaml"])
    func file(_ stage: String, _ name: String) throws -> Data {
      try Data(contentsOf: URL(fileURLWithPath: workspace.path("results/tiny/\(stage)/\(name)")))
    }
    let weights = try file("quantize", "weights.h5")
    #expect(try file("switch_to_best_po2", "weights.h5") == weights)
    let before = String(decoding: try file("quantize", "quantizers.json"), as: UTF8.self)
    let after = String(decoding: try file("switch_to_best_po2", "quantizers.json"), as: UTF8.self)
    #expect(
      after != before && after.contains("\"dense\" : \"quantized_bits(8,8,1,1,alpha='auto')\""))
    #expect(after.replacingOccurrences(of: "best_po2", with: "auto") == before)
  }

  /// A stage kind whose bytes change must get a new version in `StageKind`, or old results would be
  /// taken for new ones. The record holds, by kind, the version and the artifact; a stage counts
  /// only while its input is what it was.
  private func compareWithRecord(_ events: [Event]) throws {
    let path = TestPaths.fixtures + "/stage_bytes.json"
    let task = try JSONDecoder().decode(
      [String: Record].self,
      from: (try? Data(contentsOf: URL(fileURLWithPath: path))) ?? Data("{}".utf8))
    let versions = try self.versions()
    var found: [String: Record] = [:]
    let artifacts = Dictionary(
      events.map { ($0.stage, $0.artifact ?? "") }, uniquingKeysWith: { first, _ in first })
    let inputs = [
      "quantize": "pretrain", "switch_to_best_po2": "quantize", "search": "pretrain",
      "fine_tune": "switch_to_auto_po2", "evaluate": "fine_tune", "load_pretrained": "pretrain",
    ]
    for event in events where event.stage != "switch_to_auto_po2" {
      found[event.kind] = Record(
        version: try #require(versions[event.stage]),
        input: inputs[event.stage].flatMap { artifacts[$0] } ?? "", artifact: event.artifact ?? "")
    }
    if ProcessInfo.processInfo.environment["SHIFTWORK_RECORD"] != nil {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      try encoder.encode(found).write(to: URL(fileURLWithPath: path))
      return
    }
    #expect(task.count == 8)
    for (kind, record) in found {
      let known = try #require(task[kind])
      guard known.version == record.version, known.input == record.input else { continue }
      #expect(
        known.artifact == record.artifact,
        "\(kind) gives other bytes: raise its version in StageKind, then SHIFTWORK_RECORD=1 make test"
      )
    }
  }

  private struct Record: Codable {
    var version: Int
    var input: String
    var artifact: String
  }

  /// The code version of each stage's kind, from the stored manifests.
  private func versions() throws -> [String: Int] {
    let outcome = try workspace.run("shiftwork", ["plan", "pipelines/tiny.yaml", "--json"])
    let others = try ["loading", "machines"].map {
      try workspace.run("shiftwork", ["plan", "pipelines/\($0).yaml", "--json"]).out
    }
    struct Line: Decodable {
      var stage: String
      var version: Int
    }
    var versions: [String: Int] = [:]
    for line in (outcome.out + others.joined()).split(separator: "\n") {
      let entry = try JSONDecoder().decode(Line.self, from: Data(line.utf8))
      versions[entry.stage] = versions[entry.stage] ?? entry.version
    }
    return versions
  }
}
