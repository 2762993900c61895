//! `{range: ...}` and `{log: ...}`: values that a sweep takes without naming each. Knows no field.

import Diagnostics
import Glibc
import Specs

/// A range of numbers, written out.
enum SweepRange {
  /// Values of one axis.
  static let limit = 100_000

  /// The values of a range; nil after faults, and for what is no range.
  static func values(_ node: Node, faults: FaultCollector) -> [Node]? {
    guard case .mapping(let entries) = node.value, entries.count == 1, let entry = entries.first
    else { return nil }
    var fields = FieldReader(entry.value, in: entry.name, faults: faults)
    let isWritten = ["from", "to"].allSatisfy { entry.value[$0] != nil }
    let bound = -1e300...1e300
    switch entry.name {
    case "range":
      let (from, to) = (fields.double("from", in: bound), fields.double("to", in: bound))
      let step = entry.value["step"] == nil ? nil : fields.double("step", in: bound)
      let count = entry.value["count"] == nil ? nil : fields.int("count", in: 2...limit)
      for key in ["step", "count"] { _ = fields.node(key) }
      fields.rejectUnknownKeys()
      guard isWritten else { return nil }
      switch (step, count) {
      case (let step?, nil): return steps(from, to, step, of: entry.value, faults)
      case (nil, let count?): return linear(from, to, count, of: entry.value)
      default:
        faults.add(
          entry.value.diagnostic(
            "a range has a `step` or a `count`", suggestion: "write `{from: 1, to: 9, step: 2}`"))
        return nil
      }
    case "log":
      let (from, to) = (fields.double("from", in: bound), fields.double("to", in: bound))
      let count = fields.int("count", in: 2...limit)
      fields.rejectUnknownKeys()
      guard isWritten, entry.value["count"] != nil else { return nil }
      guard from > 0, to > 0 else {
        faults.add(entry.value.diagnostic("a logarithmic range lies above 0"))
        return nil
      }
      return logarithmic(from, to, count, of: entry.value)
    default: return nil
    }
  }

  private static func steps(
    _ from: Double, _ to: Double, _ step: Double, of node: Node, _ faults: FaultCollector
  ) -> [Node]? {
    let place = node["step"] ?? node
    guard step != 0, (to - from) / step >= 0 else {
      faults.add(
        place.diagnostic(
          "steps of \(text(step)) do not lead from \(text(from)) to \(text(to))",
          suggestion: step == 0 ? nil : "did you mean `\(text(-step))`?"))
      return nil
    }
    // What misses the end by rounding alone reaches it.
    let count = ((to - from) / step + 1e-9).rounded(.down)
    guard count < Double(limit) else {
      faults.add(place.diagnostic("the range has more than \(limit) values"))
      return nil
    }
    let isWhole = [node["from"], node["step"]].allSatisfy { $0?.isInteger ?? false }
    return (0...Int(count)).map { number(from + Double($0) * step, isWhole: isWhole, at: node) }
  }

  private static func linear(_ from: Double, _ to: Double, _ count: Int, of node: Node) -> [Node] {
    let step = (to - from) / Double(count - 1)
    let isWhole =
      [node["from"], node["to"]].allSatisfy { $0?.isInteger ?? false } && step == step.rounded()
    return (0..<count).map { index in
      index == count - 1
        ? number(to, isWhole: isWhole, at: node)
        : number(from + Double(index) * step, isWhole: isWhole, at: node)
    }
  }

  private static func logarithmic(
    _ from: Double, _ to: Double, _ count: Int, of node: Node
  ) -> [Node] {
    let isInteger = [node["from"], node["to"]].allSatisfy { $0?.isInteger ?? false }
    // Logarithms, as the quotient of the ends may be no number.
    let (first, last) = (log(from), log(to))
    let values = (0..<count).map { index in
      if index == 0 { return from }
      if index == count - 1 { return to }
      return rounded(exp(first + (last - first) * Double(index) / Double(count - 1)))
    }
    let isWhole = isInteger && values.allSatisfy { $0 == $0.rounded() }
    return values.map { number($0, isWhole: isWhole, at: node) }
  }

  private static func number(_ value: Double, isWhole: Bool, at node: Node) -> Node {
    let value = rounded(value)
    var result = node
    if isWhole, let whole = Int(exactly: value) {
      result.value = .int(whole)
      result.text = "\(whole)"
    } else {
      result.value = .float(value)
      result.text = "\(value)"
    }
    return result
  }

  /// To twelve digits, so that values are those that people would write.
  private static func rounded(_ value: Double) -> Double {
    guard value != 0, value.isFinite else { return value }
    let digits = 11 - Int(log10(value.magnitude).rounded(.down))
    guard (-200...200).contains(digits) else { return value }
    // Powers of ten above 1 are exact to 1e22, those below are not.
    let scale = pow(10, Double(digits.magnitude))
    let scaled = digits >= 0 ? (value * scale).rounded() : (value / scale).rounded()
    return digits >= 0 ? scaled / scale : scaled * scale
  }

  private static func text(_ value: Double) -> String {
    Int(exactly: value).map { "\($0)" } ?? "\(value)"
  }
}

extension Node {
  fileprivate var isInteger: Bool { if case .int = value { true } else { false } }
}
