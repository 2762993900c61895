//! `search compare`: which of several searches came further, and in how many trials.

import ArgumentParser
import Files
import Pipeline

struct SearchCompareCommand: ColoringCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compare searches: their best trials, and how many trials each needed.",
    discussion: """
      Each side is a folder below results or a pipeline's file with a stage or point \
      (pipelines/tiny.yaml:seed=1); one that leads to several searches stands for all of them. \
      Scores compare where network, goal and data are the same.
      """)

  @Argument(help: "Folders below results, or PIPELINE.yaml[:STAGE or :POINT].")
  var sides: [String]
  @OptionGroup var fields: FieldOptions
  @OptionGroup var store: StoreOptions
  @Flag(help: "One JSON object a search.")
  var json = false

  var color: ColorChoice { fields.color }

  func run() throws {
    let finder = SearchFinder(store: try Store(root: store.store), fields: fields)
    let searches = try sides.flatMap(finder.find)
    guard searches.count > 1 else {
      throw ValidationError("\(searches.count) searches are not enough to compare: name more")
    }
    let comparison = SearchComparison(searches: searches)
    if json {
      for object in comparison.objects { Console.out(object.canonicalText) }
    } else {
      let style = Style(isColored: color.applies(to: 1))
      for line in comparison.lines(style: style) { Console.out(line) }
    }
  }
}

/// Several searches side by side.
struct SearchComparison {
  let searches: [FoundSearch]

  /// How many trials each search took to come to another's best score; nil: never.
  func reached(_ search: FoundSearch, _ other: FoundSearch) -> Int? {
    other.best?.score.flatMap { search.trials(toReach: $0) }
  }

  /// 1, 2, 5, 10, ... below the longest search's trials, and that number.
  var milestones: [Int] {
    let most = searches.map(\.trials.count).max() ?? 0
    var counts: [Int] = []
    var power = 1
    while power <= most {
      counts += [1, 2, 5].map { $0 * power }.filter { $0 < most }
      power *= 10
    }
    return counts + (most > 0 ? [most] : [])
  }

  func lines(style: Style) -> [String] {
    let metrics = Set(searches.map(\.metric))
    let numbers = searches.indices.map { "\($0 + 1)" }
    var rows = [
      [
        "", "search", "tuner", "trials", "best score",
        metrics.count == 1 ? searches[0].metric : "metric",
      ]
        + ["total_bits", "at trial", "seconds"] + numbers.map { "reaches \($0) in" }
    ]
    for (index, search) in searches.enumerated() {
      let best = search.best
      rows.append(
        [
          numbers[index], search.name, search.tuner ?? "", "\(search.trials.count)",
          SearchText.score(best?.score), SearchText.score(best?.metric),
          best?.totalBits.map { "\($0)" } ?? "", best.map { "\($0.number)" } ?? "",
          search.seconds.map { Text.fixed($0, 1) } ?? "",
        ] + searches.map { other in reached(search, other).map { "\($0)" } ?? "-" })
    }
    var lines = Text.table(rows, numeric: Set(rows[0].indices).subtracting([1, 2]))
    lines[0] = style.bold(lines[0])
    let progress =
      [["best of the first"] + numbers]
      + milestones.map { count in
        ["\(count)"]
          + searches.map { $0.trials.count < count ? "" : SearchText.score($0.best(of: count)) }
      }
    var below = Text.table(progress, numeric: Set(progress[0].indices))
    below[0] = style.bold(below[0])
    return lines + [""] + below
  }

  var objects: [JSONValue] {
    searches.map { search in
      guard case .object(var members) = search.json(withTrials: false) else {
        preconditionFailure("it is an object")
      }
      members["trials_to_reach"] = .array(
        searches.map { other in reached(search, other).map { .int($0) } ?? .null })
      members["best_of_the_first"] = .array(
        milestones.filter { $0 <= search.trials.count }.map { count in
          .array([.int(count), search.best(of: count).map { .double($0) } ?? .null])
        })
      return .object(members)
    }
  }
}
