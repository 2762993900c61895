//! What keeps a quantizer specification from being a quantizer.

package import Networks

/// A specification that parses but that nothing here computes.
package enum QuantizerError: Error, Hashable, Sendable, CustomStringConvertible {
  case stochasticRounding(QuantizerSpec)
  case bitsOutOfRange(QuantizerSpec)
  case integerOutOfRange(QuantizerSpec)
  case scaleAxis(QuantizerSpec, shape: [Int]?)
  case noiseOutOfRange(QuantizerSpec)

  package var description: String {
    switch self {
    case .stochasticRounding(let spec):
      "\(spec): use_stochastic_rounding is not supported; results would differ from run to run"
    case .bitsOutOfRange(let spec):
      "\(spec): \(spec.bits) bits cannot be quantized to; "
        + "a scale of its own needs 2...32, a fixed grid 1...32"
    case .integerOutOfRange(let spec):
      "\(spec): integer must be -64...64, not \(spec.integer)"
    case .scaleAxis(let spec, let shape):
      "\(spec): scale_axis=\(spec.scaleAxis.map(String.init) ?? "None") is not supported"
        + (shape.map { " for a tensor of shape \($0)" } ?? " for a feature map, only 0 is")
    case .noiseOutOfRange(let spec):
      "\(spec): qnoise_factor must be 0...1, not \(spec.qnoiseFactor)"
    }
  }
}
