//! `graph`: the stages and what they need, for Graphviz or Mermaid.

import ArgumentParser
import Experiments
import Files
import Pipeline

struct GraphCommand: ColoringCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case dot, mermaid
  }

  static let configuration = CommandConfiguration(
    commandName: "graph", abstract: "Print the stages and what they need.")

  @OptionGroup var pipeline: PipelineOptions
  @Option(help: "dot or mermaid.")
  var format: Format = .dot
  @Flag(help: "One JSON object a stage instead.")
  var json = false

  var color: ColorChoice { pipeline.fields.color }

  func run() throws {
    let graph = try pipeline.resolve(requiresFiles: false).graph
    guard !json else { return Self.json(graph) }
    switch format {
    case .dot: Self.dot(graph)
    case .mermaid: Self.mermaid(graph)
    }
  }

  private static func json(_ graph: StageGraph) {
    for (index, stage) in graph.stages.enumerated() {
      let inputs = stage.inputs.map { role, source in
        switch source {
        case .stage(let name, _): (role, JSONValue.object(["stage": .string(name)]))
        case .file(let path, _): (role, JSONValue.object(["file": .string(path)]))
        }
      }
      Console.out(
        JSONValue.object([
          "stage": .string(stage.name), "kind": .string(stage.kind),
          "needs": .array(graph.producers[index].map { .string(graph.stages[$0].name) }),
          "inputs": .object(Dictionary(inputs) { first, _ in first }),
        ]).canonicalText)
    }
  }

  private static func label(_ stage: Stage) -> String {
    stage.name == stage.kind ? stage.name : "\(stage.name)\\n(\(stage.kind))"
  }

  private static func dot(_ graph: StageGraph) {
    Console.out("digraph pipeline {\n  rankdir=LR;\n  node [shape=box];")
    for (index, stage) in graph.stages.enumerated() {
      Console.out("  \"\(stage.name)\" [label=\"\(label(stage))\"];")
      for producer in graph.producers[index] {
        Console.out("  \"\(graph.stages[producer].name)\" -> \"\(stage.name)\";")
      }
    }
    Console.out("}")
  }

  private static func mermaid(_ graph: StageGraph) {
    Console.out("flowchart LR")
    for (index, stage) in graph.stages.enumerated() {
      // Names of our own: Mermaid has reserved words.
      let text = label(stage).split(separator: "\\n").joined(separator: "<br>")
      Console.out("  s\(index)[\"\(text)\"]")
      for producer in graph.producers[index] { Console.out("  s\(producer) --> s\(index)") }
    }
  }
}
