//! `log`: what a stage said when it last ran, or says now. Knows no stage.

import ArgumentParser
import Diagnostics
import Files
import Glibc
import Pipeline

struct LogCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "log", abstract: "Print the log of a stage's last run.")

  @Argument(help: "The stage's name.")
  var stage: String
  @Flag(name: .shortAndLong, help: "Go on until the stage ends.")
  var follow = false
  @Option(
    help: ArgumentHelp("Of this pipeline (default: any); a name, not a file.", valueName: "name"))
  var pipeline: String?
  @Option(
    name: .customLong("run"),
    help: ArgumentHelp("Of this run (default: the last one).", valueName: "run"))
  var runName: String?
  @OptionGroup var store: StoreOptions
  @Flag(help: "Where the log is, as a JSON object, instead of what it says.")
  var json = false

  func run() throws {
    let store = try Store(root: store.store)
    guard let (story, found) = find(in: store), let log = found.log else {
      throw ValidationError(unknown(in: store))
    }
    if json {
      Console.out(
        JSONValue.object([
          "run": .string(story.info.id), "stage": .string(stage), "log": .string(log),
          "state": .string(found.state),
        ]).canonicalText)
      return
    }
    let file = open(log, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      throw LibraryError(library: "libc", call: "open", code: Int(errno), path: log)
    }
    defer { close(file) }
    Self.copy(file)
    while follow, isRunning(in: store.story(of: story.info.id)) {
      // People read at this pace; the kernel would tell of writes, but not of the stage's end.
      usleep(200_000)
      Self.copy(file)
    }
    if follow { Self.copy(file) }
  }

  private func isRunning(in story: RunStory?) -> Bool {
    guard let story, story.outcome == .running else { return false }
    return story.running.contains { $0.name == stage }
  }

  private var isWanted: (RunStory) -> Bool {
    { story in pipeline.map { $0 == story.info.pipeline } ?? true }
  }

  /// The newest run in which the stage ran.
  private func find(in store: Store) -> (RunStory, StageStory)? {
    for id in runName.map({ [$0] }) ?? store.runs {
      guard let story = store.story(of: id), isWanted(story) else { continue }
      if let stage = story.stages.first(where: { $0.name == stage && $0.log != nil }) {
        return (story, stage)
      }
    }
    return nil
  }

  private func unknown(in store: Store) -> String {
    var names: Set<String> = []
    for id in runName.map({ [$0] }) ?? store.runs {
      guard let story = store.story(of: id), isWanted(story) else { continue }
      names.formUnion(story.stages.filter { $0.log != nil }.map(\.name))
    }
    let hint = closest(to: stage, among: names.sorted()).map { "; did you mean `\($0)`?" } ?? ""
    return "no run on this store has a log of a stage `\(stage)`\(hint)"
  }

  private static func copy(_ file: Int32) {
    withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) { buffer in
      while true {
        let count = read(file, buffer.baseAddress, buffer.count)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return }
        let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
        Console.write(bytes, to: STDOUT_FILENO)
      }
    }
  }
}
