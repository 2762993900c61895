//! What a search may choose: quantizers for slots. Knows no tuner and no accuracy.

package import Networks

/// The decisions of a search, in the tuner's order.
package struct SearchSpace: Hashable, Sendable {
  /// One decision: a quantizer for one slot, or the same for several.
  package struct Choice: Hashable, Sendable {
    package var role: Slot.Role
    /// Names of the slots, as keys of the role's part of a `QuantizerMap`.
    package var slots: [String]
    /// At least one; a single one is fixed.
    package var candidates: [QuantizerSpec]

    package init(role: Slot.Role, slots: [String], candidates: [QuantizerSpec]) {
      self.role = role
      self.slots = slots
      self.candidates = candidates
    }
  }

  package var choices: [Choice]

  package init(_ choices: [Choice]) {
    precondition(choices.allSatisfy { !$0.candidates.isEmpty }, "a choice without a candidate")
    self.choices = choices
  }

  /// How many selections there are; nil where they exceed `Int`.
  package var count: Int? {
    choices.reduce(1 as Int?) { product, choice in
      product.flatMap { product in
        let (value, overflow) = product.multipliedReportingOverflow(by: choice.candidates.count)
        return overflow ? nil : value
      }
    }
  }

  /// The quantizers that a selection (an index into each choice's candidates) stands for.
  package func quantizers(_ selection: [Int]) -> QuantizerMap {
    precondition(selection.count == choices.count, "one index for each choice")
    var map = QuantizerMap()
    for (choice, index) in zip(choices, selection) {
      for slot in choice.slots {
        let quantizer = choice.candidates[index]
        switch choice.role {
        case .kernel: map.kernels[slot] = quantizer
        case .bias: map.biases[slot] = quantizer
        case .activation: map.activations[slot] = quantizer
        }
      }
    }
    return map
  }
}
