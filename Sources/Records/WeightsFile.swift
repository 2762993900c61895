//! Weights in Keras's HDF5 layout, read and written by name. Knows no network.

package import Tensors

/// What is wrong with a file of weights.
package enum WeightsError: Error, Hashable, Sendable, CustomStringConvertible {
  case notKeras(path: String)
  case ambiguous(path: String, name: String)
  case mismatch(WeightMatch)

  package var description: String {
    switch self {
    case .notKeras(let path):
      "\(path): holds no Keras weights (neither layer_names nor model_weights)"
    case .ambiguous(let path, let name):
      "\(path): two arrays are called `\(name)`; nested models are not supported"
    case .mismatch(let match): match.description
    }
  }
}

/// Keras's `model.save` and `model.save_weights` files (.h5).
///
/// Keys are the layer's name and the last part of the array's: "conv2d/kernel",
/// "batch_normalization/gamma", "q_conv2d_batchnorm/moving_mean".
package enum WeightsFile {
  /// Keras splits attributes that would not fit into an object's header: name0, name1, ...
  private static let attributeBytes = 64_512
  private static let order = [
    "kernel", "depthwise_kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance",
  ]

  /// All arrays of all layers.
  package static func read(_ path: String) throws -> [String: Tensor] {
    let file = try HDF5File(reading: path)
    let top = try file.kind(of: "model_weights") == .group ? "model_weights" : "/"
    guard let layers = try list("layer_names", of: top, in: file) else {
      throw WeightsError.notKeras(path: path)
    }
    var weights: [String: Tensor] = [:]
    for layer in layers {
      let group = top + "/" + layer
      for name in try list("weight_names", of: group, in: file) ?? [] {
        var last = name.split(separator: "/").last ?? ""
        if let colon = last.lastIndex(of: ":") { last = last[..<colon] }
        let key = layer + "/" + last
        guard weights[key] == nil else { throw WeightsError.ambiguous(path: path, name: key) }
        weights[key] = try file.tensor(group + "/" + name)
      }
    }
    return weights
  }

  /// Writes weights so that Keras's `load_weights(path, by_name=True)` reads them.
  ///
  /// - Parameter layers: every layer's name in the network's order; those without weights may be
  ///   among them. Every key of `weights` must belong to one.
  package static func write(
    _ weights: [String: Tensor], to path: String, layers: [String]
  ) throws {
    let file = try HDF5File(creating: path)
    var names: [String: [String]] = [:]
    for key in weights.keys {
      let (layer, name) = split(key)
      names[layer, default: []].append(name)
    }
    let known = Set(layers)
    precondition(known.count == layers.count, "two layers have one name")
    precondition(names.keys.allSatisfy(known.contains), "weights of a layer that is not listed")
    try setList(layers, for: "layer_names", of: "/", in: file)
    try file.setString("tensorflow", for: "backend")
    // The format's version: TensorFlow 2.12's Keras, which by-name loading was checked with.
    try file.setString("2.12.0", for: "keras_version")
    for layer in layers.sorted() {
      try file.createGroup(layer)
      let own = (names[layer] ?? []).sorted { (rank($0), $0) < (rank($1), $1) }
      let stored = own.map { "\(layer)/\($0):0" }
      for (name, dataset) in zip(own, stored) {
        guard let tensor = weights["\(layer)/\(name)"] else { continue }
        try file.write(tensor, to: "\(layer)/\(dataset)")
      }
      try setList(stored, for: "weight_names", of: layer, in: file)
    }
    try file.save()
  }

  /// Keras matches the arrays of a layer by their order.
  private static func rank(_ name: String) -> Int { order.firstIndex(of: name) ?? order.count }

  private static func split(_ key: String) -> (layer: String, name: String) {
    guard let slash = key.lastIndex(of: "/") else {
      preconditionFailure("`\(key)` is not LAYER/ARRAY")
    }
    return (String(key[..<slash]), String(key[key.index(after: slash)...]))
  }

  private static func list(
    _ name: String, of group: String, in file: HDF5File
  ) throws -> [String]? {
    if let all = try file.strings(name, of: group) { return all }
    guard var all = try file.strings(name + "0", of: group) else { return nil }
    var index = 1
    while let more = try file.strings("\(name)\(index)", of: group) {
      all += more
      index += 1
    }
    return all
  }

  private static func setList(
    _ values: [String], for name: String, of group: String, in file: HDF5File
  ) throws {
    let width = values.map(\.utf8.count).max() ?? 0
    let perPart = max(attributeBytes / max(width, 1), 1)
    guard values.count > perPart else {
      try file.setStrings(values, for: name, of: group)
      return
    }
    for (index, start) in stride(from: 0, to: values.count, by: perPart).enumerated() {
      let part = Array(values[start..<min(start + perPart, values.count)])
      try file.setStrings(part, for: "\(name)\(index)", of: group)
    }
  }
}
