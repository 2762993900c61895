//! Training runs against QKeras: eight steps of Adam from hashed weights on hashed data.

import Networks
import Records
import Tensors
import TestSupport
import Testing
import Training

@Suite struct TrajectoryGoldenTests {
  static let path = TestPaths.golden + "/trajectories.h5"
  static let groups: [String] = {
    let members = try? HDF5File(reading: path).members()
    return members?.map(\.name) ?? []
  }()

  @Test func everyResnetGroupIsThere() {
    #expect(Self.groups.filter { $0.hasPrefix("resnet") }.count == 9)
  }

  /// The rule of the golden script: each vector's distance from QKeras's plain run is at most the
  /// larger of 1e-3 of its norm and 3 times the largest distance of its runs on inputs scaled by
  /// one or a few millionths.
  @Test(arguments: groups) func staysWithinQKerasOwnNoise(group: String) throws {
    let file = try HDF5File(reading: Self.path)
    let run = try Run(group, file: file)
    let measured = try run.train()
    for (key, actual) in measured {
      let kept = key == "first_grad_norms" || key == "final_weight_norms" ? run.compared : nil
      func vector(_ name: String) throws -> [Double] {
        let all = try file.doubles("\(group)/\(name)")
        return kept.map { indices in indices.map { all[$0] } } ?? all
      }
      func distance(_ one: [Double], _ other: [Double]) -> Double {
        norm(zip(one, other).map { $0 - $1 })
      }
      let plain = try vector(key)
      var noise = 0.0
      for prefix in ["noise_", "noise2_", "noise3_"]
      where try file.kind(of: "\(group)/\(prefix)\(key)") != nil {
        noise = max(noise, distance(try vector(prefix + key), plain))
      }
      let bound = max(1e-3 * norm(plain), 3 * noise)
      let actualDistance = distance(
        kept.map { indices in indices.map { actual[$0] } } ?? actual, plain)
      #expect(actual.count >= plain.count)
      #expect(
        actualDistance <= bound,
        "\(group) \(key): distance \(actualDistance) of \(norm(plain)), bound \(bound)")
    }
  }
}

/// One group's run, set up as the golden script does it.
private struct Run {
  let network: Network
  let quantizers: QuantizerMap
  let batch: Int
  let steps: Int
  let seed: UInt32
  /// Ours for each of the file's weights; nil for QKeras's step counters.
  let weightNames: [String?]
  let trainableNames: [String]
  /// Indices into the trainable weights that the rule compares: not the biases of folded layers.
  let compared: [Int]

  init(_ group: String, file: HDF5File) throws {
    let kind = try #require(Network.kinds.first { group.hasPrefix($0) })
    network = try #require(Network.named(kind))
    batch = Int(try #require(try file.number("batch", of: group)))
    steps = Int(try #require(try file.number("steps", of: group)))
    let input = try HDF5File(reading: TestPaths.golden + "/layers.h5").tensor("conv_auto_same_s1/x")
    seed = try #require(goldenSeed(startingWith: input.values))
    let network = network
    weightNames = try #require(try file.strings("weights", of: group)).map {
      try Self.translate($0, network)
    }
    trainableNames = try #require(try file.strings("trainable", of: group)).compactMap {
      try Self.translate($0, network)
    }
    let folded = Set(
      network.layers.compactMap { layer -> String? in
        guard case .weighted(let weighted) = layer.operation else { return nil }
        return weighted.batchNormalization == nil ? nil : layer.name + "/bias"
      })
    compared = trainableNames.indices.filter { [trainableNames] in
      !folded.contains(trainableNames[$0])
    }
    quantizers = try Self.quantizers(String(group.dropFirst(kind.count + 1)), network, kind)
  }

  /// "q_conv2d_batchnorm_3/batch_normalization_3/gamma:0" to our name; nil for `iteration`. QKeras
  /// counts layers class by class, so the n-th of a class is our n-th of it.
  private static func translate(_ name: String, _ network: Network) throws -> String? {
    let parts = name.split(separator: "/").map(String.init)
    let array = String(try #require(parts.last).dropLast(2))
    if array == "iteration" { return nil }
    let classes: [(prefix: String, kind: WeightedLayer.Kind, isFolded: Bool)] = [
      ("q_conv2d_batchnorm", .conv2D, true), ("q_conv2d", .conv2D, false),
      ("q_depthwise_conv2d_batchnorm", .depthwiseConv2D, true),
      ("q_dense_batchnorm", .dense, true), ("q_dense", .dense, false),
    ]
    let (prefix, kind, isFolded) = try #require(
      classes.first {
        parts[0] == $0.prefix
          || Int(parts[0].dropFirst($0.prefix.count + 1)) != nil
            && parts[0].hasPrefix($0.prefix + "_")
      })
    let number = Int(parts[0].dropFirst(prefix.count + 1)) ?? 0
    let ofClass = network.layers.indices.filter { index in
      guard case .weighted(let layer) = network.layers[index].operation else { return false }
      return layer.kind == kind && (layer.batchNormalization != nil) == isFolded
    }
    let layer = LayerID(ofClass[number])
    return network.weights(of: layer).first { $0.name.hasSuffix("/" + array) }?.name
  }

  /// "float", "kernels8_auto", "flat16_auto_po2", "thesis_auto".
  private static func quantizers(
    _ configuration: String, _ network: Network, _ kind: String
  ) throws -> QuantizerMap {
    if configuration == "float" { return .float }
    let alpha = configuration.hasSuffix("auto_po2") ? "auto_po2" : "auto"
    func weights(_ bits: Int) throws -> QuantizerSpec {
      try QuantizerSpec(parsing: "quantized_bits(\(bits),\(bits),1,1,alpha='\(alpha)')")
    }
    func map(_ bits: Int) throws -> QuantizerSpec {
      try QuantizerSpec(
        parsing: "quantized_bits_featuremap(\(bits),\(bits),1,1,alpha='\(alpha)',scale_axis=0)")
    }
    switch configuration.split(separator: "_")[0] {
    case "kernels8":
      return .flat(kernel: try weights(8), bias: try weights(16), activation: nil, for: network)
    case "flat8":
      return .flat(
        kernel: try weights(8), bias: try weights(16), activation: try map(8), for: network)
    case "flat4":
      return .flat(
        kernel: try weights(4), bias: try weights(16), activation: try map(4), for: network)
    case "flat16":
      return .flat(
        kernel: try weights(16), bias: try weights(31), activation: try map(16), for: network)
    default:
      let bits = try #require(thesisBits[kind])
      var result = QuantizerMap()
      for role in [Slot.Role.activation, .kernel, .bias] {
        let slots = network.slots.filter { $0.role == role }
        let widths = role == .activation ? bits.0 : role == .kernel ? bits.1 : bits.2
        for (slot, width) in zip(slots, widths) {
          result[slot] = role == .activation ? try map(width) : try weights(width)
        }
      }
      return result
    }
  }

  /// Activations, kernels, biases in the order in which the thesis lists the layers.
  private static let thesisBits: [String: ([Int], [Int], [Int])] = [
    "fc_autoencoder": (
      [4, 16, 8, 4, 4, 16, 8, 4, 8, 16, 16], [4, 4, 4, 4, 4, 16, 4, 8, 8, 4],
      [16, 16, 16, 31, 31, 16, 31, 31, 16, 16]
    ),
    "ds_cnn": (
      [16, 8, 8, 4, 8, 8, 4, 4, 4, 4, 16, 16], [16, 8, 4, 8, 4, 4, 4, 16, 4, 8],
      [31, 16, 31, 16, 16, 16, 16, 31, 16, 31]
    ),
  ]

  private func initialWeights() -> [String: Tensor] {
    var tensors = WeightStore(network: network).tensors
    for (index, name) in weightNames.enumerated() {
      guard let name, let tensor = tensors[name] else { continue }
      let stream = UInt32(1000 + index)
      let shape = tensor.shape
      func values(_ scale: Double, plus offset: Float = 0) -> Tensor {
        Tensor(
          shape: shape,
          values: hashed(tensor.values.count, stream: stream, scale: scale, seed: seed)
            .map { $0 + offset })
      }
      if name.hasSuffix("kernel") {
        let fan = (name.contains("depthwise") ? shape.prefix(2) : shape.dropLast()).reduce(1, *)
        tensors[name] = values((3.0 / Double(fan)).squareRoot() * 1.4)
      } else if name.hasSuffix("bias") {
        tensors[name] = values(0.05)
      } else if name.hasSuffix("gamma") {
        tensors[name] = values(0.2, plus: 1)
      } else if name.hasSuffix("beta") {
        tensors[name] = values(0.1)
      }
    }
    return tensors
  }

  func train() throws -> [String: [Double]] {
    let weights = WeightStore(network: network)
    weights.tensors = initialWeights()
    let model = Model(network, weights: weights, quantizers: quantizers, l2: 0, on: try OneDNN())
    let elements = network.inputShape.reduce(1, *)
    let classes = network.outputShape.reduce(1, *)
    let inputs = hashed(batch * steps * elements, stream: 7, seed: seed)
    let isAutoencoder = network.inputShape == network.outputShape
    let loss: Loss = isAutoencoder ? .meanSquaredError : .sparseCategoricalCrossentropy
    var measured: [String: [Double]] = [:]
    func output(_ program: Program) -> [Double] {
      UnsafeBufferPointer(start: program.output, count: batch * classes).map(Double.init)
    }
    func load(_ program: Program, _ step: Int) {
      inputs.withUnsafeBufferPointer { all in
        guard let base = all.baseAddress else { return }
        program.input.update(from: base + step * batch * elements, count: batch * elements)
      }
    }
    let inference = try model.program(batch: batch, mode: .inference)
    inference.prepare()
    load(inference, 0)
    inference.forward()
    measured["untrained_inference"] = output(inference)
    let program = try model.program(batch: batch, mode: .training)
    var adam = Adam(.init(), count: weights.trainableCount)
    var losses: [Double] = []
    for step in 0..<steps {
      load(program, step)
      let labels = (0..<batch).map { Int32((step * batch + $0) % (isAutoencoder ? 1 : classes)) }
      let outcome = model.computeGradients(program, loss: loss, labels: labels)
      losses.append(outcome.sum / Double(batch))
      if step == 0 {
        measured["first_output"] = output(program)
        measured["first_grad_norms"] = trainableNames.map {
          norm(weights.gradientTensor($0).values.map(Double.init))
        }
      }
      adam.update(weights, learningRate: 1e-3)
    }
    measured["losses"] = losses
    let final = weights.tensors
    measured["final_weight_norms"] = trainableNames.map { name in
      norm(final[name]?.values.map(Double.init) ?? [])
    }
    return measured
  }
}
