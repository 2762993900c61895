//! The log of a training, a line an epoch, as Keras's CSVLogger writes it. Knows no training.

import Files

/// A CSV file with the columns epoch, then the metrics' names sorted, as Keras does.
///
/// Each epoch's line is appended in one write, so that a killed run leaves whole lines.
package struct CSVLog: Sendable {
  package let path: String
  /// The metrics' names, sorted.
  package let metrics: [String]

  /// Starts the log, or goes on with the one that stands at `path`.
  package init(path: String, metrics: [String]) throws {
    self.path = path
    self.metrics = metrics.sorted()
    guard !Files.exists(path) else { return }
    try Files.writeAtomically((["epoch"] + self.metrics).joined(separator: ",") + "\n", to: path)
  }

  /// Appends an epoch's line; a metric without a value reads NA.
  package func append(epoch: Int, _ values: [String: Double]) throws {
    let fields = [String(epoch)] + metrics.map { values[$0].map(Self.spelling) ?? "NA" }
    try AppendedFile.append(Array((fields.joined(separator: ",") + "\n").utf8), to: path)
  }

  /// The shortest decimal that reads back as `value`, in Python's spelling: 0.1, 1e-05, 1e+16.
  package static func spelling(_ value: Double) -> String {
    guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
    // Swift's digits are the same; only where the exponent starts differs (2^54 and 1e16).
    let text = value.description
    guard abs(value) >= 1e16, !text.contains("e") else { return text }
    let sign = value < 0 ? "-" : ""
    let digits = text.drop { $0 == "-" }.prefix { $0 != "." }
    var significant = String(digits)
    while significant.hasSuffix("0") { significant.removeLast() }
    let fraction = significant.dropFirst()
    let mantissa = significant.prefix(1) + (fraction.isEmpty ? "" : "." + fraction)
    return "\(sign)\(mantissa)e+\(digits.count - 1)"
  }
}
