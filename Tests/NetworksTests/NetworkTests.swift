//! The architectures' shapes, names and slots.

import Networks
import Testing

@Suite struct NetworkTests {
  @Test func resnetHasThePretrainedModelsNames() {
    let network = Network.resnet()
    let names = network.weights.map(\.name)
    #expect(names.contains("conv2d_8/kernel") && names.contains("batch_normalization_6/gamma"))
    #expect(names.contains("dense/bias") && !names.contains("batch_normalization_7/gamma"))
    // The pretrained file's count: every weight with the moving statistics.
    #expect(network.weights.map { $0.shape.reduce(1, *) }.reduce(0, +) == 78666)
    let skip = network.weights.first { $0.name == "conv2d_5/kernel" }
    #expect(skip?.shape == [1, 1, 16, 32])
    #expect(network.outputShape == [10])
  }

  @Test(arguments: [
    ("resnet", 15), ("ds_cnn", 12), ("mobilenet_v1", 30), ("fc_autoencoder", 11),
    ("mobilenet_v2", 76), ("efficientnet_b0", 190),
  ])
  func activationSlots(kind: String, count: Int) throws {
    let network = try #require(Network.named(kind))
    #expect(network.slots.filter { $0.role == .activation }.count == count)
    #expect(
      network.slots.filter { $0.role == .kernel }.map(\.name)
        == network.slots.filter { $0.role == .bias }.map(\.name))
  }

  @Test func nonNegativeSlotsFollowFromTheGraph() {
    let slots = Network.resnet().slots.filter { $0.role == .activation }
    // Input, first ReLU, ReLU of the block, the block's linear end, the sum behind its ReLU.
    #expect(slots.prefix(5).map(\.isNonNegative) == [true, true, true, false, true])
    #expect(slots.suffix(2).map(\.isNonNegative) == [true, false])
  }

  @Test func switchingChangesOnlyTheChosenAlphas() throws {
    let network = Network.resnet()
    let kernel = try QuantizerSpec(parsing: "quantized_bits(4,4,1,1,alpha='auto')")
    let map = QuantizerMap.flat(kernel: kernel, bias: nil, activation: nil, for: network)
    let all = map.switching(to: .autoPo2, in: network)
    #expect(all.kernels.values.allSatisfy { $0.alpha == .autoPo2 && $0.bits == 4 })
    #expect(all.biases.isEmpty && all.activations.isEmpty)
    let some = map.switching(to: .bestPo2, in: network) { $0.layerClass == "Dense" }
    #expect(some.kernels["dense"]?.alpha == .bestPo2 && some.kernels["conv2d"] == kernel)
  }

  @Test func samePaddingIsTensorFlows() {
    #expect(Padding.same.extents(input: 32, kernel: 3, stride: 2) == (16, 0, 1))
    #expect(Padding.same.extents(input: 49, kernel: 10, stride: 2) == (25, 4, 5))
    #expect(Padding.same.extents(input: 7, kernel: 1, stride: 2) == (4, 0, 0))
    #expect(Padding.valid.extents(input: 7, kernel: 3, stride: 2) == (3, 0, 0))
  }
}
