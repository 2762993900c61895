//! int8 codes of keyword-spotting features, as MLPerf Tiny's kws01 has them. Knows no file.

/// code = trunc(feature / 0.5847029089927673 + 83), in float32.
package enum FeatureCode {
  /// What happens to a code outside -128...127.
  package enum Overflow: String, Hashable, Sendable {
    /// It wraps modulo 256: the ready-made kws01 features.
    case wrap
    /// It stays at the end: features of one's own.
    case saturate
  }

  /// Features a code.
  package static let scale: Float = 0.5847029089927673
  /// The code of 0.
  package static let zeroPoint: Float = 83

  /// The code of a feature; the ends stand in for what is infinite, 0 for what is no number.
  package static func encode(_ feature: Float, _ overflow: Overflow) -> Int8 {
    let code = (feature / scale + zeroPoint).rounded(.towardZero)
    switch overflow {
    case .wrap:
      let bounded = code.isNaN ? 0 : min(max(code, -0x1p30), 0x1p30)
      return Int8(truncatingIfNeeded: Int(bounded))
    case .saturate:
      return code.isNaN ? 0 : Int8(min(max(code, -128), 127))
    }
  }

  /// The feature of a code, as an int8 network's input scale and zero point read it.
  package static func decode(_ code: Int8) -> Float { (Float(code) - zeroPoint) * scale }
}
