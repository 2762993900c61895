//! Which quantizers the engine offers in which role; the others are refused where they are written,
//! not where they would fail or be ignored.

extension QuantizerSpec {
  /// Why this quantizer cannot stand in a slot of that role; nil where it can.
  package func refusal(as role: Slot.Role) -> String? {
    if useStochasticRounding { return "stochastic rounding is not offered" }
    if !useSTE { return "use_ste=False is not offered: gradients pass quantizers unchanged" }
    if alpha == .constant(0) { return "alpha 0 makes everything zero" }
    switch (role, kind) {
    case (.activation, .quantizedBits):
      if alpha == .auto || alpha == .autoPo2 {
        return "quantized_bits takes a scale from each channel of an activation; "
          + "quantized_bits_featuremap takes one from each sample"
      }
      return scaleAxis == nil ? nil : "scale_axis has no meaning for this quantizer"
    case (.activation, .featureMap):
      return scaleAxis == nil || scaleAxis == 0
        ? nil : "an activation has one scale per sample: scale_axis=0"
    case (.kernel, .quantizedBits), (.bias, .quantizedBits):
      return scaleAxis == nil ? nil : "only the usual scale_axis, the last one, is offered"
    case (.kernel, .featureMap), (.bias, .featureMap):
      return "quantized_bits_featuremap is for activations"
    }
  }

  /// What a user may not expect of this quantizer in a slot of that role, and how to say what is
  /// meant; nil where there is nothing to say.
  package func remark(as role: Slot.Role) -> (message: String, suggestion: String)? {
    guard role == .kernel, alpha == .none else { return nil }
    var explicit = self
    explicit.alpha = .autoPo2
    return (
      "a kernel's quantizer without alpha becomes auto_po2, as in QKeras", "say so: \(explicit)"
    )
  }
}
