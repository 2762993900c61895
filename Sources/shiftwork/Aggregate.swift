//! A sweep's runs that differ in nothing but their seeds, as mean and deviation. Knows metrics only
//! as named numbers.

import Files

/// All groups of a run, in the order of their first rows.
struct Aggregate {
  /// What some stages have in common: their name in the pipeline and their point but for its seed.
  private struct Key: Hashable {
    var stage: String
    var values: [String: JSONValue]
  }

  /// The runs of one stage at one point, over the seeds.
  struct Group {
    var stage: String
    var kind: String
    var values: [String: JSONValue]
    /// Runs; what several seeds share counts once.
    var count = 0
    fileprivate var seen: Set<Digest> = []
    fileprivate var numbers: [String: [Double]] = [:]

    /// Nil where no run has the metric.
    func mean(_ metric: String) -> Double? {
      numbers[metric].map { $0.reduce(0, +) / Double($0.count) }
    }

    /// The sample's standard deviation (n - 1); nil below two runs.
    func deviation(_ metric: String) -> Double? {
      guard let values = numbers[metric], values.count > 1, let mean = mean(metric) else {
        return nil
      }
      let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      return (squares / Double(values.count - 1)).squareRoot()
    }
  }

  private(set) var groups: [Group] = []
  /// The fields that the sweep varies, besides seeds.
  let fields: [String]
  /// Every metric that is a number, in the order of the rows.
  private(set) var metrics: [String] = []

  /// Rows that belong to no point are in no group, and those without a result count nowhere.
  ///
  /// - Parameter measured: what `rows` measured, in their order.
  init(_ rows: [ReportRow], _ measured: [Metrics]) {
    var fields: Set<String> = []
    var places: [Key: Int] = [:]
    var known: Set<String> = []
    for (row, measured) in zip(rows, measured) {
      guard let point = row.point else { continue }
      let values = point.values.filter { !SweepPoint.isSeed($0.key) }
      fields.formUnion(values.keys)
      guard row.artifact != nil, let run = row.key else { continue }
      let stage = point.base(of: row.stage)
      let key = Key(stage: stage, values: values)
      let place = places[key] ?? groups.count
      if place == groups.count {
        places[key] = place
        groups.append(Group(stage: stage, kind: row.kind, values: values))
      }
      guard groups[place].seen.insert(run).inserted else { continue }
      groups[place].count += 1
      for (name, value) in measured.values {
        guard let number = Metrics.number(value) else { continue }
        if known.insert(name).inserted { metrics.append(name) }
        groups[place].numbers[name, default: []].append(number)
      }
    }
    self.fields = fields.sorted()
  }

  var isEmpty: Bool { groups.isEmpty }

  /// Whether there is anything to take a mean of.
  var repeats: Bool { groups.contains { $0.count > 1 } }
}

// MARK: - As files

extension Aggregate {
  /// In full, for pandas: `accuracy_mean`, `accuracy_std`; what does not exist is empty.
  var csv: String {
    var lines = [
      (["stage", "kind"] + fields + ["n"] + metrics.flatMap { ["\($0)_mean", "\($0)_std"] })
    ]
    for group in groups {
      let numbers = metrics.flatMap { name in
        [group.mean(name), group.deviation(name)].map { $0.map { "\($0)" } ?? "" }
      }
      lines.append(
        [group.stage, group.kind] + cells(group, Metrics.plain) + ["\(group.count)"] + numbers)
    }
    return Text.csv(lines)
  }

  /// A table of what people look at, as Markdown.
  var markdown: [String] {
    let names = shown
    let header = ["stage"] + fields + ["n"] + names.map(Metrics.shortName)
    var lines = [header, header.indices.map { $0 <= fields.count ? "---" : "---:" }]
    for group in groups {
      lines.append(
        [group.stage] + cells(group, Metrics.plain) + ["\(group.count)"]
          + names.map { Self.text(group, $0, between: " ± ") })
    }
    return lines.map(Text.markdownRow)
  }

  /// The same for LaTeX, with the rules of the package booktabs.
  var latex: String {
    let names = shown
    let columns =
      String(repeating: "l", count: 1 + fields.count)
      + String(repeating: "r", count: 1 + names.count)
    let header = (["stage"] + fields + ["n"] + names.map(Metrics.shortName)).map(Self.escaped)
    var lines = [
      "% Needs \\usepackage{booktabs}.", "\\begin{tabular}{\(columns)}", "\\toprule",
      header.joined(separator: " & ") + " \\\\", "\\midrule",
    ]
    for group in groups {
      let words = ([group.stage] + cells(group, Metrics.plain) + ["\(group.count)"])
        .map(Self.escaped)
      let numbers = names.map { name in
        let text = Self.text(group, name, between: " \\pm ")
        return text.isEmpty ? "" : "$\(text)$"
      }
      lines.append((words + numbers).joined(separator: " & ") + " \\\\")
    }
    return (lines + ["\\bottomrule", "\\end{tabular}"]).joined(separator: "\n") + "\n"
  }

  /// The metrics that tables for people show, of those that some group has.
  private var shown: [String] { Metrics.shown(among: metrics) }

  private func cells(_ group: Group, _ text: (JSONValue) -> String) -> [String] {
    fields.map { group.values[$0].map(text) ?? "" }
  }

  private static func text(_ group: Group, _ metric: String, between: String) -> String {
    guard let mean = group.mean(metric) else { return "" }
    return group.deviation(metric).map { text(mean) + between + text($0) } ?? text(mean)
  }

  /// Counts stay counts.
  private static func text(_ number: Double) -> String {
    Metrics.text(Int(exactly: number).map { .int($0) } ?? .double(number))
  }

  private static func escaped(_ text: String) -> String {
    text.reduce(into: "") { escaped, character in
      switch character {
      case "\\": escaped += "\\textbackslash{}"
      case "~": escaped += "\\textasciitilde{}"
      case "^": escaped += "\\textasciicircum{}"
      case "&", "%", "$", "#", "_", "{", "}": escaped += "\\\(character)"
      default: escaped.append(character)
      }
    }
  }
}
