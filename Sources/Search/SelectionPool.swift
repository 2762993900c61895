//! Which selections were given, and which may still be. Knows no score.

/// The selections of a space, each to be given once.
struct SelectionPool: Sendable {
  let cardinalities: [Int]
  /// How many selections there are; nil where they exceed `Int`.
  let count: Int?
  private(set) var seen: Set<[Int]> = []

  init(_ cardinalities: [Int]) {
    self.cardinalities = cardinalities
    count = cardinalities.reduce(1 as Int?) { product, next in
      product.flatMap {
        let (value, overflow) = $0.multipliedReportingOverflow(by: next)
        return overflow ? nil : value
      }
    }
  }

  var isExhausted: Bool { count.map { seen.count >= $0 } ?? false }

  func contains(_ selection: [Int]) -> Bool { seen.contains(selection) }

  mutating func insert(_ selection: [Int]) { seen.insert(selection) }

  /// A uniform one that was not given; nil when every one was.
  mutating func random(_ draws: inout TrialDraws) -> [Int]? {
    if isExhausted { return nil }
    while true {
      let selection = cardinalities.map { draws.index(below: $0) }
      if seen.insert(selection).inserted { return selection }
    }
  }
}
