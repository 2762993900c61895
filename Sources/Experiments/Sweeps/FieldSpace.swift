//! Every field of a pipeline and its experiment by its path, at a sweep's current point and with
//! variables written out. Knows no schema.

import Diagnostics
import Specs

/// A part of the two files that is read as a whole.
enum FieldHead: Hashable {
  /// A key of the experiment.
  case experiment(String)
  case stage(String)
  case variable(String)

  /// Of a path, and what of the path lies below it.
  static func split(_ path: [String]) -> (head: FieldHead, rest: ArraySlice<String>)? {
    guard let first = path.first else { return nil }
    switch first {
    case "stages": return path.count > 1 ? (.stage(path[1]), path[2...]) : nil
    case "variables": return path.count > 1 ? (.variable(path[1]), path[2...]) : nil
    default: return (.experiment(first), path[1...])
    }
  }
}

/// One field that a sweep varies, with all values that it takes.
struct SweptField {
  var path: [String]
  /// Where the path was first written.
  var key: Node
  var values: [Node]
}

/// The fields of both files. What is read here is noted in `state`, so that readings can be kept.
final class FieldSpace {
  /// Variables that may name each other, one the next.
  private static let depthLimit = 32

  let state = SweepState()
  let faults: FaultCollector
  /// Both files with all that overrides them everywhere.
  let pipeline: Node?
  private(set) var experiment: Node?
  private let variables: VariableScope
  /// By name: there may be thousands, and each is looked for.
  private lazy var stageEntries: [String: Node.Entry] = {
    guard case .mapping(let entries)? = pipeline?["stages"]?.value else { return [:] }
    return Dictionary(entries.map { ($0.name, $0) }) { first, _ in first }
  }()
  private var swept: [SweptField] = []
  private var slots: [FieldHead: [Int]] = [:]
  private var references: [String: Memo<Interpolation.Value?>] = [:]
  /// Names whose values are being found.
  private var open: [String] = []

  init(pipeline: Node?, experiment: Node?, variables: VariableScope, faults: FaultCollector) {
    self.pipeline = pipeline
    self.experiment = experiment
    self.variables = variables
    self.faults = faults
  }

  /// Makes the fields of a sweep vary; `state.point` says which values they take.
  func vary(_ fields: [SweptField]) {
    swept = fields
    state.point = [Int32](repeating: 0, count: fields.count)
    for (slot, field) in fields.enumerated() {
      if let (head, _) = FieldHead.split(field.path) { slots[head, default: []].append(slot) }
    }
    // What holds others comes first.
    for head in slots.keys { slots[head]?.sort { swept[$0].path.count < swept[$1].path.count } }
    references = [:]
  }

  // MARK: Reading

  /// A key of the experiment, a stage or a variable, as the user wrote it.
  func rawEntry(_ head: FieldHead) -> Node.Entry? {
    let base = baseEntry(head)
    guard let slots = slots[head] else { return base }
    state.touch(slots.reduce(0) { $0 | 1 << UInt64($1) })
    let overrides = slots.compactMap { slot -> Override? in
      let value = Int(state.point[slot])
      guard value > 0, let (_, rest) = FieldHead.split(swept[slot].path) else { return nil }
      let field = swept[slot]
      return Override(
        path: [field.path[field.path.count - rest.count - 1]] + rest,
        node: field.values[value - 1], key: field.key)
    }
    if overrides.isEmpty { return base }
    let place = base?.value ?? overrides[0].node
    let holder = Node(.mapping(base.map { [$0] } ?? []), at: place.location, source: place.source)
    guard case .mapping(let entries) = holder.applying(overrides).value else { return nil }
    return entries.first
  }

  /// The same with its variables written out; `run` of a stage is for its reader to fill in.
  func entry(_ head: FieldHead) -> Node.Entry? {
    guard var entry = rawEntry(head) else { return nil }
    guard case .stage = head, case .mapping(var fields) = entry.value.value else {
      entry.value = expanded(entry.value)
      return entry
    }
    for index in fields.indices where fields[index].name != "run" {
      fields[index].value = expanded(fields[index].value)
    }
    entry.value.value = .mapping(fields)
    return entry
  }

  /// The experiment with these of its keys alone.
  func root(of keys: [String]) -> Node {
    guard var root = experiment else { preconditionFailure("there is no experiment to read") }
    root.value = .mapping(keys.compactMap { entry(.experiment($0)) })
    return root
  }

  /// Keys of the experiment at the current point, the values as they were written.
  var experimentEntries: [Node.Entry] {
    guard case .mapping(let base)? = experiment?.value else { return [] }
    var result = base
    for case .experiment(let name) in slots.keys where !base.contains(where: { $0.name == name }) {
      if let entry = rawEntry(.experiment(name)) { result.append(entry) }
    }
    return result
  }

  func expanded(_ node: Node) -> Node {
    Interpolation.expand(node, faults: faults) { lookUp($0, in: $1, offset: $2) }.node
  }

  // MARK: Variables

  /// Whether something may stand for `${name}`.
  func knows(_ name: String) -> Bool {
    if name.hasPrefix("env.") || variables.declares(name) { return true }
    let path = name.split(separator: ".").map(String.init)
    if path.count > 1, variables.declares(path[0]) { return true }
    return FieldHead.split(path).map { rawEntry($0.head) != nil } ?? false
  }

  /// All that `${...}` may name besides fields.
  var variableNames: [String] { variables.names }

  /// What `${name}` stands for; a fault where that is nothing.
  func lookUp(_ name: String, in text: Node, offset: Int) -> Interpolation.Value? {
    if let fixed = variables.fixed(name, in: text, offset: offset, faults: faults) {
      return fixed.map { ($0, 1) }
    }
    var path = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    if let first = path.first, variables.declares(first) { path.insert("variables", at: 0) }
    guard !path.contains(""), let (head, rest) = FieldHead.split(path), rawEntry(head) != nil else {
      report(name, in: text, offset: offset, nearest: nil)
      return nil
    }
    if open.contains(name) {
      let chain = (open[(open.firstIndex(of: name) ?? 0)...] + [name]).map { "`${\($0)}`" }
      faults.add(
        text.diagnostic(
          "values need each other: \(chain.joined(separator: " needs "))", offset: offset,
          length: name.unicodeScalars.count + 3))
      return nil
    }
    guard open.count < Self.depthLimit else {
      faults.add(
        text.diagnostic(
          "more than \(Self.depthLimit) values name each other", offset: offset,
          length: name.unicodeScalars.count + 3))
      return nil
    }
    open.append(name)
    defer { open.removeLast() }
    let memo = references[name] ?? Memo()
    references[name] = memo
    return memo.value(at: state) {
      guard let entry = rawEntry(head) else { return nil }
      return value(at: rest, of: entry.value) { missing, siblings in
        let nearest = closest(to: missing, among: siblings).map { word in
          name.split(separator: ".").map { $0 == missing ? word : String($0) }
            .joined(separator: ".")
        }
        report(name, in: text, offset: offset, nearest: nearest)
      }
    }
  }

  /// The expanded value at the end of a path.
  private func value(
    at path: ArraySlice<String>, of node: Node, lacks: (String, [String]) -> Void
  ) -> Interpolation.Value? {
    var node = node
    for key in path {
      // What holds the field may be a variable itself.
      if case .string = node.value { node = expanded(node) }
      if case .sequence(let elements) = node.value, let index = Int(key),
        elements.indices.contains(index)
      {
        node = elements[index]
      } else if let next = node[key] {
        node = next
      } else {
        var keys: [String] = []
        if case .mapping(let entries) = node.value { keys = entries.map(\.name) }
        lacks(key, keys)
        return nil
      }
    }
    return Interpolation.expand(node, faults: faults) { lookUp($0, in: $1, offset: $2) }
  }

  private func report(_ name: String, in text: Node, offset: Int, nearest: String?) {
    // A text from outside may hold megabytes of them.
    if faults.isFull { return }
    if name == "output" || name.hasPrefix("inputs.") || name.hasPrefix("params.") {
      faults.add(
        text.diagnostic(
          "`${\(name)}` is known in a command's `run` alone", offset: offset,
          length: name.unicodeScalars.count + 3))
      return
    }
    let near = nearest ?? closest(to: name, among: fieldNames)
    faults.add(
      Interpolation.unknown(
        name, offset: offset, in: text, known: near.map { [$0] } ?? variables.names))
  }

  private var fieldNames: [String] {
    var names = variables.names
    if case .mapping(let entries)? = experiment?.value { names += entries.map(\.name) }
    return names
  }

  // MARK: Parts

  private func baseEntry(_ head: FieldHead) -> Node.Entry? {
    let (holder, name): (Node?, String)
    switch head {
    case .experiment(let key): (holder, name) = (experiment, key)
    case .stage(let name): return stageEntries[name]
    case .variable(let variable): (holder, name) = (variables.node, variable)
    }
    guard case .mapping(let entries)? = holder?.value else { return nil }
    return entries.first { $0.name == name }
  }
}
