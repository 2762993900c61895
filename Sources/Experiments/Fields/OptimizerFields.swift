//! An optimizer, resolved, without its learning rate. Knows no default.

/// An optimizer with its constants, in Keras's names.
package enum OptimizerFields: Hashable, Sendable {
  case adam(beta1: Double, beta2: Double, epsilon: Double)
  case sgd(momentum: Double, nesterov: Bool)

  package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
    case adam, sgd
  }

  /// With Keras's defaults.
  package static let adam = OptimizerFields.adam(beta1: 0.9, beta2: 0.999, epsilon: 1e-7)
}

extension OptimizerFields: Codable {
  package enum CodingKeys: String, CodingKey {
    case kind, epsilon, momentum, nesterov
    case beta1 = "beta_1"
    case beta2 = "beta_2"
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    switch try container.decode(Kind.self, forKey: .kind) {
    case .adam:
      self = .adam(
        beta1: try container.decode(Double.self, forKey: .beta1),
        beta2: try container.decode(Double.self, forKey: .beta2),
        epsilon: try container.decode(Double.self, forKey: .epsilon))
    case .sgd:
      self = .sgd(
        momentum: try container.decode(Double.self, forKey: .momentum),
        nesterov: try container.decode(Bool.self, forKey: .nesterov))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .adam(let beta1, let beta2, let epsilon):
      try container.encode(Kind.adam, forKey: .kind)
      try container.encode(beta1, forKey: .beta1)
      try container.encode(beta2, forKey: .beta2)
      try container.encode(epsilon, forKey: .epsilon)
    case .sgd(let momentum, let nesterov):
      try container.encode(Kind.sgd, forKey: .kind)
      try container.encode(momentum, forKey: .momentum)
      try container.encode(nesterov, forKey: .nesterov)
    }
  }
}
