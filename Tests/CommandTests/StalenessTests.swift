//! What must run nothing again, and what must run exactly what hangs on it, in the real program.

import Foundation
import Glibc
import TestSupport
import Testing

@Suite struct StalenessTests {
  let workspace: Workspace
  private static let chains = 4

  init() throws {
    workspace = try Workspace()
    var pipeline = ChainPipeline(chains: Self.chains)
    pipeline.rate = { $0 == 1 ? "1e-3" : "\(Double($0 + 1) / 1000)" }
    try pipeline.write(to: workspace, folder: "here")
  }

  /// Whether what a run finds unchanged may be known at a glance, or each time is looked for anew.
  enum Look: CaseIterable {
    case glance, whole
  }

  /// Runs a pipeline in a folder of the workspace; the names of what ran.
  private func run(
    _ look: Look, _ file: String = "chains.yaml", in folder: String = "here",
    program: String? = nil
  ) throws -> [String] {
    let before = ChainPipeline.executions(in: workspace, folder: folder).count
    let program = program ?? Workspace.products + "/shiftwork"
    let outcome = try workspace.run(
      "/bin/sh",
      ["-c", "cd \(folder) && exec \(program) run \(file) -j2\(look == .whole ? " --json" : "")"])
    #expect(outcome.code == 0, "\(outcome.error)")
    let all = ChainPipeline.executions(in: workspace, folder: folder)
    return Array(all.dropFirst(before)).sorted()
  }

  private func change(_ old: String, to new: String) throws {
    let text = try workspace.read("here/chains.yaml")
    #expect(text.contains(old))
    try workspace.write(text.replacingOccurrences(of: old, with: new), to: "here/chains.yaml")
  }

  @Test(arguments: Look.allCases) func whatIsTheSameRunsNothing(_ look: Look) throws {
    #expect(try run(look).count == 5 * Self.chains + 1)
    #expect(try run(look) == [])

    try change("stages:", to: "# A comment.\nstages: # and another")
    #expect(try run(look) == [])
    try change("lr: 1e-3", to: "lr: 0.001")
    #expect(try run(look) == [])
    try change(
      "kind: command\n    run: sh ${inputs.script} c2-load ${inputs.data} ${output}/x.txt ${params.lr}\n    params: {lr: 0.003}\n",
      to:
        "params: {\"lr\": 3.0e-3}\n    run: sh ${inputs.script} c2-load ${inputs.data} ${output}/x.txt ${params.lr}\n    kind: command\n"
    )
    #expect(try run(look) == [])

    // Touched, and written anew with the same bytes.
    #expect(utimes(workspace.path("here/data0"), nil) == 0)
    try workspace.write("data 1\n", to: "here/data1")
    #expect(try run(look) == [])

    try change("pipeline: chains", to: "pipeline: others")
    try FileManager.default.moveItem(
      atPath: workspace.path("here/chains.yaml"), toPath: workspace.path("here/others.yaml"))
    #expect(try run(look, "others.yaml") == [])

    // A checkout that was moved with its cache.
    try FileManager.default.moveItem(
      atPath: workspace.path("here"), toPath: workspace.path("there"))
    #expect(try run(look, "others.yaml", in: "there") == [])

    // A program of the same code versions that is another file with other bytes.
    try FileManager.default.createDirectory(
      atPath: workspace.path("bin"), withIntermediateDirectories: true)
    for name in ["shiftwork", "shiftwork-worker"] {
      try FileManager.default.copyItem(
        atPath: Workspace.products + "/" + name, toPath: workspace.path("bin/" + name))
      let file = try #require(FileHandle(forUpdatingAtPath: workspace.path("bin/" + name)))
      try file.seekToEnd()
      try file.write(contentsOf: Data("rebuilt".utf8))
      try file.close()
    }
    #expect(
      try run(look, "others.yaml", in: "there", program: workspace.path("bin/shiftwork")) == [])
  }

  @Test(arguments: Look.allCases) func aChangeRunsWhatHangsOnItAndNoMore(_ look: Look) throws {
    // 50 MB, so that nobody reads it without need.
    let large = workspace.path("here/data2")
    let size = 50 << 20
    try Data(count: size).write(to: URL(fileURLWithPath: large))
    #expect(try run(look).count == 5 * Self.chains + 1)

    // One byte, and the time of change as it was.
    var status = stat()
    #expect(stat(large, &status) == 0)
    let file = try #require(FileHandle(forUpdatingAtPath: large))
    try file.seek(toOffset: UInt64(size / 2))
    try file.write(contentsOf: Data([1]))
    try file.close()
    let times = [status.st_atim, status.st_mtim]
    #expect(utimensat(AT_FDCWD, large, times, 0) == 0)
    #expect(try run(look) == ChainPipeline.dependents(of: 2).sorted())

    try change("lr: 0.004", to: "lr: 0.4")
    #expect(try run(look) == ChainPipeline.dependents(of: 3).sorted())

    // A script that every stage reads, and that does the same: all of it.
    try workspace.write(try workspace.read("here/step.sh") + "# a comment\n", to: "here/step.sh")
    let all = try run(look)
    #expect(Set(all).count == all.count)
    #expect(all.contains("c0-load"))
  }

  /// A seed or a bit width of a network's pipeline.
  @Test func fieldsOfNetworksReachTheirStages() throws {
    try workspace.write(
      """
      experiment: tiny
      dataset:
        kind: cifar10
        source: synthetic
        synthetic: {training_images: 20, test_images: 10, seed: 3}
      network: {kind: resnet}
      training: {batch_size: 20, optimizer: adam, learning_rate: 0.001, loss: categorical_crossentropy}
      pretrain: {epochs: 1}
      quantizers:
        kernel: quantized_bits(4,4,1,1,alpha='auto_po2')
        bias: quantized_bits(16,16,1,1,alpha='auto')
        activation: float
      fine_tune: {epochs: 1}
      numerics: {threads: 1, isa: sse41}

      """, to: "experiments/tiny.yaml")
    try workspace.write(
      """
      pipeline: tiny
      experiment: tiny
      stages:
        pretrain: {}
        quantize: {needs: pretrain}
        fine_tune: {needs: quantize}
        evaluate: {needs: fine_tune}

      """, to: "pipelines/tiny.yaml")
    func ran(_ settings: String...) throws -> [String] {
      let outcome = try workspace.run(
        "shiftwork",
        ["run", "pipelines/tiny.yaml", "--json"] + settings.flatMap { ["--set", $0] })
      #expect(outcome.code == 0, "\(outcome.error)")
      return RunEvent.parse(outcome.out).filter { $0.state == "done" }.map(\.stage)
    }
    #expect(try ran() == ["pretrain", "quantize", "fine_tune", "evaluate"])
    #expect(try ran("quantizers.kernel=quantized_bits(5,5,1,1,alpha='auto_po2')").count == 3)
    #expect(try ran("fine_tune.epochs=2") == ["fine_tune", "evaluate"])
    #expect(try ran("seed=43").count == 4)
    #expect(try ran("numerics.isa=avx2").count == 4)
    #expect(try ran() == [])
  }
}
