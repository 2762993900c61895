//! The optimizer and its learning rate as an experiment writes them.

import Diagnostics
import Specs

extension OptimizerFields {
  /// `adam`, or `{kind: sgd, momentum: 0.9, nesterov: true}`.
  init?(_ parent: inout Section, at key: String) {
    guard let node = parent.node(key) else { return nil }
    guard case .mapping = node.value else {
      guard let kind = node.choice(of: Kind.self, named: "optimizer", parent.faults) else {
        return nil
      }
      self = kind == .adam ? .adam : .sgd(momentum: 0, nesterov: false)
      return
    }
    guard var section = parent.section(key) else { return nil }
    switch section.choice("kind", of: Kind.self) {
    case .adam:
      self = .adam(
        beta1: section.double("beta_1", in: 0...0.999_999, default: 0.9),
        beta2: section.double("beta_2", in: 0...0.999_999_9, default: 0.999),
        epsilon: section.double("epsilon", in: 1e-12...1, default: 1e-7))
    case .sgd:
      let momentum = section.double("momentum", in: 0...1, default: 0)
      let nesterov = section.bool("nesterov", default: false)
      if nesterov, momentum == 0, let place = section.node["nesterov"] {
        section.faults.add(
          place.diagnostic(
            "nesterov changes nothing without a momentum", suggestion: "write `momentum: 0.9`"))
      }
      self = .sgd(momentum: momentum, nesterov: nesterov)
    }
    section.rejectUnknownKeys()
    parent.adopt(section, at: key)
  }
}

extension LearningRateFields {
  private static let rates = 1e-12...1e3

  /// A number, or `{kind: exponential, initial: 0.001, decay: 0.99}`.
  init?(_ parent: inout Section, at key: String) {
    guard let node = parent.node(key) else { return nil }
    guard case .mapping = node.value else {
      self = .constant(parent.double(key, in: Self.rates))
      return
    }
    guard var section = parent.section(key) else { return nil }
    switch section.choice("kind", of: Kind.self) {
    case .constant:
      self = .constant(section.double("initial", in: Self.rates))
    case .exponential:
      let initial = section.double("initial", in: Self.rates)
      let decay = section.double("decay", in: 1e-6...1, default: 1)
      // A rate that never decays is constant: one spelling, one key.
      self = decay == 1 ? .constant(initial) : .exponential(initial: initial, decay: decay)
    case .piecewise: self = .piecewise(Self.steps(&section))
    case .cosine:
      self = .cosine(
        initial: section.double("initial", in: Self.rates),
        alpha: section.double("alpha", in: 0...1, default: 0),
        decayEpochs: section.int("decay_epochs", in: 1...100_000))
    case .table: self = .table(Self.table(&section))
    }
    section.rejectUnknownKeys()
    parent.adopt(section, at: key)
  }

  private static func steps(_ section: inout Section) -> [Step] {
    guard let node = section.node("steps") else {
      section.faults.add(section.node.diagnostic("a piecewise learning rate needs `steps`"))
      return []
    }
    guard case .sequence(let elements) = node.value, !elements.isEmpty else {
      section.faults.add(node.diagnostic("steps is a list of `{from_epoch: 0, rate: 0.001}`"))
      return []
    }
    var steps: [Step] = []
    for element in elements {
      guard
        var child = Section.mapping(element, in: "learning_rate.steps", faults: section.faults)
      else { continue }
      let step = Step(
        fromEpoch: child.int("from_epoch", in: 0...100_000),
        rate: child.double("rate", in: rates))
      child.rejectUnknownKeys()
      let isNext = steps.last.map { $0.fromEpoch < step.fromEpoch } ?? (step.fromEpoch == 0)
      if !isNext {
        section.faults.add(
          element.diagnostic("steps start at epoch 0 and each at a later one than the step before"))
      }
      steps.append(step)
    }
    return steps
  }

  private static func table(_ section: inout Section) -> [Double] {
    guard let node = section.node("rates") else {
      section.faults.add(section.node.diagnostic("a table of learning rates needs `rates`"))
      return []
    }
    guard case .sequence(let elements) = node.value, !elements.isEmpty else {
      section.faults.add(node.diagnostic("rates is a list of numbers, one for each epoch"))
      return []
    }
    return elements.compactMap { element in
      let rate: Double? =
        switch element.value {
        case .int(let whole): Double(whole)
        case .float(let number): number
        default: nil
        }
      if let rate, rates.contains(rate) { return rate }
      section.faults.add(
        element.diagnostic(
          "a rate is a number in \(rates.lowerBound)...\(rates.upperBound), not \(element.found)"))
      return nil
    }
  }
}
