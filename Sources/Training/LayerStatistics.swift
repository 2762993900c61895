//! What an epoch of training did to each layer's kernel and bias, and what quantization makes of
//! them now. Knows no file.

import CKernels
import Glibc
package import Networks
package import Quantization
import Tensors

/// One array of one layer after an epoch.
package struct LayerStatistics: Hashable, Sendable {
  /// The layer's name: "conv2d_1".
  package var layer: String
  /// Kernel or bias.
  package var role: WeightSpec.Role
  /// Mean of |change of a weight| over the array's elements and the epoch's steps.
  package var meanUpdate: Double
  /// Mean over the steps of the gradient's Euclidean norm, the penalty's part included.
  package var gradientNorm: Double
  /// Of the array as inference quantizes it, batch normalization folded in; nil: float32.
  package var quantization: QuantizationStatistics?
}

/// Gathers an epoch's numbers step by step.
struct LayerStatisticsCollector {
  /// An array that is watched, and its sums over the epoch's steps.
  private struct Watched {
    let layer: Layer
    let id: LayerID
    let role: WeightSpec.Role
    let name: String
    let offset: Int
    let count: Int
    var distance = 0.0
    var gradientNorm = 0.0
  }

  private var watched: [Watched] = []
  private var steps = 0
  /// The trainable weights before the step.
  private let before: Storage

  init(_ model: Model) {
    let weights = model.weights
    before = Storage(count: weights.trainable.count)
    for spec in weights.specs where spec.role == .kernel || spec.role == .bias {
      watched.append(
        Watched(
          layer: weights.network[spec.layer], id: spec.layer, role: spec.role, name: spec.name,
          offset: weights.pointer(spec.name) - weights.trainable.pointer,
          count: spec.shape.reduce(1, *)))
    }
  }

  /// Starts an epoch.
  mutating func begin() {
    steps = 0
    for index in watched.indices {
      watched[index].distance = 0
      watched[index].gradientNorm = 0
    }
  }

  func beforeUpdate(_ weights: WeightStore) {
    before.pointer.update(from: weights.trainable.pointer, count: before.count)
  }

  mutating func afterUpdate(_ weights: WeightStore) {
    steps += 1
    for index in watched.indices {
      let (offset, count) = (watched[index].offset, watched[index].count)
      watched[index].distance += ck_sum_of_distances(
        weights.trainable.pointer + offset, before.pointer + offset, count)
      watched[index].gradientNorm +=
        ck_sum_of_squares(weights.gradients.pointer + offset, count).squareRoot()
    }
  }

  /// The epoch's statistics, kernel and bias of each layer in the network's order.
  func epoch(_ model: Model) throws -> [LayerStatistics] {
    let steps = Double(max(steps, 1))
    return try watched.map { array in
      LayerStatistics(
        layer: array.layer.name, role: array.role,
        meanUpdate: array.distance / (Double(array.count) * steps),
        gradientNorm: array.gradientNorm / steps,
        quantization: try quantization(of: array, in: model))
    }
  }

  private func quantization(
    of array: Watched, in model: Model
  ) throws -> QuantizationStatistics? {
    let isKernel = array.role == .kernel
    let map = isKernel ? model.quantizers.kernels : model.quantizers.biases
    guard let spec = map[array.layer.name],
      case .weighted(let weighted) = array.layer.operation
    else { return nil }
    let quantizer = try Quantizer(isKernel ? spec.effectiveKernelSpec() : spec)
    let folded = model.foldedWeights(of: array.id)
    guard isKernel else {
      return quantizer.statistics(of: folded.bias, layout: .bias(count: array.count))
    }
    let channels = weighted.filters
    let rows = array.count / channels
    return quantizer.statistics(
      of: folded.kernel,
      layout: weighted.kind == .depthwiseConv2D
        ? .depthwise(rows: rows, channels: channels) : .kernel(rows: rows, channels: channels))
  }
}

extension Model {
  /// A weighted layer's kernel and bias as inference has them before it quantizes them: inv * K and
  /// inv * (b - moving mean) + beta, inv = gamma / sqrt(moving variance + e); K and b themselves
  /// where no batch normalization is folded in.
  func foldedWeights(of id: LayerID) -> (kernel: [Float], bias: [Float]) {
    var arrays: [WeightSpec.Role: [Float]] = [:]
    for spec in network.weights(of: id) {
      arrays[spec.role] = Array(
        UnsafeBufferPointer(start: weights.pointer(spec.name), count: spec.shape.reduce(1, *)))
    }
    var (kernel, bias) = (arrays[.kernel] ?? [], arrays[.bias] ?? [])
    guard let gamma = arrays[.gamma], let beta = arrays[.beta], let mean = arrays[.movingMean],
      let variance = arrays[.movingVariance]
    else { return (kernel, bias) }
    var factor = variance.map { $0 + Float(BatchNormalization.epsilon) }
    factor.withUnsafeMutableBufferPointer { factor in
      guard let base = factor.baseAddress else { return }
      ck_reciprocal_root(base, base, factor.count, isPortable ? 1 : 0)
    }
    for j in bias.indices {
      factor[j] *= gamma[j]
      bias[j] = factor[j] * (bias[j] - mean[j]) + beta[j]
    }
    for index in kernel.indices { kernel[index] *= factor[index % factor.count] }
    return (kernel, bias)
  }
}
