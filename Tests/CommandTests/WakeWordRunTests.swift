//! Visual wake words through the real programs: made pictures, faulty folders, and MLPerf Tiny's
//! pretrained network on real ones.

import Foundation
import TestSupport
import Testing

@Suite struct WakeWordRunTests {
  let workspace: Workspace

  init() throws {
    workspace = try Workspace()
    let name = "visual_wake_words"
    try workspace.copy("\(TestPaths.root)/experiments/\(name).yaml", to: "experiments/\(name).yaml")
    for (pipeline, first) in [("made", "pretrain"), ("real", "load_pretrained")] {
      try workspace.write(
        """
        pipeline: \(pipeline)
        experiment: \(name)
        stages:
          \(first): {}
          evaluate: {needs: \(first)}

        """, to: "pipelines/\(pipeline).yaml")
    }
  }

  private func run(_ pipeline: String, _ arguments: String...) throws -> (
    code: Int32, error: String
  ) {
    let outcome = try workspace.run(
      "shiftwork", ["run", "pipelines/\(pipeline).yaml"] + arguments)
    return (outcome.code, outcome.error)
  }

  private func metrics(_ stage: String) throws -> [String: Double] {
    try JSONDecoder().decode(
      [String: Double].self,
      from: Data(workspace.read("results/\(stage)/metrics.json").utf8))
  }

  @Test func madeFiguresTrainAndAreMeasured() throws {
    let outcome = try run(
      "made", "--set", "dataset.source=synthetic", "--set",
      "dataset.synthetic={training_images: 40, test_images: 16}", "--set", "pretrain.epochs=1",
      "--set", "training.batch_size=12")
    #expect(outcome.code == 0, "\(outcome.error)")
    #expect(try metrics("made/data_training")["images_clips"] == 40)
    #expect(try metrics("made/evaluate")["images"] == 16)
    #expect(!workspace.files.contains { $0.hasPrefix("results/") && $0.hasSuffix(".samples") })
  }

  @Test func aLimitMayNameClassesOfTheOtherNetworks() throws {
    try workspace.write(
      """
      pipeline: searched
      experiment: visual_wake_words
      stages:
        pretrain: {}
        search: {needs: pretrain}

      """, to: "pipelines/searched.yaml")
    for network in ["mobilenet_v1", "mobilenet_v2", "efficientnet_b0"] {
      let outcome = try workspace.run(
        "shiftwork",
        [
          "plan", "pipelines/searched.yaml", "--set", "dataset.source=synthetic", "--set",
          "network.kind=\(network)",
        ])
      #expect(outcome.code == 0, "\(network): \(outcome.error)")
    }
  }

  @Test func faultyFoldersAreNamed() throws {
    let root = ["--set", "dataset.root=images", "--set", "pretrain.epochs=1"]
    try workspace.write("no classes", to: "images/readme.txt")
    let empty = try run("made", root[0], root[1], root[2], root[3])
    #expect(empty.code == 1 && empty.error.contains("person"), "\(empty.error)")
    let grey = try Data(
      contentsOf: URL(fileURLWithPath: TestPaths.root + "/Tests/Fixtures/data/grey.jpg"))
    for index in 0..<4 {
      for name in ["person", "non_person"] {
        try workspace.write(grey, to: "images/\(name)/\(index).jpg")
      }
    }
    try workspace.write("", to: "images/person/9.jpg")
    let broken = try run(
      "made", root[0], root[1], root[2], root[3], "--set", "dataset.test.images=2")
    #expect(broken.code == 1 && broken.error.contains("person/9.jpg"), "\(broken.error)")
    #expect(!workspace.files.contains { $0.hasPrefix("results/made/data_training/") })
  }

  @Test(.enabled(if: TestPaths.sharedData != nil, "needs the shared data"))
  func thePretrainedNetworkScoresAsItsReference() throws {
    let data = TestPaths.sharedData ?? ""
    let outcome = try run(
      "real", "--set", "dataset.root=\(data)/vww/vw_coco2014_96", "--set",
      "dataset.test={kind: thesis_overlap, images: 800}", "--set",
      "pretrained.path=\(data)/keras_models/vww_96.h5")
    #expect(outcome.code == 0, "\(outcome.error)")
    let metrics = try metrics("real/evaluate")
    #expect(metrics["images"] == 800)
    // The same images' reference outputs: file,label,p_non_person,p_person.
    let rows = try String(
      contentsOfFile: data + "/keras_models/reference_outputs/vww_96__vw_coco2014_96_1000jpg.csv",
      encoding: .utf8
    ).split(whereSeparator: \.isNewline).dropFirst()
    var right = 0
    for row in rows {
      let fields = row.split(separator: ",")
      let file = data + "/vww/vw_coco2014_96/" + fields[0]
      guard fields.count == 4, FileManager.default.fileExists(atPath: file) else { continue }
      let person = try #require(Double(fields[3]))
      if (person > 0.5) == (fields[1] == "1") { right += 1 }
    }
    print("visual wake words: \(metrics["accuracy"] ?? 0) of 800, reference \(right)")
    #expect(abs(Int(((metrics["accuracy"] ?? 0) * 800).rounded()) - right) <= 3)
  }
}
