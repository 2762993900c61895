//! A search's trials as CSV: all of them, and those that no other one beats. Knows no network.

import Files
import Networks
import Search

struct TrialTables {
  let trials: [SearchTrial]
  let space: SearchSpace
  /// The metric's column.
  let metric: String

  /// A row a trial, a column for each choice's bits. `key` names the trial in the cache and its log.
  var trialsTable: String { table(trials) }

  /// The trials that have a better metric than every one that costs as little, from cheap to dear.
  var paretoTable: String { table(Self.front(of: trials)) }

  /// Of equal trials the first stays.
  static func front(of trials: [SearchTrial]) -> [SearchTrial] {
    let sorted = trials.filter { $0.failure == nil }.sorted {
      ($0.cost.size, -$0.metric, $0.number) < ($1.cost.size, -$1.metric, $1.number)
    }
    var front: [SearchTrial] = []
    for trial in sorted where trial.metric > front.last?.metric ?? -.infinity {
      front.append(trial)
    }
    return front
  }

  /// Whether the goal counts energy.
  private var hasEnergy: Bool { trials.contains { $0.cost.energy != nil } }

  private func table(_ shown: [SearchTrial]) -> String {
    let names = space.choices.map { choice in
      choice.slots.joined(separator: "+") + "." + choice.role.rawValue
    }
    let header =
      ["trial", "state", "score", metric, "delta", "total_bits", "parameter_bits"]
      + ["activation_bits"] + (hasEnergy ? ["picojoules"] : []) + ["epochs"] + names + ["key"]
    return ([header] + shown.map(row)).map { $0.joined(separator: ",") + "\n" }.joined()
  }

  private func row(_ trial: SearchTrial) -> [String] {
    let isDone = trial.failure == nil
    let bits = trial.cost.bits
    var row = [
      "\(trial.number)", trial.state.rawValue, isDone ? "\(trial.score)" : "",
      isDone ? "\(trial.metric)" : "", "\(trial.delta)", "\(bits.totalBits)",
      "\(bits.parameterBits)", "\(bits.activationBits)",
    ]
    if hasEnergy { row.append(trial.cost.energy.map { "\($0.picojoules)" } ?? "") }
    row.append(isDone ? "\(trial.byEpoch.count)" : "")
    for choice in space.choices {
      let map =
        switch choice.role {
        case .kernel: trial.quantizers.kernels
        case .bias: trial.quantizers.biases
        case .activation: trial.quantizers.activations
        }
      row.append(choice.slots.first.flatMap { map[$0] }.map { "\($0.bits)" } ?? "")
    }
    return row + [trial.key.hex]
  }
}
