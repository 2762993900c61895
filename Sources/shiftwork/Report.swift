//! What a run comes to: the table on the terminal, report.md and summary.csv. Knows metrics only as
//! named numbers.

import Files
import Pipeline

/// One stage's line.
struct ReportRow: Sendable {
  var stage: String
  var kind: String
  /// hit, done, failed, skipped or interrupted.
  var state: String
  /// Of the run that made the result, now or earlier.
  var seconds: Double?
  var metrics: JSONValue
  var artifact: String?
}

/// All stages of a run, in the graph's order.
struct Report {
  var pipeline: String
  /// Nil for commands alone.
  var experiment: String?
  var rows: [ReportRow]

  /// For the terminal.
  func table(style: Style) -> [String] {
    let header = ["stage", "state", "seconds", "metrics"]
    let body = rows.map { row in
      [
        row.stage, row.state, row.seconds.map { Text.fixed($0, 1) } ?? "",
        Metrics(row.metrics).summary,
      ]
    }
    let lines = Text.table([header] + body, numeric: [2])
    return lines.enumerated().map { index, line in
      if index == 0 { return style.bold(line) }
      switch rows[index - 1].state {
      case "failed", "interrupted": return style.red(line)
      case "hit", "skipped": return style.dim(line)
      default: return line
      }
    }
  }

  /// The same bytes for the same results, whether they were computed or found.
  var markdown: String {
    let names = columns(shownOnly: true)
    var lines = [
      "# \(pipeline)", "",
      (experiment.map { "Experiment `\($0)`. " } ?? "")
        + "Each stage's files lie in the folder of its name.",
      "",
    ]
    let header = ["stage", "kind"] + names.map { String($0.split(separator: ".").last ?? "") }
    lines.append("| " + header.joined(separator: " | ") + " |")
    lines.append(
      "|" + header.indices.map { $0 < 2 ? "---|" : "---:|" }.joined())
    for row in rows {
      let values = Metrics(row.metrics).values
      let cells = names.map { name in
        values.first { $0.name == name }.map { Metrics.text($0.value) } ?? ""
      }
      lines.append("| " + ([row.stage, row.kind] + cells).joined(separator: " | ") + " |")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Every metric in full, a stage a line; an absent metric is empty (pandas reads NaN).
  var csv: String {
    let names = columns(shownOnly: false)
    var lines = [(["stage", "kind", "seconds", "artifact"] + names).map(Self.cell)]
    for row in rows {
      let values = Metrics(row.metrics).values
      let cells = names.map { name in
        values.first { $0.name == name }.map { Self.plain($0.value) } ?? ""
      }
      let seconds = row.seconds.map { Text.fixed($0, 3) } ?? ""
      lines.append(([row.stage, row.kind, seconds, row.artifact ?? ""] + cells).map(Self.cell))
    }
    return lines.map { $0.joined(separator: ",") }.joined(separator: "\n") + "\n"
  }

  private func columns(shownOnly: Bool) -> [String] {
    var names: [String] = []
    for row in rows {
      let metrics = Metrics(row.metrics)
      for (name, _) in shownOnly ? metrics.shown : metrics.values where !names.contains(name) {
        names.append(name)
      }
    }
    return names
  }

  private static func plain(_ value: JSONValue) -> String {
    switch value {
    case .string(let text): text
    case .null: ""
    default: value.canonicalText
    }
  }

  private static func cell(_ text: String) -> String {
    guard text.contains(where: { $0 == "," || $0 == "\"" || $0 == "\n" || $0 == "\r" }) else {
      return text
    }
    let doubled = text.split(separator: "\"", omittingEmptySubsequences: false)
    return "\"" + doubled.joined(separator: "\"\"") + "\""
  }
}
