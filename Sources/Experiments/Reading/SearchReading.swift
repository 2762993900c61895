//! The `search` section of an experiment: tuner, trials, goal. Knows how slots are chosen, not how the
//! tuner chooses.

import Diagnostics
import Networks
import Specs

/// The experiment's search, resolved against its network.
struct SearchSpec {
  var fields: SearchFields
  /// What a trial trains differently from `training`.
  var training: TrainingSection
  /// Of each trial.
  var threads: Int
  private(set) var threadsLocation: SourceLocation?
  var locations: [String: SourceLocation] = [:]
  /// Where `stopping` was written.
  private(set) var stopping: Node?

  /// Keys that are fields of the stage under the same names.
  private static let keys = [
    "tuner", "trials", "initial_trials", "factor", "batch", "max_consecutive_failed_trials",
    "transfer_weights", "stopping", "goal",
  ]

  /// - Parameter quantizers: the experiment's own, which frozen layers keep; nil where it has none.
  init(_ section: inout Section, for network: Network, quantizers: () -> QuantizerMap?) {
    training = TrainingSection(&section)
    let space = SearchSpace(&section, for: network, quantizers: quantizers)
    threads = section.int("threads", in: 1...256, default: 1)
    fields = SearchFields(
      tuner: section.choice("tuner", of: SearchFields.Tuner.self, default: .random),
      trials: section.int("trials", in: 1...1_000_000),
      initialTrials: section.optionalInt("initial_trials", in: 1...1_000_000),
      factor: section.optionalInt("factor", in: 2...100),
      batch: section.int("batch", in: 1...1024, default: 4),
      maxConsecutiveFailedTrials: section.int(
        "max_consecutive_failed_trials", in: 1...1_000_000, default: 3),
      transfersWeights: section.bool("transfer_weights", default: true),
      goal: GoalFields(&section) ?? .autoQKeras,
      choices: space.choices)
    stopping = section.node("stopping")
    fields.stopping = StoppingFields(&section)
    checkTuner(section)
    section.rejectUnknownKeys()
    let written = section.locations
    for key in Self.keys {
      for (path, location) in written where path == key || path.hasPrefix(key + ".") {
        locations[path] = location
      }
    }
    threadsLocation = written["threads"]
    for key in ["frozen", "limit", "choices"] {
      if let location = written[key] { locations["choices"] = location }
    }
  }

  /// What one tuner knows and the others do not.
  private mutating func checkTuner(_ section: Section) {
    let tuner = fields.tuner
    if tuner != .bayesian, let node = section.node["initial_trials"] {
      section.faults.add(
        node.diagnostic(
          "only the tuner `bayesian` begins with random trials, not `\(tuner.rawValue)`"))
    }
    if tuner == .hyperband {
      fields.factor = fields.factor ?? 3
      if let stopping {
        section.faults.add(
          stopping.diagnostic("`hyperband` ends hopeless trials by its own rounds"))
      }
    } else if let node = section.node["factor"] {
      section.faults.add(
        node.diagnostic("only the tuner `hyperband` has rounds, not `\(tuner.rawValue)`"))
    }
  }
}

extension StoppingFields {
  fileprivate init?(_ parent: inout Section) {
    guard var section = parent.section("stopping", in: "search.stopping") else { return nil }
    self.init(
      rule: section.choice("rule", of: Rule.self, default: .median),
      afterEpochs: section.int("after_epochs", in: 1...100_000, default: 1),
      afterTrials: section.int("after_trials", in: 1...1_000_000, default: 8))
    section.rejectUnknownKeys()
    parent.adopt(section, at: "stopping")
  }
}

extension GoalFields {
  /// Nil where nothing is written.
  fileprivate init?(_ parent: inout Section) {
    guard var section = parent.section("goal", in: "search.goal") else { return nil }
    self.init(
      kind: section.choice("kind", of: Kind.self, default: .bits),
      deltaP: section.double("delta_p", in: 0...100, default: 5),
      deltaN: section.double("delta_n", in: 0...100, default: 5),
      rate: section.double("rate", in: 1.000_001...1e6, default: 2),
      stress: section.double("stress", in: 1e-6...1e6, default: 1))
    if var table = section.section("energy", in: "search.goal.energy") {
      let energy = EnergyTable(&table)
      section.adopt(table, at: "energy")
      if kind == .energy { self.energy = energy }
    }
    if kind == .energy {
      energy = energy ?? EnergyTable()
    } else {
      section.warnIdle(["energy"], why: "the goal is `bits`")
    }
    section.rejectUnknownKeys()
    parent.adopt(section, at: "goal")
  }
}

extension EnergyTable {
  private static let range = 0...1e12

  /// What is not written is QKeras's.
  fileprivate init(_ section: inout Section) {
    self.init()
    integerAdd = Self.polynomial(&section, .integerAdd, default: integerAdd)
    integerMultiply = Self.polynomial(&section, .integerMultiply, default: integerMultiply)
    float32Add = section.double(
      CodingKeys.float32Add.rawValue, in: Self.range, default: float32Add)
    float32Multiply = section.double(
      CodingKeys.float32Multiply.rawValue, in: Self.range, default: float32Multiply)
    sramAccess = Self.polynomial(&section, .sramAccess, default: sramAccess)
    dramAccess = Self.polynomial(&section, .dramAccess, default: dramAccess)
    section.rejectUnknownKeys()
  }

  /// A list of coefficients, the highest power first.
  private static func polynomial(
    _ section: inout Section, _ key: CodingKeys, default value: Polynomial
  ) -> Polynomial {
    guard let node = section.node(key.rawValue) else { return value }
    guard case .sequence(let elements) = node.value, (1...8).contains(elements.count) else {
      section.faults.add(
        node.diagnostic(
          "\(key.rawValue) is a list of one to eight coefficients, the highest power first"))
      return value
    }
    return elements.compactMap { element in
      switch element.value {
      case .int(let whole): return Double(whole)
      case .float(let number) where number.isFinite && number.magnitude <= range.upperBound:
        return number
      default:
        section.faults.add(
          element.diagnostic("a coefficient is a number, not \(element.found)"))
        return nil
      }
    }
  }
}
