//! `compare`: which fields and metrics set two runs, points, stages or artifacts apart.

import ArgumentParser
import Files
import Pipeline

struct CompareCommand: ColoringCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Show which fields and metrics set two results apart.",
    discussion: """
      Each side is a run of `shiftwork history`, a folder below results, a pipeline's file with a \
      point of its sweep or a stage (pipelines/tiny.yaml:seed=1), or the first digits of an \
      artifact's digest. Stages are matched by their names, two single stages whatever they are \
      called.
      """)

  @Argument(help: "One side.")
  var a: String
  @Argument(help: "The other side.")
  var b: String
  @OptionGroup var fields: FieldOptions
  @OptionGroup var store: StoreOptions
  @Flag(help: "One JSON object a stage.")
  var json = false

  var color: ColorChoice { fields.color }

  func run() throws {
    let sides = ComparedSides(store: try Store(root: store.store), fields: fields)
    let comparison = Comparison(try sides.find(a), try sides.find(b))
    if json {
      for object in comparison.objects { Console.out(object.canonicalText) }
    } else {
      let style = Style(isColored: color.applies(to: 1))
      for line in comparison.lines(a: a, b: b, style: style) { Console.out(line) }
    }
  }
}
