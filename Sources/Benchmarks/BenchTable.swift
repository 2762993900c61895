//! The table of the benchmark, for people and as CSV. Knows no measurement.

import Glibc

/// A network's line. A column without a number stays empty.
struct BenchRow: Sendable {
  let network: String
  private var values: [String: Double] = [:]

  init(network: String) { self.network = network }

  subscript(column: String) -> Double? {
    get { values[column] }
    set { values[column] = newValue }
  }

  mutating func fillRatio(_ column: String, _ one: String, over other: String) {
    guard let one = values[one], let other = values[other], other > 0 else { return }
    values[column] = one / other
  }
}

enum BenchTable {
  static let columns = [
    "network", "batch", "threads", "step_ms", "samples_per_s", "first_step_s", "peak_mb",
    "roofline_ms", "roofline_ratio", "inference_ms", "qkeras_step_ms", "speedup",
    "qkeras_first_step_s", "first_step_ratio", "qkeras_peak_mb", "memory_ratio",
    "one_thread_step_ms", "handover_ns", "qkeras_handover_ns",
  ]
  /// Quotients, which a geometric mean suits.
  private static let ratios = ["roofline_ratio", "speedup", "first_step_ratio", "memory_ratio"]

  static func csv(_ rows: [BenchRow]) -> String {
    lines(rows).map { $0.joined(separator: ",") + "\n" }.joined()
  }

  /// The table with its columns as lines: they are many, the networks few.
  static func text(_ rows: [BenchRow]) -> [String] {
    let lines = lines(rows)
    return aligned(columns.indices.map { column in lines.map { $0[column] } })
  }

  /// Every measurement: network, round, what, threads, name, value.
  static func roundsCSV(_ results: [NetworkResult]) -> String {
    var lines = ["network,round,measurement,threads,figure,value"]
    for result in results {
      for (measurement, round, figures) in result.measurements {
        for (name, value) in figures.values {
          lines.append(
            "\(result.network),\(round),\(measurement.name),\(measurement.threads),\(name),\(value)"
          )
        }
      }
    }
    return lines.map { $0 + "\n" }.joined()
  }

  /// The header, the networks, the geometric mean of the ratios.
  private static func lines(_ rows: [BenchRow]) -> [[String]] {
    var mean = BenchRow(network: "geometric_mean")
    for ratio in ratios {
      let known = rows.compactMap { $0[ratio] }
      if !known.isEmpty {
        mean[ratio] = exp(known.reduce(0) { $0 + log($1) } / Double(known.count))
      }
    }
    return [columns]
      + (rows + [mean]).map { row in
        [row.network] + columns.dropFirst().map { row[$0].map(number) ?? "" }
      }
  }

  /// Four significant digits, or all before the point.
  static func number(_ value: Double) -> String {
    var digits = 3
    var limit = 10.0
    while digits > 0, value.magnitude >= limit {
      digits -= 1
      limit *= 10
    }
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let rounded = (value * scale).rounded() / scale
    return rounded == rounded.rounded() && rounded.magnitude < 1e15
      ? "\(Int(rounded))" : "\(rounded)"
  }

  /// Columns of equal width, the first to the left, the others to the right.
  static func aligned(_ rows: [[String]]) -> [String] {
    let count = rows.map(\.count).max() ?? 0
    let widths = (0..<count).map { column in
      rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      row.enumerated().map { column, text in
        let space = String(repeating: " ", count: widths[column] - text.count)
        return column == 0 ? text + space : space + text
      }.joined(separator: "  ")
    }
  }
}
