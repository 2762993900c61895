//! `accept`: a change that the user declares harmless. Knows no stage's work.

import ArgumentParser
import Diagnostics
import Experiments
import Files
import Pipeline

struct AcceptCommand: ColoringCommand {
  static let configuration = CommandConfiguration(
    commandName: "accept",
    abstract: "Take a stage's newest earlier output for what it would make now.",
    discussion: """
      For a change that does not matter to the result. The output is recorded under the stage's \
      present keys together with who accepted which differences, which `explain` and `history` \
      show. Stages that need it are then up to date or run by the usual rules.
      """)

  @OptionGroup var pipeline: PipelineOptions
  @Argument(help: "Stages, or patterns such as '*/evaluate'.")
  var stages: [String]
  @OptionGroup var store: StoreOptions
  @Flag(help: "One JSON object a stage.")
  var json = false

  var color: ColorChoice { pipeline.fields.color }

  func run() throws {
    let resolved = try pipeline.resolve()
    let store = try Store(root: store.store)
    let use = try store.use()
    defer { use.release() }
    let selection = try StageSelection(
      StageRequest(targets: stages, forced: stages), in: resolved.graph)
    let names = selection.graph.stages.map(\.name).filter(selection.forced.contains)
    for name in names {
      // What was accepted before it is an input that is there now.
      let plan = try Plan(graph: selection.graph, store: store)
      guard let entry = plan[name] else { continue }
      let acceptance = try accept(entry, in: store)
      if json {
        Console.out(
          JSONValue.object(["stage": .string(name), "accepted": acceptance.json]).canonicalText)
      } else {
        Console.out("\(name)  accepted, though it differs from the run that made its output:")
        for difference in acceptance.differences { Console.out("    \(difference)") }
      }
    }
    try store.sync()
  }

  private func accept(_ entry: Plan.Entry, in store: Store) throws -> Acceptance {
    do {
      return try store.accept(
        entry, by: RunInfo.currentUser, on: RunInfo.currentHost, at: WallTime.utc(WallTime.now))
    } catch let error as AcceptanceError {
      throw InvalidSpec([
        Diagnostic(
          .error, "\(error)", at: entry.stage.location, length: entry.stage.name.count)
      ])
    }
  }
}
