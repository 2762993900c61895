//! What a quantizer is, as a value, in QKeras's terms. Knows no tensor.

/// A quantizer as its user writes it: `quantized_bits(4,4,1,1,alpha='auto')`.
package struct QuantizerSpec: Hashable, Sendable {
  package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
    case quantizedBits = "quantized_bits"
    /// Activations, one scale per sample (qkeras-mod).
    case featureMap = "quantized_bits_featuremap"
  }

  /// Where the scale comes from.
  package enum Alpha: Hashable, Sendable {
    /// A fixed grid of step 2^integer / 2^(bits - keep_negative).
    case none
    /// The fixed grid, its values times a number.
    case constant(Float)
    /// max|x| / Q.
    case auto
    /// QKeras's power of two by least squares.
    case autoPo2
    /// The power of two among three with the least squared error.
    case bestPo2
  }

  package var kind: Kind
  package var bits: Int
  package var integer: Int
  package var symmetric: Bool
  package var keepNegative: Bool
  package var alpha: Alpha
  package var useStochasticRounding: Bool
  package var scaleAxis: Int?
  package var qnoiseFactor: Float
  package var useSTE: Bool

  package init(
    kind: Kind = .quantizedBits, bits: Int = 8, integer: Int = 0, symmetric: Bool = false,
    keepNegative: Bool = true, alpha: Alpha = .none, useStochasticRounding: Bool = false,
    scaleAxis: Int? = nil, qnoiseFactor: Float = 1, useSTE: Bool = true
  ) {
    self.kind = kind
    self.bits = bits
    self.integer = integer
    self.symmetric = symmetric
    self.keepNegative = keepNegative
    self.alpha = alpha
    self.useStochasticRounding = useStochasticRounding
    self.scaleAxis = scaleAxis
    self.qnoiseFactor = qnoiseFactor
    self.useSTE = useSTE
  }
}
