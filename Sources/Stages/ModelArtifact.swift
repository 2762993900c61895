//! A network between two stages: weights.h5 and quantizers.json in a folder, and for people
//! quantizers.txt.

import Files
import Networks
import Records
import Tensors

/// What model-producing stages hand on.
struct ModelArtifact {
  var weights: [String: Tensor]
  var quantizers: QuantizerMap

  static let weightsFile = "weights.h5"
  static let quantizersFile = "quantizers.json"
  /// AutoQKeras's listing, which an experiment's `quantizers: {file: ...}` takes.
  static let listingFile = "quantizers.txt"

  init(weights: [String: Tensor], quantizers: QuantizerMap) {
    self.weights = weights
    self.quantizers = quantizers
  }

  /// Reads the artifact in `folder`, which must hold `network`'s weights.
  init(folder: String, for network: Network) throws {
    let path = folder + "/" + Self.weightsFile
    weights = try Self.checkedWeights(path, for: network)
    let quantizersPath = folder + "/" + Self.quantizersFile
    let bytes = try Files.read(quantizersPath, limit: 16 << 20)
    do {
      quantizers = try JSONValue(parsing: bytes).decode(as: QuantizerMap.self)
    } catch {
      throw StageError.badQuantizers(path: quantizersPath, reason: "\(error)")
    }
  }

  /// The weights of a Keras file whose names and shapes are `network`'s.
  static func checkedWeights(_ path: String, for network: Network) throws -> [String: Tensor] {
    let weights = try WeightsFile.read(path)
    try WeightMatch.check(
      expected: network.weights.map { ($0.name, $0.shape) }, found: weights, file: path)
    return weights
  }

  /// - Parameter factor: of the search's goal, for the listing's stats block; only a search has one.
  func write(to folder: String, for network: Network, factor: ForgivingFactor? = nil) throws {
    let layers = network.weights.map { String($0.name.prefix { $0 != "/" }) }
    try WeightsFile.write(
      weights, to: folder + "/" + Self.weightsFile,
      layers: layers.reduce(into: []) { all, layer in
        if all.last != layer { all.append(layer) }
      })
    let text = try JSONValue(encoding: quantizers).prettyText + "\n"
    try Files.writeAtomically(text, to: folder + "/" + Self.quantizersFile)
    guard !quantizers.isFloat else { return }
    try Files.writeAtomically(
      QuantizerListing.text(of: network, under: quantizers, factor: factor),
      to: folder + "/" + Self.listingFile)
  }
}

extension BitCost {
  /// As metrics: parameter_bits, activation_bits, total_bits.
  var metrics: [String: JSONValue] {
    [
      "parameter_bits": .int(parameterBits), "activation_bits": .int(activationBits),
      "total_bits": .int(totalBits),
    ]
  }
}
