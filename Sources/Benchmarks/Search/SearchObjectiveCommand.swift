//! A search for tuners of other programs: selections in, scores out. Knows no tuner.

import ArgumentParser

struct SearchObjectiveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "search-objective",
    abstract: "Answers selections on standard input with their scores.",
    discussion: """
      The first line out has the numbers of candidates, the second the trials of the budget and the \
      best score there is. Then each line in is a trial, an index for each slot; its answer is the \
      score with noise and without.
      """)

  @Option(help: "One of \(ComparedSearch.allCases.map(\.rawValue).joined(separator: ", ")).")
  var search: ComparedSearch

  @Option(help: "The made search's seed, which is the noise's, too.")
  var seed: Int

  func validate() throws {
    guard seed >= 0 else { throw ValidationError("--seed must not be negative") }
  }

  func run() throws {
    let objective = try search.objective(seed: seed)
    let cardinalities = objective.cardinalities
    Console.write(cardinalities.map(String.init).joined(separator: " "))
    Console.write("\(search.trials) \(objective.optimum())")
    var trial = 0
    while let line = readLine() {
      let selection = line.split(separator: " ").compactMap { Int($0) }
      guard selection.count == cardinalities.count,
        zip(selection, cardinalities).allSatisfy({ (0..<$1).contains($0) })
      else { throw ValidationError("no selection: \(line)") }
      let observed = objective.observedScore(selection, seed: UInt64(seed), trial: trial)
      Console.write("\(observed) \(objective.score(selection))")
      trial += 1
    }
  }
}
