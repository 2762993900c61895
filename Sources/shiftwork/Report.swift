//! What a run comes to: the table on the terminal, report.md, summary.csv, and a sweep's aggregates.
//! Knows metrics only as named numbers.

import Experiments
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
  var artifact: String?
  /// Of the result.
  var record: Record?
  /// What the run hangs on; rows of one key are one run.
  var key: Digest?
  /// Nil outside a sweep.
  var point: SweepPoint?

  /// Read from the record each time.
  var metrics: JSONValue { record?.metrics ?? .object([:]) }
}

/// All stages of a run, in the graph's order.
struct Report {
  var pipeline: String
  /// Nil for commands alone.
  var experiment: String?
  var rows: [ReportRow]
  private let metrics: [Metrics]
  /// The fields that a sweep varies, sorted.
  private let fields: [String]
  private let aggregate: Aggregate

  init(pipeline: String, experiment: String?, rows: [ReportRow]) {
    self.pipeline = pipeline
    self.experiment = experiment
    self.rows = rows
    metrics = rows.map { Metrics($0.metrics) }
    fields = rows.reduce(into: Set<String>()) { $0.formUnion(($1.point?.values ?? [:]).keys) }
      .sorted()
    aggregate = Aggregate(rows, metrics)
  }

  /// Every file of the report, by its name in the folder.
  var files: [(name: String, text: String)] {
    var files = [("report.md", markdown), ("summary.csv", csv)]
    if !aggregate.isEmpty {
      files += [("aggregate.csv", aggregate.csv), ("aggregate.tex", aggregate.latex)]
    }
    return files
  }

  /// For the terminal: a line for the names, and one for each row.
  var table: [String] {
    let header = ["stage", "state", "seconds", "metrics"]
    let body = zip(rows, metrics).map { row, metrics in
      [
        row.stage, row.state, row.seconds.map { Text.fixed($0, 1) } ?? "", metrics.summary,
      ]
    }
    return Text.table([header] + body, numeric: [2])
  }

  /// The same bytes for the same results, whether they were computed or found.
  private var markdown: String {
    let names = columns { $0.shown }
    var lines = [
      "# \(pipeline)", "",
      (experiment.map { "Experiment `\($0)`. " } ?? "")
        + "Each stage's files lie in the folder of its name.",
      "",
    ]
    let words = ["stage", "kind"] + fields
    let header = words + names.map(Metrics.shortName)
    lines.append(Text.markdownRow(header))
    lines.append("|" + header.indices.map { $0 < words.count ? "---|" : "---:|" }.joined())
    for (row, metrics) in zip(rows, metrics) {
      let values = metrics.byName
      lines.append(
        Text.markdownRow(
          [row.stage, row.kind] + cells(row) + names.map { values[$0].map(Metrics.text) ?? "" }))
    }
    if aggregate.repeats {
      lines += [
        "", "Mean ± standard deviation over the seeds (of n runs, n - 1 in the denominator):", "",
      ]
      lines += aggregate.markdown
    }
    return (lines + figures).joined(separator: "\n") + "\n"
  }

  /// A search's figures; points that share it show it once.
  private var figures: [String] {
    var known: Set<String> = []
    return rows.filter { row in
      row.kind == StageKind.search.rawValue
        && row.artifact.map { known.insert($0).inserted } ?? false
    }.flatMap { row in
      ["", "## \(row.stage)", ""]
        + ["scores", "metric", "pareto"].map { "![\($0)](<\(row.stage)/\($0).svg>)" }
    }
  }

  /// Every metric in full, a stage a line; an absent metric is empty (pandas reads NaN).
  private var csv: String {
    let names = columns { $0.values }
    let place = fields.isEmpty ? [] : ["point", "point_id"] + fields
    var lines = [["stage", "kind", "seconds", "artifact"] + place + names]
    for (row, metrics) in zip(rows, metrics) {
      let values = metrics.byName
      let point = fields.isEmpty ? [] : [row.point?.name ?? "", row.point?.id ?? ""]
      lines.append(
        [row.stage, row.kind, row.seconds.map { Text.fixed($0, 3) } ?? "", row.artifact ?? ""]
          + point + cells(row) + names.map { values[$0].map(Metrics.plain) ?? "" })
    }
    return Text.csv(lines)
  }

  /// A cell for each field of the sweep.
  private func cells(_ row: ReportRow) -> [String] {
    fields.map { row.point?.values[$0].map(Metrics.plain) ?? "" }
  }

  /// The names of some metrics of all rows, in the order in which they appear.
  private func columns(_ chosen: (Metrics) -> [(name: String, value: JSONValue)]) -> [String] {
    var known: Set<String> = []
    return metrics.flatMap { chosen($0).map(\.name).filter { known.insert($0).inserted } }
  }
}
