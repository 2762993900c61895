//! Keras weights in and out, and files of other networks.

import Files
import Networks
import Records
import Tensors
import TestSupport
import Testing

@Suite struct WeightsFileTests {
  private func weights(_ network: Network) -> [(name: String, tensor: Tensor)] {
    network.weights.enumerated().map { index, spec in
      let count = spec.shape.reduce(1, *)
      return (spec.name, Tensor(shape: spec.shape, values: hashed(count, stream: UInt32(index))))
    }
  }

  @Test func whatIsWrittenReadsBackAndHasOneSpelling() throws {
    let folder = try Files.temporaryDirectory(in: "/tmp", prefix: "shiftwork-weights-")
    defer { try? Files.remove(folder) }
    let all = weights(.resnet())
    try WeightsFile.write(all, to: folder + "/a.h5")
    try WeightsFile.write(all, to: folder + "/b.h5")
    let read = try WeightsFile.read(folder + "/a.h5")
    #expect(read == Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0.tensor) }))
    #expect(
      try Files.digest(ofFile: folder + "/a.h5") == Files.digest(ofFile: folder + "/b.h5"))
    try WeightMatch.check(
      expected: Network.resnet().weights.map { ($0.name, $0.shape) }, found: read, file: "a.h5")
  }

  @Test func anotherNetworkIsListed() {
    var found = Dictionary(uniqueKeysWithValues: weights(.resnet()).map { ($0.name, $0.tensor) })
    found["conv2d_1/bias"] = nil
    found["dense/kernel"] = Tensor(zeros: [64, 12])
    found["lstm/kernel"] = Tensor(zeros: [2])
    do {
      try WeightMatch.check(
        expected: Network.resnet().weights.map { ($0.name, $0.shape) }, found: found, file: "x.h5")
      Issue.record("no error")
    } catch {
      #expect(
        error.description == """
          x.h5 holds the weights of another network
            missing in the file: conv2d_1/bias (16)
            of another shape: dense/kernel is (64, 12) in the file, (64, 10) in the network
            not in the network: lstm/kernel
          """)
    }
  }

  @Test(.enabled(if: TestPaths.sharedData != nil, "needs the shared data"))
  func mlperfsPretrainedResnetReads() throws {
    let path = (TestPaths.sharedData ?? "") + "/keras_models/pretrainedResnet.h5"
    let found = try WeightsFile.read(path)
    try WeightMatch.check(
      expected: Network.resnet().weights.map { ($0.name, $0.shape) }, found: found, file: path)
  }

  @Test func aFileWithoutKerasWeightsIsRefused() {
    #expect {
      _ = try WeightsFile.read(TestPaths.golden + "/layers.h5")
    } throws: { error in
      "\(error)".hasSuffix("has no layer_names: the file holds no Keras weights")
    }
  }
}

@Suite struct CSVLogTests {
  @Test func hasKerasColumns() throws {
    let folder = try Files.temporaryDirectory(in: "/tmp", prefix: "shiftwork-log-")
    defer { try? Files.remove(folder) }
    let log = CSVLog(path: folder + "/log.csv")
    let values = ["loss": 1.5, "accuracy": 0.25, "lr": Double(Float(0.001)), "val_loss": 2.0]
    try log.append(epoch: 0, values: values)
    try log.append(epoch: 1, values: ["loss": 1e-5, "accuracy": 0.1, "lr": Double(Float(0.00099))])
    let text = String(decoding: try Files.read(folder + "/log.csv", limit: 1000), as: UTF8.self)
    #expect(
      text == """
        epoch,accuracy,loss,lr,val_loss
        0,0.25,1.5,0.001,2.0
        1,0.1,1e-05,0.00099,NA

        """)
  }
}
