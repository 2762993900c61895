//! The `sweep` of a pipeline: `product`, `zip`, `list`, `exclude` and `override` to points. Knows no
//! field's schema: what a point sets is checked when the point is read.

import Diagnostics
import Files
import Specs

/// Reads a sweep; nil after faults.
struct SweepReader {
  /// What one part of a block does to a point: fields and numbers of their values.
  private typealias Row = [(slot: Int, value: Int32)]

  /// Entries of `exclude` and of `override`.
  private static let entryLimit = 1000

  private let faults: FaultCollector
  /// Writes out an axis that is one variable.
  private let writeOut: (Node) -> Node
  /// Says what is wrong with a path that nothing has.
  private let check: (Override) -> Diagnostic?
  private var fields: [SweptField] = []
  private var axes: Set<Int> = []
  private var slots: [[String]: Int] = [:]
  private var numbers: [[JSONValue: Int32]] = []
  /// The same, with 1 and 1.0 as one value.
  private var equals: [[JSONValue: Set<Int32>]] = []

  init(
    faults: FaultCollector, expand: @escaping (Node) -> Node,
    check: @escaping (Override) -> Diagnostic?
  ) {
    self.faults = faults
    writeOut = expand
    self.check = check
  }

  /// - Parameter node: one block, or a list of them whose points are taken together.
  mutating func read(_ node: Node) -> Sweep? {
    let before = faults.diagnostics.count
    var points: [[Int32]] = []
    switch node.value {
    case .sequence(let blocks) where !blocks.isEmpty:
      for element in blocks {
        points += block(element, room: Sweep.pointLimit - points.count)
      }
    case .mapping: points = block(node, room: Sweep.pointLimit)
    default:
      faults.add(
        node.diagnostic(
          "sweep says how fields vary, not \(node.found)",
          suggestion: "write `sweep: {product: {seed: [1, 2, 3]}}`"))
    }
    let isFaulty = faults.diagnostics[before...].contains { $0.severity == .error }
    if isFaulty { return nil }
    if points.isEmpty {
      faults.add(node.diagnostic("the sweep excludes all of its points"))
      return nil
    }
    for index in points.indices {
      points[index] += [Int32](repeating: 0, count: fields.count - points[index].count)
    }
    return Sweep(fields: fields, axes: axes, points: points, node: node)
  }

  // MARK: Blocks

  private mutating func block(_ node: Node, room: Int) -> [[Int32]] {
    var reader = FieldReader(node, in: "sweep", faults: faults)
    guard case .mapping(let entries) = node.value else { return [] }
    let parts = ["product", "zip", "list"].map { (name: $0, node: reader.node($0)) }
    let (excluded, overrides) = (reader.node("exclude"), reader.node("override"))
    if let first = entries.first, parts.allSatisfy({ $0.node == nil }) {
      let near = closest(to: first.name, among: ["product", "zip", "list", "exclude", "override"])
      faults.add(
        first.key.diagnostic(
          "a sweep needs `product`, `zip` or `list`",
          suggestion: near.map { "did you mean `\($0)`?" }
            ?? "write `sweep: {product: {\(first.name): ...}}`"))
      return []
    }
    reader.rejectUnknownKeys()
    var factors: [[Row]] = []
    var taken: [Int: Node] = [:]
    for (name, part) in parts {
      guard let part else { continue }
      let new = name == "product" ? product(part) : name == "zip" ? zips(part) : list(part)
      for (key, slots, rows) in new {
        for slot in slots where taken.updateValue(key, forKey: slot) != nil {
          faults.add(
            key.diagnostic("`\(fields[slot].path.joined(separator: "."))` varies twice here"))
        }
        axes.formUnion(slots)
        factors.append(rows)
      }
    }
    guard let count = count(factors, room: room, at: node) else { return [] }
    var points = combined(factors, count: count)
    if let excluded { exclude(excluded, from: &points) }
    if let overrides { change(overrides, in: &points) }
    return points
  }

  private func count(_ factors: [[Row]], room: Int, at node: Node) -> Int? {
    var count = 1
    for factor in factors {
      let (product, overflows) = count.multipliedReportingOverflow(by: factor.count)
      count = product
      guard !overflows, count <= room else {
        faults.add(
          node.diagnostic(
            "the sweep has more than \(Sweep.pointLimit) points",
            suggestion: "name fewer values, or `zip` what varies together"))
        return nil
      }
    }
    return count
  }

  /// All combinations, the first factor slowest.
  private func combined(_ factors: [[Row]], count: Int) -> [[Int32]] {
    var points: [[Int32]] = []
    points.reserveCapacity(count)
    for number in 0..<count {
      var point = [Int32](repeating: 0, count: fields.count)
      var rest = number
      for factor in factors.reversed() {
        for (slot, value) in factor[rest % factor.count] { point[slot] = value }
        rest /= factor.count
      }
      points.append(point)
    }
    return points
  }

  private typealias Factor = (key: Node, slots: Set<Int>, rows: [Row])

  private mutating func product(_ node: Node) -> [Factor] {
    axes(node, of: "product").map { key, slot, values in
      (key, [slot], values.map { [(slot, $0)] })
    }
  }

  /// One zip, or a list of several that are combined.
  private mutating func zips(_ node: Node) -> [Factor] {
    guard case .sequence(let elements) = node.value else { return [zip(node)].compactMap(\.self) }
    var factors: [Factor] = []
    for element in elements { if let factor = zip(element) { factors.append(factor) } }
    return factors
  }

  private mutating func zip(_ node: Node) -> Factor? {
    let axes = axes(node, of: "zip")
    guard let first = axes.first else { return nil }
    for axis in axes.dropFirst() where axis.values.count != first.values.count {
      faults.add(
        axis.key.diagnostic(
          "`\(axis.key.text ?? "")` has \(Self.text(axis.values.count)), and "
            + "`\(first.key.text ?? "")` beside it \(first.values.count)"))
      return nil
    }
    let rows = first.values.indices.map { index in
      axes.map { (slot: $0.slot, value: $0.values[index]) }
    }
    return (first.key, Set(axes.map(\.slot)), rows)
  }

  private mutating func list(_ node: Node) -> [Factor] {
    guard case .sequence(let elements) = node.value, !elements.isEmpty else {
      faults.add(
        node.diagnostic(
          "list names points, not \(node.found)",
          suggestion: "write `list: [{seed: 7, fine_tune.epochs: 3}]`"))
      return []
    }
    var slots: Set<Int> = []
    let rows = elements.map { element -> Row in
      guard case .mapping(let entries) = element.value else {
        faults.add(element.diagnostic("a point is fields and their values, not \(element.found)"))
        return []
      }
      return entries.compactMap { entry in
        guard let slot = slot(entry) else { return nil }
        slots.insert(slot)
        return (slot, number(of: entry.value, in: slot))
      }
    }
    return [(node, slots, rows)]
  }

  // MARK: Axes

  private mutating func axes(
    _ node: Node, of part: String
  ) -> [(key: Node, slot: Int, values: [Int32])] {
    guard case .mapping(let entries) = node.value, !entries.isEmpty else {
      faults.add(
        node.diagnostic(
          "\(part) holds fields and their values, not \(node.found)",
          suggestion: "write `\(part): {seed: [1, 2, 3]}`"))
      return []
    }
    return entries.compactMap { entry in
      guard let slot = slot(entry), let values = values(entry) else { return nil }
      return (entry.key, slot, values.map { number(of: $0, in: slot) })
    }
  }

  private func values(_ entry: Node.Entry) -> [Node]? {
    var node = entry.value
    if case .string(let text) = node.value, text.contains("${") { node = writeOut(node) }
    switch node.value {
    case .sequence(let elements):
      if elements.isEmpty { faults.add(node.diagnostic("`\(entry.name)` has no values")) }
      return elements.isEmpty ? nil : elements
    case .mapping(let entries) where entries.count == 1:
      let before = faults.diagnostics.count
      if let values = SweepRange.values(writeOut(node), faults: faults) { return values }
      if faults.diagnostics.count > before { return nil }
      let near = closest(to: entries[0].name, among: ["range", "log"])
      return refuse(entry, suggestion: near.map { "did you mean `\($0)`?" })
    case .null, .bool, .int, .float, .string:
      return refuse(entry, suggestion: "write `\(entry.name): [\(node.text ?? "")]`")
    default: return refuse(entry, suggestion: nil)
    }
  }

  private func refuse(_ entry: Node.Entry, suggestion: String?) -> [Node]? {
    faults.add(
      entry.value.diagnostic(
        "`\(entry.name)` wants a list of values or a range, not \(entry.value.found)",
        suggestion: suggestion ?? "write `[...]`, `{range: {from, to, step}}` or "
          + "`{log: {from, to, count}}`"))
    return nil
  }

  private mutating func slot(_ entry: Node.Entry) -> Int? {
    guard let override = Override(entry) else {
      faults.add(entry.key.diagnostic("`\(entry.name)` is no path of a field"))
      return nil
    }
    if let slot = slots[override.path] { return slot }
    if let fault = check(override) {
      faults.add(fault)
      return nil
    }
    guard fields.count < SweepState.fieldLimit else {
      faults.add(
        entry.key.diagnostic("a sweep varies at most \(SweepState.fieldLimit) fields"))
      return nil
    }
    slots[override.path] = fields.count
    fields.append(SweptField(path: override.path, key: entry.key, values: []))
    numbers.append([:])
    equals.append([:])
    return fields.count - 1
  }

  private mutating func number(of value: Node, in slot: Int) -> Int32 {
    let json = JSONValue(value)
    if let number = numbers[slot][json] { return number }
    fields[slot].values.append(value)
    let number = Int32(fields[slot].values.count)
    numbers[slot][json] = number
    equals[slot][json.plain, default: []].insert(number)
    return number
  }

  // MARK: Single points

  private func exclude(_ node: Node, from points: inout [[Int32]]) {
    guard case .sequence(let elements) = node.value else {
      faults.add(
        node.diagnostic(
          "exclude is a list of points or parts of them", suggestion: "write `exclude: [{seed: 2}]`"
        ))
      return
    }
    guard !isTooLong(elements, node) else { return }
    for element in elements {
      guard let unwanted = pattern(element) else { continue }
      let count = points.count
      points.removeAll { matches($0, unwanted) }
      if points.count == count {
        faults.add(element.diagnostic("this excludes no point", severity: .warning))
      }
    }
  }

  private mutating func change(_ node: Node, in points: inout [[Int32]]) {
    guard case .sequence(let elements) = node.value else {
      faults.add(
        node.diagnostic(
          "override is a list", suggestion: "write `override: [{when: {seed: 2}, set: {...}}]`"))
      return
    }
    guard !isTooLong(elements, node) else { return }
    for element in elements {
      var reader = FieldReader(element, in: "override", faults: faults)
      let (when, set) = (reader.node("when"), reader.node("set"))
      reader.rejectUnknownKeys()
      guard case .mapping = element.value else { continue }
      guard case .mapping(let entries)? = set?.value, !entries.isEmpty else {
        faults.add((set ?? element).diagnostic("override needs `set`, fields and their values"))
        continue
      }
      // Patterns are of what varies so far: what an override sets varies after it.
      let wanted = when.map { pattern($0) } ?? []
      let values = entries.compactMap { entry in
        slot(entry).map { (slot: $0, value: number(of: entry.value, in: $0)) }
      }
      guard let wanted else { continue }
      for index in points.indices where matches(points[index], wanted) {
        points[index] += [Int32](repeating: 0, count: fields.count - points[index].count)
        for (slot, value) in values { points[index][slot] = value }
      }
    }
  }

  /// Each entry looks at every point.
  private func isTooLong(_ elements: [Node], _ node: Node) -> Bool {
    if elements.count <= Self.entryLimit { return false }
    faults.add(node.diagnostic("there are more than \(Self.entryLimit) entries here"))
    return true
  }

  /// Values that some fields must have; nil after faults.
  private func pattern(_ node: Node) -> [(slot: Int, values: Set<Int32>)]? {
    guard case .mapping(let entries) = node.value, !entries.isEmpty else {
      faults.add(node.diagnostic("a point is fields and their values, not \(node.found)"))
      return nil
    }
    var pattern: [(slot: Int, values: Set<Int32>)] = []
    for entry in entries {
      guard let slot = slots[Override(entry)?.path ?? []] else {
        let known = fields.map { $0.path.joined(separator: ".") }
        faults.add(
          entry.key.diagnostic(
            "`\(entry.name)` does not vary in this sweep",
            suggestion: closest(to: entry.name, among: known).map { "did you mean `\($0)`?" }))
        return nil
      }
      let wanted = JSONValue(entry.value).plain
      // A list stands for any of its values, but may be a value itself.
      let any: [JSONValue] = if case .array(let elements) = wanted { elements } else { [] }
      let values = ([wanted] + any).reduce(into: Set<Int32>()) {
        $0.formUnion(equals[slot][$1] ?? [])
      }
      pattern.append((slot, values))
    }
    return pattern
  }

  private func matches(_ point: [Int32], _ pattern: [(slot: Int, values: Set<Int32>)]) -> Bool {
    pattern.allSatisfy { $0.slot < point.count && $0.values.contains(point[$0.slot]) }
  }

  private static func text(_ count: Int) -> String { count == 1 ? "1 value" : "\(count) values" }
}

extension JSONValue {
  /// With whole numbers as integers, so that 1 and 1.0 are one value.
  fileprivate var plain: JSONValue {
    switch self {
    case .double(let number): Int(exactly: number).map { .int($0) } ?? self
    case .array(let elements): .array(elements.map(\.plain))
    case .object(let members): .object(members.mapValues(\.plain))
    default: self
    }
  }
}
