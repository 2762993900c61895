//! A quantizer that computes: a checked specification in front of the C loops. Knows no layers.

package import CKernels
package import Networks

extension QuantizerSpec {
  /// What a layer makes of this as its kernel quantizer: alpha None silently becomes 'auto_po2'
  /// there (QKeras 0.9.0, `_set_trainable_parameter`). Biases keep the fixed grid.
  package func effectiveKernelSpec() -> QuantizerSpec {
    guard kind == .quantizedBits, alpha == .none else { return self }
    var spec = self
    spec.alpha = .autoPo2
    spec.symmetric = true
    return spec
  }
}

/// Fake quantization: float32 values to the nearest that the bits can hold.
///
/// QKeras 0.9.0's `quantized_bits` and qkeras-mod's `quantized_bits_featuremap`, in float32 as
/// TensorFlow computes them; deviations: y is the quantized value itself, not x + (xq - x), which
/// differs from it in the last bit. `best_po2` is our own. NaN stays NaN.
package struct Quantizer: Sendable {
  package let spec: QuantizerSpec
  private let limit: Float

  package init(_ spec: QuantizerSpec) throws(QuantizerError) {
    guard !spec.useStochasticRounding else { throw .stochasticRounding(spec) }
    guard (-64...64).contains(spec.integer) else { throw .integerOutOfRange(spec) }
    guard spec.qnoiseFactor >= 0, spec.qnoiseFactor <= 1 else { throw .noiseOutOfRange(spec) }
    switch spec.alpha {
    case .none, .constant:
      // Without a sign bit, 0 bits is QKeras's binary case; nobody means it.
      guard (1...32).contains(spec.bits) else { throw .bitsOutOfRange(spec) }
    case .auto, .autoPo2, .bestPo2:
      guard (2...32).contains(spec.bits) else { throw .bitsOutOfRange(spec) }
    }
    if spec.kind == .featureMap, let axis = spec.scaleAxis, axis != 0 {
      throw .scaleAxis(spec, shape: nil)
    }
    self.spec = spec
    // Q = 2^(bits-1) - 1 becomes a float32 in TensorFlow: 2^30 for 31 bits.
    limit = Float((1 << (spec.bits - 1)) - 1)
  }

  /// Whether values under 1e-7 count as 0 and pass no gradient (QKeras's feature maps).
  package var stopsTinyGradients: Bool {
    spec.kind == .featureMap && (spec.alpha == .auto || spec.alpha == .autoPo2)
  }

  /// How many numbers `quantizeWeights` puts into `scales`.
  package func scaleCount(for layout: WeightLayout) -> Int {
    switch (spec.alpha, layout) {
    case (.none, _), (.constant, _): 1
    case (_, .kernel(_, let channels)), (.bestPo2, .depthwise(_, let channels)): channels
    case (.autoPo2, .bias(let count)): count
    case (_, .depthwise), (_, .bias): 1
    }
  }

  /// Quantizes a weight tensor.
  ///
  /// - Parameters:
  ///   - x: `layout.elements` values.
  ///   - y: as many; may be `x`.
  ///   - scales: gets the value of one code for each scale (QKeras's scale is this times
  ///     2^(bits - keep_negative - integer)), `scaleCount(for:)` of them.
  package func quantizeWeights(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, layout: WeightLayout,
    scales: UnsafeMutablePointer<Float>? = nil
  ) {
    let noise = spec.qnoiseFactor
    let (rows, channels, isBias, isDepthwise) =
      switch layout {
      case .kernel(let rows, let channels): (rows, channels, false, false)
      case .depthwise(let rows, let channels): (rows, channels, false, true)
      case .bias(let count): (1, count, true, false)
      }
    precondition(rows >= 0 && channels >= 0, "negative extents")
    // A channel of a kernel has a scale of its own (a depthwise one only under best_po2); everything
    // else shares one.
    let hasChannels = !isBias && (!isDepthwise || spec.alpha == .bestPo2)
    var kernel = shiftwork_kernel()
    (kernel.x, kernel.y, kernel.scales) = (x, y, scales)
    (kernel.rows, kernel.channels) = (rows, channels)
    (kernel.integer, kernel.limit, kernel.noise) = (Int32(spec.integer), limit, noise)
    switch spec.alpha {
    case .none, .constant:
      quantizeOnGrid(x, into: y, count: layout.elements)
      scales?.pointee = gridStep
    case .auto:
      guard hasChannels else {
        shiftwork_auto(x, y, rows, channels, 1, limit, noise, scales)
        return
      }
      kernel.kind = shiftwork_kernel_auto
      shiftwork_quantize_kernel(&kernel)
    case .autoPo2:
      guard hasChannels else {
        let mode: Int32 = isBias ? 2 : 1
        shiftwork_auto_po2(
          x, y, rows, channels, mode, Int32(spec.integer), limit, noise, scales)
        return
      }
      kernel.kind = shiftwork_kernel_auto_po2
      shiftwork_quantize_kernel(&kernel)
    case .bestPo2:
      let high = codeLimit(isNonNegative: false)
      guard hasChannels else {
        shiftwork_best_po2(x, y, rows, channels, 1, -high, high, noise, scales)
        return
      }
      (kernel.kind, kernel.limit) = (shiftwork_kernel_best_po2, high)
      shiftwork_quantize_kernel(&kernel)
    }
  }

  /// Quantizes feature maps, a scale (and zero point) for each sample.
  ///
  /// - Parameters:
  ///   - x: `samples` times `elementsPerSample` values.
  ///   - y: as many; may be `x`.
  ///   - isNonNegative: whether the graph guarantees values >= 0: best_po2 then uses codes
  ///     0...2^bits-1. QKeras's modes do not look at it.
  ///   - scales: gets the value of one code for each sample.
  package func quantizeFeatureMap(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, samples: Int,
    elementsPerSample: Int, isNonNegative: Bool,
    scales: UnsafeMutablePointer<Float>? = nil
  ) {
    let count = samples * elementsPerSample
    if spec.alpha == .bestPo2 {
      let high = codeLimit(isNonNegative: isNonNegative)
      for sample in 0..<samples {
        let offset = sample * elementsPerSample
        shiftwork_best_po2(
          x + offset, y + offset, 1, elementsPerSample, 1, isNonNegative ? 0 : -high, high,
          spec.qnoiseFactor, scales.map { $0 + sample })
      }
    } else if stopsTinyGradients {
      for sample in 0..<samples {
        let offset = sample * elementsPerSample
        shiftwork_map(
          x + offset, y + offset, elementsPerSample, limit, spec.alpha == .autoPo2 ? 1 : 0,
          spec.qnoiseFactor, scales.map { $0 + sample })
      }
    } else {
      precondition(
        spec.alpha != .auto && spec.alpha != .autoPo2,
        "quantized_bits scales a map by channel: quantizeWeights with .kernel(rows:channels:)")
      quantizeOnGrid(x, into: y, count: count)
      scales?.update(repeating: gridStep, count: samples)
    }
  }
}

extension Quantizer {
  /// The same quantizer of feature maps as chains run it, one sample at a time.
  package func mapQuantizer(isNonNegative: Bool) -> ck_map_quantizer {
    var result = ck_map_quantizer()
    result.noise = spec.qnoiseFactor
    switch spec.alpha {
    case .auto, .autoPo2:
      precondition(
        stopsTinyGradients,
        "quantized_bits scales a map by channel: quantizeWeights with .kernel(rows:channels:)")
      result.kind = spec.alpha == .auto ? ck_map_auto : ck_map_po2
      result.limit = limit
    case .bestPo2:
      result.kind = ck_map_best
      result.high = codeLimit(isNonNegative: isNonNegative)
      result.low = isNonNegative ? 0 : -result.high
    case .none, .constant:
      guard let grid else {
        result.kind = ck_map_binary
        (result.low, result.high) = (-alphaFactor, alphaFactor)
        break
      }
      result.kind = ck_map_grid
      (result.low, result.high) = (grid.low, grid.high)
      (result.multiplier, result.factor) = (grid.multiplier, gridStep)
    }
    return result
  }

  /// Whether what it makes of a kernel, or of feature maps, is whole numbers of at most 8 bits, which
  /// a byte holds, times powers of two.
  package var fitsBytes: Bool {
    (spec.alpha == .autoPo2 || spec.alpha == .bestPo2) && spec.bits <= 8 && spec.qnoiseFactor == 1
  }

  /// The largest code of best_po2: Q, or 2^bits - 1 without sign; where float32 cannot hold it,
  /// the float below, as a code above it would not fit into the bits.
  private func codeLimit(isNonNegative: Bool) -> Float {
    let exact = (1 << (isNonNegative ? spec.bits : spec.bits - 1)) - 1
    let rounded = Float(exact)
    return Double(rounded) > Double(exact) ? rounded.nextDown : rounded
  }

  private var alphaFactor: Float {
    if case .constant(let value) = spec.alpha { value } else { 1 }
  }

  /// The value of one code of a fixed grid.
  private var gridStep: Float {
    let unsigned = spec.bits - (spec.keepNegative ? 1 : 0)
    return unsigned == 0 ? alphaFactor : alphaFactor * power(spec.integer - unsigned)
  }

  /// The codes of a fixed grid and what turns a value into one; nil for 0 bits beside the sign.
  private var grid: (low: Float, high: Float, multiplier: Float)? {
    let unsigned = spec.bits - (spec.keepNegative ? 1 : 0)
    guard unsigned > 0 else { return nil }
    let levels = power(unsigned)
    let low = spec.keepNegative ? -levels + (spec.symmetric ? 1 : 0) : 0
    return (low, levels - 1, power(unsigned - spec.integer))
  }

  private func quantizeOnGrid(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int
  ) {
    guard let grid else {
      shiftwork_binary(x, y, count, -alphaFactor, alphaFactor, spec.qnoiseFactor)
      return
    }
    shiftwork_fixed(
      x, y, count, grid.multiplier, grid.low, grid.high, gridStep, spec.qnoiseFactor)
  }

  private func power(_ exponent: Int) -> Float {
    Float(sign: .plus, exponent: exponent, significand: 1)
  }
}
