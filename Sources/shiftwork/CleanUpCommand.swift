//! `gc`: what the cache can do without, shown, and removed where that is asked for.

import ArgumentParser
import Diagnostics
import Experiments
import Files
import Pipeline

struct CleanUpCommand: ColoringCommand {
  static let configuration = CommandConfiguration(
    commandName: "gc",
    abstract: "Show what no pipeline needs any more of the cache; --delete removes it.",
    discussion: """
      What the pipelines' present plans lead to is kept; of a stage that is still to run, all that \
      it ever made. Nothing is removed while something runs.
      """)

  @Flag(help: "Remove it.")
  var delete = false
  @Option(
    help: ArgumentHelp(
      "Only what is older, such as 30d, 12h or 90m; old runs are then told of no more.",
      valueName: "age"))
  var olderThan: String?
  @Option(
    help: ArgumentHelp(
      "Only as much, the oldest first, as brings the cache down to this, such as 10GB.",
      valueName: "size"))
  var maxSize: String?
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("The pipelines (default: all of pipelines/).", valueName: "file"),
    completion: .file(extensions: ["yaml"]))
  var keepReachable: [String] = []
  @OptionGroup var store: StoreOptions
  @Flag(help: "JSON, an object a line.")
  var json = false
  @OptionGroup var fields: FieldOptions

  var color: ColorChoice { fields.color }

  func validate() throws { _ = try limits }

  func run() throws {
    let store = try Store(root: store.store)
    let right = delete ? try store.ownForClearing() : nil
    guard !delete || right != nil else {
      throw ClearingRefused(root: store.root)
    }
    defer { right?.release() }
    let clearance = try Clearance(
      of: store, reachable: try reachable(in: store), limits: try limits)
    if delete { try store.clear(clearance) }
    show(clearance)
  }

  private func reachable(in store: Store) throws -> Reachable {
    let paths =
      keepReachable.isEmpty
      ? ((try? Files.list("pipelines")) ?? []).filter { $0.hasSuffix(".yaml") }.map {
        "pipelines/\($0)"
      } : keepReachable
    guard !paths.isEmpty else {
      throw ValidationError("there is no pipeline here: name some with --keep-reachable")
    }
    var reachable = Reachable()
    for path in paths {
      let pipeline = try ResolvedPipeline(
        PipelineRequest(
          path: path, overrides: fields.set, data: fields.dataFolder, requiresFiles: false,
          variable: { Environment[$0] }))
      do {
        reachable.add(try Plan(graph: pipeline.graph, store: store))
      } catch is InvalidSpec {
        // Its data are not here: nobody knows what it would find.
        reachable.add(unplanned: pipeline.graph)
      }
    }
    return reachable
  }

  private func show(_ clearance: Clearance) {
    for item in clearance.items {
      if json {
        Console.out(
          JSONValue.object([
            "kind": .string(item.kind.rawValue), "name": .string(item.name),
            "path": .string(item.path), "bytes": .int(item.bytes),
            "age_seconds": .double(item.ageSeconds), "deleted": .bool(delete),
          ]).canonicalText)
      }
    }
    guard !json else { return }
    let rows = clearance.items.map { item in
      [
        item.kind.rawValue, item.name, DataText.size(item.bytes), Text.age(item.ageSeconds),
        item.path,
      ]
    }
    for line in Text.table(rows, numeric: [2, 3]) { Console.out(line) }
    let count = clearance.items.count
    let what = "\(count) \(count == 1 ? "thing" : "things") of \(DataText.size(clearance.bytes))"
    let rest = DataText.size(clearance.totalBytes - (delete ? clearance.bytes : 0))
    if count == 0 {
      Console.out("nothing to remove; the cache takes \(rest)")
    } else if delete {
      Console.out("removed \(what); the cache takes \(rest)")
    } else {
      Console.out("would remove \(what) of \(rest); --delete does")
    }
  }

  private var limits: Clearance.Limits {
    get throws {
      Clearance.Limits(
        olderThanSeconds: try olderThan.map {
          try Self.number(
            $0, units: ["m": 60, "h": 3600, "d": 86400, "w": 604_800], "30d, 12h or 90m")
        },
        maxBytes: try maxSize.map {
          Int(
            try Self.number(
              $0, units: ["B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12], "10GB or 500MB"))
        })
    }
  }

  private static func number(
    _ text: String, units: [String: Double], _ example: String
  ) throws -> Double {
    let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let unit = String(text.dropFirst(digits.count)).trimmingPrefix(" ")
    guard let number = Double(digits), let factor = units[String(unit)], number * factor < 1e17
    else { throw ValidationError("`\(text)` is none of the likes of \(example)") }
    return number * factor
  }
}

/// Somebody uses the store.
private struct ClearingRefused: Error, CustomStringConvertible {
  var root: String

  var description: String {
    "something runs on \(root), so nothing is removed: see `shiftwork status`"
  }
}
