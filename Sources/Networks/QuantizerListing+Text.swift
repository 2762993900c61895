//! Listings written: a line a layer, in the form in which AutoQKeras prints a quantized network.

extension QuantizerListing {
  /// A stats block and one line for each layer that has slots, as `print_qmodel_summary` of QKeras
  /// 0.9.0 writes them. A slot in float32 is written `float`, so that the text reads back to `map`.
  package static func text(
    of network: Network, under map: QuantizerMap, factor: ForgivingFactor?
  ) -> String {
    let statistics = BitStatistics(of: network, under: map, factor: factor)
    return (statistics.lines + lines(of: network, under: map)).map { $0 + "\n" }.joined()
  }

  /// The layers' lines alone, in the network's order.
  package static func lines(of network: Network, under map: QuantizerMap) -> [String] {
    network.layers.compactMap { layer in
      let columns: [String]
      switch layer.operation {
      case .quantize: columns = [shown(map.activations[layer.name])]
      case .weighted(let weighted):
        columns = [
          weighted.listedSize, shown(map.kernels[layer.name]), shown(map.biases[layer.name]),
        ]
      default: return nil
      }
      let name = layer.name + String(repeating: " ", count: max(0, 20 - layer.name.count))
      return name + " " + columns.joined(separator: " ")
    }
  }

  private static func shown(_ spec: QuantizerSpec?) -> String { spec?.listed ?? "float" }
}

extension WeightedLayer {
  /// `f=64` of a convolution, `f=None` of a depthwise one, `u=128` of a dense layer.
  var listedSize: String {
    switch kind {
    case .conv2D: "f=\(filters)"
    case .depthwiseConv2D: "f=None"
    case .dense: "u=\(filters)"
    }
  }
}

extension QuantizerSpec {
  /// QKeras's own `str` of the quantizer: `quantized_bits(8,8,1,alpha='auto')`, whose keep_negative
  /// is told only where it is False. Reads back to the same value.
  package var listed: String {
    guard kind == .quantizedBits else { return description }
    let positional = "(\(bits),\(integer),\(symmetric ? 1 : 0)"
    let whole = "\(kind.rawValue)\(positional),\(keepNegative ? 1 : 0)"
    let negative = keepNegative ? "" : ",keep_negative=False"
    return "\(kind.rawValue)\(positional)\(negative)\(description.dropFirst(whole.count))"
  }
}
