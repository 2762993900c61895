//! `history`: the runs so far, one of them, and what was accepted. Changes nothing.

import ArgumentParser
import Files
import Pipeline

struct HistoryCommand: ColoringCommand {
  static let configuration = CommandConfiguration(
    commandName: "history",
    abstract: "Show the runs so far, or the stages of one, and what was accepted.")

  @Argument(help: "A run (default: all).")
  var name: String?
  @Option(name: .shortAndLong, help: ArgumentHelp("At most so many runs.", valueName: "n"))
  var number = 20
  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions

  var color: ColorChoice { output.color }

  func validate() throws {
    if number < 1 { throw ValidationError("-n takes a number of at least 1") }
  }

  func run() throws {
    let store = try Store(root: store.store)
    if let name {
      guard let story = store.story(of: name) else {
        throw ValidationError("there is no run `\(name)`; `shiftwork history` lists them")
      }
      show(story)
    } else {
      showAll(in: store)
    }
  }

  private func show(_ story: RunStory) {
    if output.json {
      Console.out(story.json(withStages: true).canonicalText)
      return
    }
    Console.out(RunText.line(story))
    let info = story.info
    Console.out(
      "\(WallTime.local(info.started)) by \(info.user) on \(info.host), in \(info.directory)")
    Console.out(info.arguments.joined(separator: " "))
    let rows = story.stages.filter { $0.state != "hit" }.map { stage in
      [stage.name, stage.state, stage.seconds.map(Text.duration) ?? "", note(stage)]
    }
    for line in Text.table(rows) { Console.out(line) }
    if story.counts.hits > 0 { Console.out("\(story.counts.hits) were there already") }
  }

  private func note(_ stage: StageStory) -> String {
    guard stage.state == "failed" else { return "" }
    let message = stage.message.map { String($0.split(separator: "\n").first ?? "") } ?? ""
    return message + (stage.log.map { "  log: \($0)" } ?? "")
  }

  private func showAll(in store: Store) {
    let stories = store.runs.lazy.compactMap { store.story(of: $0, brief: true) }.prefix(number)
    if output.json {
      for story in stories { Console.out(story.json(withStages: false).canonicalText) }
    } else {
      let rows = stories.map { story in
        [
          story.info.id, WallTime.local(story.info.started), story.info.pipeline,
          story.outcome.rawValue, RunText.duration(story), RunText.counts(story),
        ]
      }
      let header = ["run", "began", "pipeline", "outcome", "took", "stages"]
      Console.out(
        rows.isEmpty
          ? "no runs so far" : Text.table([header] + rows).joined(separator: "\n"))
    }
    for record in store.records {
      guard let acceptance = record.acceptance else { continue }
      if output.json {
        Console.out(
          JSONValue.object(["stage": .string(record.name), "accepted": acceptance.json])
            .canonicalText)
      } else {
        Console.out(
          "\(acceptance.time)  \(acceptance.user) accepted \(record.name): "
            + acceptance.differences.joined(separator: ", "))
      }
    }
  }
}
