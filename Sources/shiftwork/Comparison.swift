//! What sets two sides apart: fields, inputs, metrics, stage by stage. Knows neither files nor keys.

import Experiments
import Files

/// Two sides, their stages matched by name.
struct Comparison {
  /// One field or metric that is not the same; nil where a side lacks it.
  struct Difference {
    var name: String
    var a: JSONValue?
    var b: JSONValue?

    /// B - A, where both are numbers.
    var difference: JSONValue? {
      if case .int(let a)? = a, case .int(let b)? = b {
        let (difference, overflows) = b.subtractingReportingOverflow(a)
        return overflows ? nil : .int(difference)
      }
      guard let a = a.flatMap(Metrics.number), let b = b.flatMap(Metrics.number),
        (b - a).isFinite
      else { return nil }
      return .double(b - a)
    }
  }

  /// One stage of either side.
  struct Row {
    enum State: String {
      case same, differs
      case onlyA = "only_a"
      case onlyB = "only_b"
    }

    var name: String
    var state: State
    var fields: [Difference] = []
    var metrics: [Difference] = []
    /// Both wrote the same bytes.
    var isSameOutput = false
    /// Of a side, what decided the result is no longer known.
    var lacksManifest = false
  }

  private(set) var rows: [Row] = []

  /// Two single stages are compared whatever they are called.
  init(_ a: ComparedSide, _ b: ComparedSide) {
    if a.stages.count == 1, b.stages.count == 1, let one = a.stages.first, let two = b.stages.first
    {
      let name = one.name == two.name ? one.name : "\(one.name), \(two.name)"
      rows = [Self.compare(name, one.stage, two.stage)]
      return
    }
    var others = Dictionary(b.stages.map { ($0.name, $0.stage) }) { first, _ in first }
    for (name, stage) in a.stages {
      if let other = others.removeValue(forKey: name) {
        rows.append(Self.compare(name, stage, other))
      } else {
        rows.append(Row(name: name, state: .onlyA))
      }
    }
    for (name, _) in b.stages where others[name] != nil {
      rows.append(Row(name: name, state: .onlyB))
    }
  }

  private static func compare(_ name: String, _ a: ComparedStage, _ b: ComparedStage) -> Row {
    var row = Row(name: name, state: .same)
    row.isSameOutput = a.artifact != nil && a.artifact == b.artifact
    row.lacksManifest = a.manifest == nil || b.manifest == nil
    if let one = a.manifest, let two = b.manifest {
      let isInput = { (difference: Difference) in difference.name.hasPrefix("@inputs.") }
      let all = differences(one, two)
      // What a field changed is more than what another stage changed.
      row.fields = (all.filter { !isInput($0) } + all.filter(isInput)).map { difference in
        var difference = difference
        difference.name = shown(difference.name, kind: a.kind == b.kind ? a.kind : nil)
        return difference
      }
    }
    row.metrics = differences(a.metrics.byName, b.metrics.byName)
    if !row.fields.isEmpty || !row.metrics.isEmpty || a.artifact != b.artifact {
      row.state = .differs
    }
    return row
  }

  private static func differences(
    _ a: [String: JSONValue], _ b: [String: JSONValue]
  ) -> [Difference] {
    Set(a.keys).union(b.keys).sorted().compactMap { name in
      isSame(a[name], b[name]) ? nil : Difference(name: name, a: a[name], b: b[name])
    }
  }

  /// The double 1 is the integer 1, as JSON reads it back.
  private static func isSame(_ a: JSONValue?, _ b: JSONValue?) -> Bool {
    switch (a, b) {
    case (.int(let whole)?, .double(let number)?), (.double(let number)?, .int(let whole)?):
      Double(whole) == number
    default: a == b
    }
  }

  /// A manifest's path as its user knows it; as it is between stages of two kinds.
  private static func shown(_ path: String, kind: String?) -> String {
    switch path {
    case "@kind": "kind"
    case "@version": "code version"
    default:
      path.hasPrefix("@inputs.")
        ? "input \(path.dropFirst("@inputs.".count))"
        : kind.map { FieldPath.shown(path, kind: $0) } ?? path
    }
  }
}

// MARK: - For people and programs

extension Comparison {
  /// - Parameters:
  ///   - a, b: how the sides were addressed.
  func lines(a: String, b: String, style: Style) -> [String] {
    var lines = ["A: \(a)", "B: \(b)"]
    for row in rows where row.state == .differs {
      lines.append(style.bold(row.name))
      lines += Self.table(row.fields, header: ["field", "A", "B"], style: style)
      lines += Self.table(row.metrics, header: ["metric", "A", "B", "difference"], style: style)
      if row.lacksManifest { lines.append("  its fields are no longer in the cache") }
      if row.isSameOutput { lines.append("  the outputs are the same") }
      if row.fields.isEmpty, row.metrics.isEmpty, !row.lacksManifest {
        lines.append("  nothing but the outputs' bytes, or that one of them did not run")
      }
    }
    for (state, words) in [
      (Row.State.onlyA, "only in A"), (.onlyB, "only in B"), (.same, "the same"),
    ] {
      let names = rows.filter { $0.state == state }.map(\.name)
      if !names.isEmpty { lines.append("\(words): \(names.joined(separator: ", "))") }
    }
    return lines
  }

  private static func table(
    _ differences: [Difference], header: [String], style: Style
  ) -> [String] {
    guard !differences.isEmpty else { return [] }
    let isMetric = header.count == 4
    let body = differences.map { difference in
      var cells = [difference.name, text(difference.a), text(difference.b)]
      if isMetric { cells.append(difference.difference.map(signed) ?? "") }
      return cells
    }
    let lines = Text.table([header] + body, numeric: isMetric ? [1, 2, 3] : [])
    return lines.enumerated().map { index, line in
      "  " + (index == 0 ? style.dim(line) : line)
    }
  }

  /// Digests are cut: eight digits tell them apart for people.
  private static func text(_ value: JSONValue?) -> String {
    guard let value else { return "unset" }
    guard case .string(let string) = value else { return Metrics.text(value) }
    let words = string.split(separator: " ")
    guard words.count == 2, ["stage", "artifact", "file"].contains(words[0]), words[1].count == 64
    else { return string }
    return "\(words[0]) \(words[1].prefix(8))"
  }

  private static func signed(_ difference: JSONValue) -> String {
    ((Metrics.number(difference) ?? 0) > 0 ? "+" : "") + Metrics.text(difference)
  }

  /// One object a stage.
  var objects: [JSONValue] {
    rows.map { row in
      .object([
        "stage": .string(row.name), "state": .string(row.state.rawValue),
        "fields": .array(row.fields.map(Self.object)),
        "metrics": .array(row.metrics.map(Self.object)),
      ])
    }
  }

  private static func object(_ difference: Difference) -> JSONValue {
    var members: [String: JSONValue] = ["name": .string(difference.name)]
    members["a"] = difference.a
    members["b"] = difference.b
    members["difference"] = difference.difference
    return .object(members)
  }
}
