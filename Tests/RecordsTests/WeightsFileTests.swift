//! Keras weights: real files of several versions are read, and our own go round.

import Foundation
import Networks
import Records
import TestSupport
import Tensors
import Testing

@Suite struct WeightsFileTests {
  private static let models = TestPaths.sharedData.map { $0 + "/keras_models" }

  private func temporaryPath(_ name: String) -> String {
    NSTemporaryDirectory() + "/shiftwork-\(UUID().uuidString)-\(name)"
  }

  private func expected(_ network: Network) -> [(name: String, shape: [Int])] {
    network.weights.map { ($0.name, $0.shape) }
  }

  @Test(
    .enabled(if: models != nil, "the shared data are not there"),
    arguments: [
      ("pretrainedResnet.h5", "resnet"), ("kws_ref_model_exported.h5", "ds_cnn"),
      ("ad01.h5", "fc_autoencoder"),
    ])
  func releasedModelsFitTheirNetworks(file: String, network: String) throws {
    let path = try #require(Self.models) + "/" + file
    let weights = try WeightsFile.read(path)
    let network = try #require(Network.named(network))
    try WeightMatch.check(expected: expected(network), found: weights, file: path)
  }

  @Test(.enabled(if: models != nil, "the shared data are not there"))
  func qKerasModelsAreReadByName() throws {
    let path = try #require(Self.models) + "/hls4ml_RN07_model_best.h5"
    let weights = try WeightsFile.read(path)
    #expect(weights["q_conv2d_batchnorm/kernel"]?.shape.count == 4)
    #expect(weights["q_conv2d_batchnorm_1/moving_variance"]?.shape.count == 1)
    #expect(weights["q_dense/bias"]?.shape == [10])
  }

  @Test func weightsGoRound() throws {
    let path = temporaryPath("weights.h5")
    defer { try? FileManager.default.removeItem(atPath: path) }
    let network = try #require(Network.named("ds_cnn"))
    var weights: [String: Tensor] = [:]
    for (index, spec) in network.weights.enumerated() {
      weights[spec.name] = Tensor(
        shape: spec.shape,
        values: hashed(spec.shape.reduce(1, *), stream: UInt32(index)))
    }
    let layers = weights.keys.map { String($0.prefix { $0 != "/" }) }
    try WeightsFile.write(weights, to: path, layers: ["input_1"] + Set(layers).sorted())
    #expect(try WeightsFile.read(path) == weights)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    try WeightsFile.write(weights, to: path, layers: ["input_1"] + Set(layers).sorted())
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == bytes)
  }

  /// Names that do not fit into one attribute are split as Keras splits them.
  @Test func longListsOfLayersGoRound() throws {
    let path = temporaryPath("long.h5")
    defer { try? FileManager.default.removeItem(atPath: path) }
    let layers = (0..<900).map {
      "layer_with_quite_a_long_name_" + String(repeating: "x", count: 60) + "\($0)"
    }
    let weights = [layers[899] + "/kernel": Tensor(shape: [1], values: [2])]
    try WeightsFile.write(weights, to: path, layers: layers)
    #expect(try WeightsFile.read(path) == weights)
    #expect(try HDF5File(reading: path).hasAttribute("layer_names0"))
  }

  @Test func allDifferencesAreListedAtOnce() {
    let found = [
      "conv2d/kernel": Tensor(zeros: [3, 3, 1, 4]), "conv2d/iteration": Tensor(zeros: []),
      "dense/bias": Tensor(zeros: [2]),
    ]
    let error = #expect(throws: WeightsError.self) {
      try WeightMatch.check(
        expected: [("conv2d/kernel", [3, 3, 3, 4]), ("conv2d/bias", [4])], found: found,
        file: "a.h5")
    }
    #expect(
      error.map { String(describing: $0) } == """
        a.h5: the weights are not this network's
          missing:
            conv2d/bias
          another shape:
            conv2d/kernel is [3, 3, 1, 4], [3, 3, 3, 4] is expected
          left over:
            dense/bias
        """)
  }

  @Test func otherHDF5FilesAreRefused() {
    let error = #expect(throws: WeightsError.self) {
      try WeightsFile.read(TestPaths.fixtures + "/hdf5/hostile.h5")
    }
    #expect(error.map { String(describing: $0) }?.contains("no Keras weights") == true)
  }
}
