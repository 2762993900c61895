//! The bare oneDNN convolutions of a training step, each as fast as it was ever seen in this process.
//! Knows nothing of quantizers.

import Networks
import Tensors
import Training

/// The sum over weighted layers of the convolutions that QKeras's step has: two forward, two by data
/// (none for the first layer) and one by kernel; one of each without batch normalization.
struct Roofline {
  /// Each pass in the layout of its maps that is faster there.
  private(set) var seconds = 0.0
  private(set) var plainSeconds = 0.0
  private(set) var blockedSeconds = 0.0
  /// The share of each weighted layer, in the network's order: forward, and both gradients.
  private(set) var layers: [(name: String, forward: Double, backward: Double)] = []

  private struct Key: Hashable {
    var pass: Convolution.Pass
    var geometry: ConvolutionGeometry
  }

  init(_ network: Network, batch: Int, on oneDNN: OneDNN) throws {
    var known: [Key: (plain: Double, blocked: Double)] = [:]
    var isFirst = true
    for layer in network.layers {
      guard case .weighted(let weighted) = layer.operation else { continue }
      let geometry = ConvolutionGeometry(
        weighted, batch: batch, input: network[layer.inputs[0]].shape, output: layer.shape)
      let passes = weighted.batchNormalization == nil ? 1.0 : 2.0
      let counts: [(Convolution.Pass, Double)] = [
        (.forward, passes), (.backwardData, isFirst ? 0 : passes), (.backwardKernel, 1),
      ]
      layers.append((layer.name, 0, 0))
      for (pass, count) in counts where count > 0 {
        let key = Key(pass: pass, geometry: geometry)
        let times = try known[key] ?? Self.measure(pass, geometry, on: oneDNN)
        known[key] = times
        plainSeconds += count * times.plain
        blockedSeconds += count * times.blocked
        let time = count * min(times.plain, times.blocked)
        seconds += time
        if pass == .forward {
          layers[layers.count - 1].forward += time
        } else {
          layers[layers.count - 1].backward += time
        }
      }
      isFirst = false
    }
  }

  private static func measure(
    _ pass: Convolution.Pass, _ geometry: ConvolutionGeometry, on oneDNN: OneDNN
  ) throws -> (plain: Double, blocked: Double) {
    let input = Storage(count: geometry.inputCount)
    let kernel = Storage(count: geometry.kernelCount)
    let output = Storage(count: geometry.outputCount)
    let plain = try ConvolutionPrimitive(
      pass, geometry, on: oneDNN, input: input.pointer, kernel: kernel.pointer,
      output: output.pointer)
    plain.loadKernel()
    let blocked = try ConvolutionPrimitive(blocked: pass, geometry, on: oneDNN)
    return (fastest(plain), fastest(blocked))
  }

  private static func fastest(_ convolution: ConvolutionPrimitive) -> Double {
    Stopwatch.times(seconds: 0.05) { convolution.executeBare() }.min() ?? .infinity
  }
}
