//! A network's weights in Keras's HDF5 layout, read and written. Knows names and shapes, no network.

import Files
package import Tensors

/// Keras .h5 weights: what `model.save` and `model.save_weights` write.
///
/// Arrays are named by their layer and themselves: "conv2d/kernel", "batch_normalization/gamma".
package enum WeightsFile {
  /// No file of more layers or arrays is read.
  private static let countLimit = 10_000

  /// Every array in the file.
  package static func read(_ path: String) throws -> [String: Tensor] {
    let file = try HDF5File(reading: path)
    let root = try file.kind(of: "model_weights") == .group ? "model_weights" : "/"
    guard let layers = try file.strings("layer_names", of: root) else {
      throw HDF5Error.unsuitableObject(
        path: path, object: root, why: "has no layer_names: the file holds no Keras weights")
    }
    guard layers.count <= countLimit else {
      throw HDF5Error.unsuitableObject(
        path: path, object: root, why: "names \(layers.count) layers, more than \(countLimit)")
    }
    var weights: [String: Tensor] = [:]
    for layer in layers {
      let group = root == "/" ? layer : "\(root)/\(layer)"
      guard let names = try file.strings("weight_names", of: group) else {
        throw HDF5Error.unsuitableObject(path: path, object: group, why: "has no weight_names")
      }
      for name in names {
        let array = name.split(separator: "/").last.map(String.init) ?? name
        let key = "\(layer)/\(array.split(separator: ":").first.map(String.init) ?? array)"
        guard weights[key] == nil, weights.count < countLimit else {
          throw HDF5Error.unsuitableObject(
            path: path, object: "\(group)/\(name)", why: "stands there twice, as `\(key)`")
        }
        weights[key] = try file.tensor("\(group)/\(name)")
      }
    }
    return weights
  }

  /// Writes arrays, in their order, as `model.save_weights` does; Keras's `load_weights(by_name=
  /// True)` reads them. The same arrays give the same bytes.
  package static func write(_ weights: [(name: String, tensor: Tensor)], to path: String) throws {
    let file = try HDF5File(creating: path)
    var layers: [(name: String, arrays: [String])] = []
    for (name, tensor) in weights {
      let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
      precondition(parts.count == 2, "`\(name)` is no layer/array")
      if layers.last?.name != parts[0] { layers.append((parts[0], [])) }
      layers[layers.count - 1].arrays.append("\(name):0")
      try file.write(tensor, to: "\(parts[0])/\(name):0")
    }
    try file.setStrings(layers.map(\.name), for: "layer_names")
    try file.setString("tensorflow", for: "backend")
    try file.setString("2.12.0", for: "keras_version")
    for layer in layers { try file.setStrings(layer.arrays, for: "weight_names", of: layer.name) }
    try file.save()
  }
}

/// A file whose arrays are not those of the network.
package struct WeightMismatch: Error, Hashable, Sendable, CustomStringConvertible {
  package var path: String
  /// Arrays that the network has and the file does not.
  package var missing: [String]
  /// "conv2d/kernel is (3, 3, 3, 32) in the file, (3, 3, 3, 16) in the network".
  package var misshapen: [String]
  /// Arrays that the file has and the network does not.
  package var superfluous: [String]

  package var description: String {
    var lines = ["\(path) holds the weights of another network"]
    lines += missing.map { "  missing in the file: \($0)" }
    lines += misshapen.map { "  of another shape: \($0)" }
    lines += superfluous.map { "  not in the network: \($0)" }
    return lines.joined(separator: "\n")
  }
}

/// Compares a file's arrays with a network's.
package enum WeightMatch {
  /// Throws one error that lists all that does not match.
  package static func check(
    expected: [(name: String, shape: [Int])], found: [String: Tensor], file: String
  ) throws(WeightMismatch) {
    func text(_ shape: [Int]) -> String { "(\(shape.map(String.init).joined(separator: ", ")))" }
    var mismatch = WeightMismatch(path: file, missing: [], misshapen: [], superfluous: [])
    for (name, shape) in expected {
      if let tensor = found[name] {
        if tensor.shape != shape {
          mismatch.misshapen.append(
            "\(name) is \(text(tensor.shape)) in the file, \(text(shape)) in the network")
        }
      } else {
        mismatch.missing.append("\(name) \(text(shape))")
      }
    }
    let names = Set(expected.map(\.name))
    mismatch.superfluous = found.keys.filter { !names.contains($0) }.sorted()
    let isMatch =
      mismatch.missing.isEmpty && mismatch.misshapen.isEmpty && mismatch.superfluous.isEmpty
    if !isMatch { throw mismatch }
  }
}
