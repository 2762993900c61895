//! `status`: what runs now, on this store. Knows of runs what their folders tell.

import ArgumentParser
import Files
import Pipeline

struct StatusCommand: ColoringCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show what runs where, since when, and how far it is.")

  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions

  var color: ColorChoice { output.color }

  func run() throws {
    let store = try Store(root: store.store)
    let style = Style(isColored: color.applies(to: 1))
    let stories = store.runs.compactMap { store.story(of: $0, brief: true) }
    let live = stories.filter { $0.outcome == .running }.compactMap {
      store.story(of: $0.info.id)
    }.filter { $0.outcome == .running }
    if output.json {
      for story in live { Console.out(story.json(withStages: true).canonicalText) }
      return
    }
    guard !live.isEmpty else {
      Console.out("nothing runs")
      if let last = stories.first { Console.out("the last run: " + RunText.line(last)) }
      return
    }
    for (index, story) in live.enumerated() {
      if index > 0 { Console.out("") }
      for line in lines(story, style: style) { Console.out(line) }
    }
  }

  private func lines(_ story: RunStory, style: Style) -> [String] {
    let info = story.info
    let now = WallTime.now
    var lines = [
      "\(style.bold(info.pipeline))  run \(info.id) on \(info.host), process \(info.pid), since "
        + "\(WallTime.local(info.started)) (\(Text.duration(now - info.started)))"
    ]
    let counts = story.counts
    let settled = counts.ran + counts.hits + counts.failed + counts.skipped
    var parts = ["\(counts.ran) done", "\(counts.hits) there already"]
    if counts.failed > 0 { parts.append(style.red("\(counts.failed) failed")) }
    if counts.skipped > 0 { parts.append("\(counts.skipped) skipped") }
    parts.append("\(story.running.count) running")
    parts.append("\(max(0, info.stages - settled - story.running.count)) to go")
    lines.append("  " + parts.joined(separator: ", "))
    let rows = story.running.map { stage in
      let since = stage.began.map { "for " + Text.duration(max(0, now - $0)) } ?? ""
      return ["  " + stage.name, since, stage.progress.map(LiveLine.text) ?? ""]
    }
    return lines + Text.table(rows)
  }
}

/// Options of commands that only show something.
struct OutputOptions: ParsableArguments {
  @Flag(help: "JSON, an object a line.")
  var json = false

  @Option(help: "Colours: auto, always or never.")
  var color: ColorChoice = .auto
}

/// Runs in words.
enum RunText {
  /// `20261128T101500-k3x9  cifar10  done in 3.2 s: 4 ran, 8 there already`
  static func line(_ story: RunStory) -> String {
    "\(story.info.id)  \(story.info.pipeline)  \(story.outcome.rawValue)"
      + (story.outcome == .running ? "" : " in \(duration(story))") + ": \(counts(story))"
  }

  static func duration(_ story: RunStory) -> String {
    Text.duration(max(0, story.ended - story.info.started))
  }

  static func counts(_ story: RunStory) -> String {
    let counts = story.counts
    var parts = ["\(counts.ran) ran", "\(counts.hits) there already"]
    if counts.failed > 0 { parts.append("\(counts.failed) failed") }
    if counts.skipped > 0 { parts.append("\(counts.skipped) skipped") }
    return parts.joined(separator: ", ")
  }
}

extension RunStory {
  func json(withStages: Bool) -> JSONValue {
    guard case .object(var members) = info.json else { preconditionFailure("it is an object") }
    members["outcome"] = .string(outcome.rawValue)
    members["seconds"] = .double(max(0, ended - info.started))
    members["ran"] = .int(counts.ran)
    members["hits"] = .int(counts.hits)
    members["failed"] = .int(counts.failed)
    members["skipped"] = .int(counts.skipped)
    members["planned"] = members.removeValue(forKey: "stages")
    if withStages { members["stages"] = .array(stages.map(\.json)) }
    return .object(members)
  }
}

extension StageStory {
  var json: JSONValue {
    var members: [String: JSONValue] = ["stage": .string(name), "state": .string(state)]
    members["began"] = began.map { .double($0) }
    members["seconds"] = seconds.map { .double($0) }
    members["log"] = log.map { .string($0) }
    members["message"] = message.map { .string($0) }
    if let progress {
      members["epoch"] = progress.epoch.map { .int($0) }
      members["epochs"] = progress.epochs.map { .int($0) }
      members["samples_per_second"] = progress.samplesPerSecond.map { .double($0) }
      members["seconds_left"] = progress.secondsLeft.map { .double($0) }
    }
    return .object(members)
  }
}
