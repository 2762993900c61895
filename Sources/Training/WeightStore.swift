//! All numbers of one network: trainable weights, their gradients, moving statistics. Knows no
//! layer's arithmetic and no file.

package import Networks
package import Tensors

/// A network's weights in two contiguous blocks, so that an optimizer is one loop: the trainable
/// arrays, with a gradient for each, and the moving statistics.
package final class WeightStore {
  package let network: Network
  package let specs: [WeightSpec]
  let trainable: Storage
  let gradients: Storage
  let statistics: Storage
  /// Numbers that the optimizer moves.
  package var trainableCount: Int { trainable.count }
  /// Where each trainable array begins, in the order of their places.
  let starts: Buffer<Int>
  private let offsets: [Int]
  private let indices: [String: Int]

  /// Gamma and moving variance 1, everything else 0.
  package init(network: Network) {
    self.network = network
    specs = network.weights
    var counts = (trainable: 0, statistics: 0)
    var offsets: [Int] = []
    for spec in specs {
      let count = spec.shape.reduce(1, *)
      if spec.role.isTrainable {
        offsets.append(counts.trainable)
        counts.trainable += count
      } else {
        offsets.append(counts.statistics)
        counts.statistics += count
      }
    }
    self.offsets = offsets
    starts = Buffer(zip(specs, offsets).filter { $0.0.role.isTrainable }.map(\.1))
    indices = Dictionary(uniqueKeysWithValues: specs.enumerated().map { ($1.name, $0) })
    trainable = Storage(count: counts.trainable)
    gradients = Storage(count: counts.trainable)
    statistics = Storage(count: counts.statistics)
    for (index, spec) in specs.enumerated()
    where spec.role == .gamma || spec.role == .movingVariance {
      pointer(at: index).update(repeating: 1, count: spec.shape.reduce(1, *))
    }
  }

  /// The array called `name` ("conv2d/kernel"), which must be one of the network's.
  package func pointer(_ name: String) -> UnsafeMutablePointer<Float> { pointer(at: index(name)) }

  /// The gradient of the trainable array called `name`.
  package func gradient(_ name: String) -> UnsafeMutablePointer<Float> {
    let index = index(name)
    precondition(specs[index].role.isTrainable, "\(name) has no gradient")
    return gradients.pointer + offsets[index]
  }

  package func gradientTensor(_ name: String) -> Tensor {
    let spec = specs[index(name)]
    return Tensor(shape: spec.shape, copying: gradient(name))
  }

  private func index(_ name: String) -> Int {
    guard let index = indices[name] else { preconditionFailure("no weight is called \(name)") }
    return index
  }

  private func pointer(at index: Int) -> UnsafeMutablePointer<Float> {
    (specs[index].role.isTrainable ? trainable : statistics).pointer + offsets[index]
  }

  /// Every array by its name.
  package var tensors: [String: Tensor] {
    get {
      var all: [String: Tensor] = [:]
      for (index, spec) in specs.enumerated() {
        all[spec.name] = Tensor(shape: spec.shape, copying: pointer(at: index))
      }
      return all
    }
    set {
      for (index, spec) in specs.enumerated() {
        guard let tensor = newValue[spec.name], tensor.shape == spec.shape else {
          preconditionFailure("\(spec.name) is missing or has another shape")
        }
        tensor.values.withUnsafeBufferPointer { values in
          guard let base = values.baseAddress else { return }
          pointer(at: index).update(from: base, count: values.count)
        }
      }
    }
  }

  /// A copy of all numbers that training changes.
  package struct Snapshot: Sendable, Hashable {
    package var trainable: [Float]
    package var statistics: [Float]

    package init(trainable: [Float], statistics: [Float]) {
      self.trainable = trainable
      self.statistics = statistics
    }
  }

  package func snapshot() -> Snapshot {
    Snapshot(trainable: trainable.values, statistics: statistics.values)
  }

  package func restore(_ snapshot: Snapshot) {
    trainable.load(snapshot.trainable)
    statistics.load(snapshot.statistics)
  }
}

extension Tensor {
  init(shape: [Int], copying pointer: UnsafePointer<Float>) {
    self.init(
      shape: shape,
      values: Array(UnsafeBufferPointer(start: pointer, count: shape.reduce(1, *))))
  }
}

extension WeightStore {
  /// Draws every kernel from its initializer; each array has a generator of its own, so adding a
  /// layer leaves the others' values alone.
  package func initialize(seed: UInt64) {
    for (index, spec) in specs.enumerated() where spec.role == .kernel {
      guard case .weighted(let layer) = network[spec.layer].operation else { continue }
      var generator = SeededGenerator(seed: seed, UInt64(index))
      let field = spec.shape.dropLast(2).reduce(1, *)
      let fanIn = Double(spec.shape[spec.shape.count - 2] * field)
      let fanOut = Double(spec.shape[spec.shape.count - 1] * field)
      let kernel = pointer(at: index)
      for element in 0..<spec.shape.reduce(1, *) {
        switch layer.initializer {
        case .glorotUniform:
          let limit = Float((6 / (fanIn + fanOut)).squareRoot())
          kernel[element] = generator.uniform(-limit, limit)
        case .heNormal:
          // The deviation of a normal truncated at two deviations is 0.8796 of the normal's.
          let deviation = (2 / fanIn).squareRoot() / 0.879_625_661_034_239_78
          kernel[element] = Float(generator.truncatedNormal() * deviation)
        case .fanOutNormal:
          let deviation = (2 / fanOut).squareRoot() / 0.879_625_661_034_239_78
          kernel[element] = Float(generator.truncatedNormal() * deviation)
        case .fanOutUniform:
          let limit = Float((1 / fanOut).squareRoot())
          kernel[element] = generator.uniform(-limit, limit)
        }
      }
    }
  }
}
