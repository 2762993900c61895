//! `search show`: the trials of a search, also while it runs.

import ArgumentParser
import Files
import Pipeline

struct SearchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "search",
    abstract: "Show the trials of a search, finished or not, or compare several.",
    subcommands: [SearchShowCommand.self, SearchCompareCommand.self])
}

struct SearchShowCommand: ColoringCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show a search's best trials and how it came to them, also while it runs.",
    discussion: """
      A search of a folder below results is finished; one of a pipeline's file may still run, or \
      have been broken off: then the trials that have ended so far are shown. Say --set and --data \
      as `run` was told.
      """)

  @Argument(help: "A pipeline's YAML file, or a folder below results.")
  var target = "results"
  @Argument(help: "The pipeline's stage, or a point of its sweep (default: all that search).")
  var stage: String?
  @Option(name: .shortAndLong, help: ArgumentHelp("So many of the best trials.", valueName: "n"))
  var number = 10
  @OptionGroup var fields: FieldOptions
  @OptionGroup var store: StoreOptions
  @Flag(help: "One JSON object a search, with all of its trials.")
  var json = false

  var color: ColorChoice { fields.color }

  func validate() throws {
    if number < 1 { throw ValidationError("-n takes a number of at least 1") }
  }

  func run() throws {
    let finder = SearchFinder(store: try Store(root: store.store), fields: fields)
    let searches = try finder.find(stage.map { "\(target):\($0)" } ?? target)
    if json {
      for search in searches { Console.out(search.json(withTrials: true).canonicalText) }
      return
    }
    if searches.isEmpty { Console.out("no trial has ended so far") }
    let style = Style(isColored: color.applies(to: 1))
    for (index, search) in searches.enumerated() {
      if index > 0 { Console.out("") }
      for line in Self.lines(search, number: number, style: style) { Console.out(line) }
    }
  }

  static func lines(_ search: FoundSearch, number: Int, style: Style) -> [String] {
    let count = search.trials.count
    var parts = [search.tuner, "\(count)" + (search.planned.map { " of \($0)" } ?? "") + " trials"]
      .compactMap { $0 }
    for state in ["stopped", "failed"] where search.count(state) > 0 {
      parts.append("\(search.count(state)) \(state)")
    }
    if !search.isFinished { parts.append("not finished") }
    parts += search.seconds.map { ["\(Text.duration($0)) of trials"] } ?? []
    var lines = ["\(style.bold(search.name))  \(parts.joined(separator: ", "))"]
    let steps = search.improvements.map { "\($0.number): \(SearchText.score($0.score))" }
    if !steps.isEmpty { lines.append("best so far, by trial  " + steps.joined(separator: ", ")) }
    let ranked = search.trials.filter { $0.score != nil }
      .sorted { ($1.score ?? 0, $0.number) < ($0.score ?? 0, $1.number) }
    let table = SearchText.table(Array(ranked.prefix(number)), of: search)
    return lines + Text.table(table, numeric: Set(table[0].indices).subtracting([1]))
  }
}

/// Trials in words.
enum SearchText {
  static func score(_ value: Double?) -> String { value.map { Text.fixed($0, 4) } ?? "" }

  static func percent(_ share: Double?) -> String {
    share.map { Text.fixed(100 * $0, 2) + " %" } ?? ""
  }

  /// Columns that no trial fills are left out.
  static func table(_ trials: [FoundTrial], of search: FoundSearch) -> [[String]] {
    let columns: [(name: String, text: (FoundTrial) -> String)] = [
      ("trial", { "\($0.number)" }), ("state", { $0.state }), ("score", { score($0.score) }),
      (search.metric, { score($0.metric) }), ("delta", { percent($0.delta) }),
      ("total_bits", { $0.totalBits.map { "\($0)" } ?? "" }),
      ("microjoules", { $0.picojoules.map { Text.fixed($0 / 1e6, 3) } ?? "" }),
      ("epochs", { $0.epochs.map { "\($0)" } ?? "" }),
      ("seconds", { $0.seconds.map { Text.fixed($0, 1) } ?? "" }),
    ]
    let shown = columns.enumerated().filter { index, column in
      index < 6 || trials.contains { !column.text($0).isEmpty }
    }.map(\.element)
    return [shown.map(\.name)] + trials.map { trial in shown.map { $0.text(trial) } }
  }
}
