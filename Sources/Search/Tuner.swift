//! What a tuner is: a value that proposes trials and is told how they went. Runs none of them.

/// What a tuner asks for.
package struct Proposal: Hashable, Sendable {
  /// An index into each choice's candidates.
  package var selection: [Int]
  /// Epochs of the trial altogether; nil for as many as the search says.
  package var epochs: Int?
  /// The trial of the same selection whose weights it goes on from.
  package var continues: Int?

  package init(selection: [Int], epochs: Int? = nil, continues: Int? = nil) {
    self.selection = selection
    self.epochs = epochs
    self.continues = continues
  }
}

/// A trial that has ended.
package struct FinishedTrial: Hashable, Sendable {
  package var proposal: Proposal
  /// The greater the better; nil for a trial that failed.
  package var score: Double?

  package init(_ proposal: Proposal, score: Double?) {
    self.proposal = proposal
    self.score = score
  }
}

/// A way to search.
///
/// What it proposes follows from its settings, its seed and the trials that it was told, in their
/// order, and from nothing else. So a search that was killed goes on by telling a new tuner all
/// trials that ended, and asking for the batch that was under way again.
package protocol Tuner: Sendable {
  /// The next trials, at most `count`: none of them knows another's score. Fewer where no more may
  /// run before these are told, none at the end of the search.
  mutating func propose(_ count: Int) -> [Proposal]

  /// Takes in trials in the order of their numbers, which count from 0.
  mutating func tell(_ trials: [FinishedTrial])
}
