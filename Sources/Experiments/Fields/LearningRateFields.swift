//! A learning rate by epoch, resolved. Knows no optimizer.

/// The learning rate of an epoch, counted from 0.
package enum LearningRateFields: Hashable, Sendable {
  case constant(Double)
  /// initial * decay^epoch.
  case exponential(initial: Double, decay: Double)
  /// The rate of the last step whose `fromEpoch` is reached; the first one's is 0.
  case piecewise([Step])
  /// Keras's CosineDecay by epochs: from `initial` to `alpha * initial` within `decayEpochs`.
  case cosine(initial: Double, alpha: Double, decayEpochs: Int)
  /// A rate for each epoch; the last one goes on.
  case table([Double])

  package struct Step: Hashable, Sendable, Codable {
    package enum CodingKeys: String, CodingKey {
      case rate
      case fromEpoch = "from_epoch"
    }

    package var fromEpoch: Int
    package var rate: Double
  }

  package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
    case constant, exponential, piecewise, cosine, table
  }

  /// Whether each epoch sets the rate anew, whatever a callback made of it.
  package var isSchedule: Bool { if case .constant = self { false } else { true } }
}

extension LearningRateFields: Codable {
  package enum CodingKeys: String, CodingKey {
    case kind, initial, decay, steps, alpha, rates
    case decayEpochs = "decay_epochs"
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    func number(_ key: CodingKeys) throws -> Double {
      try container.decode(Double.self, forKey: key)
    }
    switch try container.decode(Kind.self, forKey: .kind) {
    case .constant: self = .constant(try number(.initial))
    case .exponential:
      self = .exponential(initial: try number(.initial), decay: try number(.decay))
    case .piecewise: self = .piecewise(try container.decode([Step].self, forKey: .steps))
    case .cosine:
      self = .cosine(
        initial: try number(.initial), alpha: try number(.alpha),
        decayEpochs: try container.decode(Int.self, forKey: .decayEpochs))
    case .table: self = .table(try container.decode([Double].self, forKey: .rates))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(kind, forKey: .kind)
    switch self {
    case .constant(let rate): try container.encode(rate, forKey: .initial)
    case .exponential(let initial, let decay):
      try container.encode(initial, forKey: .initial)
      try container.encode(decay, forKey: .decay)
    case .piecewise(let steps): try container.encode(steps, forKey: .steps)
    case .cosine(let initial, let alpha, let decayEpochs):
      try container.encode(initial, forKey: .initial)
      try container.encode(alpha, forKey: .alpha)
      try container.encode(decayEpochs, forKey: .decayEpochs)
    case .table(let rates): try container.encode(rates, forKey: .rates)
    }
  }

  private var kind: Kind {
    switch self {
    case .constant: .constant
    case .exponential: .exponential
    case .piecewise: .piecewise
    case .cosine: .cosine
    case .table: .table
    }
  }
}
