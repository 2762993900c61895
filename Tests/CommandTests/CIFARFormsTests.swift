//! CIFAR-10's binary version, and a list of the rows that test, through the real programs.

import Foundation
import TestSupport
import Testing

@Suite struct CIFARFormsTests {
  @Test func binaryBatchesTrainAndAListOfRowsTests() throws {
    let workspace = try Workspace()
    try workspace.copy(TestPaths.root + "/experiments/cifar10.yaml", to: "experiments/cifar10.yaml")
    try workspace.write(
      """
      pipeline: binary
      experiment: cifar10
      set:
        dataset.format: binary
        dataset.root: batches
        dataset.test_index: rows.txt
        pretrain.epochs: 1
        numerics: {threads: 1, isa: sse41}
      stages:
        pretrain: {}
        evaluate: {needs: pretrain}

      """, to: "pipelines/binary.yaml")
    for (file, name) in ((1...5).map { "data_batch_\($0)" } + ["test_batch"]).enumerated() {
      var bytes = Data()
      for row in 0..<12 {
        bytes.append(UInt8(row % 10))
        bytes.append(
          contentsOf: hashed(3072, stream: UInt32(file * 12 + row)).map {
            UInt8(abs($0) * 255)
          })
      }
      try workspace.write(bytes, to: "batches/\(name).bin")
    }
    try workspace.write("0\n3\n11\n", to: "rows.txt")
    func run() throws -> (code: Int32, error: String) {
      let outcome = try workspace.run("shiftwork", ["run", "pipelines/binary.yaml"])
      return (outcome.code, outcome.error)
    }
    let outcome = try run()
    #expect(outcome.code == 0, "\(outcome.error)")
    let metrics = try JSONDecoder().decode(
      [String: Double].self,
      from: Data(workspace.read("results/binary/evaluate/metrics.json").utf8))
    #expect(metrics["images"] == 3)

    // Another list is another test, and no other training.
    try workspace.write("0\n12\n", to: "rows.txt")
    let beyond = try run()
    #expect(beyond.code == 1 && beyond.error.contains("rows.txt"), "\(beyond.error)")
    #expect(!beyond.error.contains("pretrain` failed"))
  }
}
