//! The tuner that draws selections at random. Knows no score.

/// Uniform selections without repetition.
package struct RandomTuner: Sendable {
  private let space: SearchSpace
  private var seen: Set<[Int]> = []

  package init(_ space: SearchSpace) { self.space = space }

  /// The next selection; nil when every one has been given.
  ///
  /// - Parameter draw: a uniform integer below the given bound. The caller's, so that a search gives
  ///   the same trials whatever this language's own generators become.
  package mutating func propose(drawing draw: (Int) -> Int) -> [Int]? {
    if let count = space.count, seen.count >= count { return nil }
    while true {
      let selection = space.choices.map { draw($0.candidates.count) }
      if seen.insert(selection).inserted { return selection }
    }
  }
}
