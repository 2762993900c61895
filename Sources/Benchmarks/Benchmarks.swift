//! `make bench`: how long a quantization-aware step and an inference take, against the bare oneDNN
//! primitives in the same run.

import Glibc
import Networks
import Tensors
import Training

@main enum Benchmarks {
  /// Batch sizes of the thesis.
  private static let batches = [
    "fc_autoencoder": 100, "ds_cnn": 100, "resnet": 30, "mobilenet_v1": 32,
  ]

  static func main() throws {
    var names = Array(CommandLine.arguments.dropFirst())
    let threads = names.first.flatMap { Int($0) } ?? sysconf(Int32(_SC_NPROCESSORS_ONLN))
    if let first = names.first, Int(first) != nil { names.removeFirst() }
    if let unknown = names.first(where: { Network.named($0) == nil }) {
      complain(
        "no network is called \(unknown): usage: Benchmarks [THREADS] [NETWORK ...], NETWORK one of "
          + Network.kinds.joined(separator: ", "))
      exit(2)
    }
    try OneDNN.configure(threads: threads, instructionSet: "avx512_core")
    print(
      "network,batch,threads,step_ms,samples_per_second,roofline_ms,roofline_ratio,"
        + "inference_ms,inference_samples_per_second,first_step_seconds,peak_mb")
    for name in names.isEmpty ? Network.kinds : names {
      guard let network = Network.named(name), let batch = batches[name] else { continue }
      try run(network, batch: batch, threads: threads)
    }
  }

  private static func complain(_ message: String) {
    let line = Array((message + "\n").utf8)
    _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }

  private static func run(_ network: Network, batch: Int, threads: Int) throws {
    let clock = ContinuousClock()
    let start = clock.now
    let oneDNN = try OneDNN()
    let weights = WeightStore(network: network)
    weights.initialize(seed: 1)
    let map = try QuantizerMap.flat(
      kernel: QuantizerSpec(parsing: "quantized_bits(8,8,1,1,alpha='auto')"),
      bias: QuantizerSpec(parsing: "quantized_bits(16,16,1,1,alpha='auto')"),
      activation: QuantizerSpec(parsing: "quantized_bits_featuremap(8,8,1,1,alpha='auto')"),
      for: network)
    let model = Model(network, weights: weights, quantizers: map, on: oneDNN)
    let program = try model.program(batch: batch, mode: .training)
    var generator = SeededGenerator(seed: 1)
    for index in 0..<(batch * network.layers[0].elements) {
      program.input[index] = generator.uniform(-1, 1)
    }
    let isAutoencoder = network.inputShape == network.outputShape
    let classes = network.outputShape.reduce(1, *)
    let labels = (0..<batch).map { _ in Int32(isAutoencoder ? 0 : generator.integer(below: classes))
    }
    let loss: Loss = isAutoencoder ? .meanSquaredError : .sparseCategoricalCrossentropy
    var adam = Adam(.init(), count: weights.trainableCount)
    func step() {
      _ = model.computeGradients(program, loss: loss, labels: labels)
      adam.update(weights, learningRate: 1e-3)
    }
    step()
    let first = (clock.now - start) / .seconds(1)
    let stepTime = median { step() }
    let roofline = try rooflineTime(network, batch: batch, on: oneDNN)
    let inference = try model.program(batch: batch, mode: .inference)
    inference.prepare()
    let inferenceTime = median { inference.forward() }
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    func text(_ number: Double) -> String { "\((number * 1000).rounded() / 1000)" }
    print(
      [
        network.name, "\(batch)", "\(threads)", text(stepTime * 1000),
        text(Double(batch) / stepTime), text(roofline * 1000), text(roofline / stepTime),
        text(inferenceTime * 1000), text(Double(batch) / inferenceTime), text(first),
        "\(usage.ru_maxrss / 1024)",
      ].joined(separator: ","))
  }

  /// The median of the times of `body` over about two seconds, after a warm-up.
  private static func median(seconds: Double = 2, _ body: () -> Void) -> Double {
    let clock = ContinuousClock()
    for _ in 0..<3 { body() }
    var times: [Double] = []
    var total = 0.0
    while total < seconds || times.count < 5 {
      let time = clock.measure(body) / .seconds(1)
      times.append(time)
      total += time
    }
    return times.sorted()[times.count / 2]
  }

  /// The sum over weighted layers of their bare convolutions in a step: two forward, two by data
  /// (none for the first layer) and one by kernel; one of each without batch normalization.
  private static func rooflineTime(
    _ network: Network, batch: Int, on oneDNN: OneDNN
  ) throws -> Double {
    var total = 0.0
    var isFirst = true
    for layer in network.layers {
      guard case .weighted(let weighted) = layer.operation else { continue }
      let geometry = ConvolutionGeometry(
        weighted, batch: batch, input: network[layer.inputs[0]].shape, output: layer.shape)
      let input = Storage(count: geometry.inputCount)
      let kernel = Storage(count: geometry.kernelCount)
      let output = Storage(count: geometry.outputCount)
      func time(_ pass: Convolution.Pass) throws -> Double {
        let primitive = try Convolution(
          pass, geometry, on: oneDNN, input: input.pointer, kernel: kernel.pointer,
          output: output.pointer, isBare: true)
        primitive.loadKernel()
        return median(seconds: 0.05) { primitive.execute() }
      }
      let passes = weighted.batchNormalization == nil ? 1.0 : 2.0
      total += passes * (try time(.forward)) + (try time(.backwardKernel))
      if !isFirst { total += passes * (try time(.backwardData)) }
      isFirst = false
    }
    return total
  }
}
