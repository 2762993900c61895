//! What may stand where in a document, put together from what readers asked of probes. Knows no
//! particular key.

import Diagnostics
import Files
import Specs

/// One place of a document: every form of value that it may have.
final class SchemaTree {
  private var properties: [String: SchemaTree] = [:]
  /// Of keys that are names of the user's own.
  private var others: SchemaTree?
  private var items: SchemaTree?
  /// The definition that says the form instead.
  private var reference: String?
  private var isMapping = false
  private var isClosed = false
  private var isNullable = false
  private var shapes: Set<SchemaShape> = []
  private var fallback: SchemaDefault?
  /// Words that stand there without a shape of their own: `auto` beside a number.
  private var words: Set<String> = []
  /// Types of values that no reader gave a shape.
  private var plain: Set<String> = []

  /// Adds what a reader asked of a probe.
  func add(_ node: Node, _ recorder: SchemaRecorder) {
    switch node.value {
    case .mapping(let entries): add(entries, of: node, recorder)
    case .sequence(let elements):
      let tree = items ?? SchemaTree()
      items = tree
      for element in elements { tree.add(element, recorder) }
    case .null: isNullable = true
    case .bool: plain.insert("boolean")
    case .int, .float: plain.insert("number")
    case .string(let text):
      if let known = recorder.words[node.location] {
        shapes.insert(.choice(known))
      } else {
        words.insert(text)
      }
    }
  }

  private func add(_ entries: [Node.Entry], of node: Node, _ recorder: SchemaRecorder) {
    isMapping = true
    let known = recorder.fields[node.location] ?? [:]
    if recorder.closed.contains(node.location) {
      isClosed = true
      for (key, field) in known {
        let tree = property(key)
        tree.shapes.formUnion(field.shapes)
        tree.fallback = field.fallback ?? tree.fallback
      }
    }
    for entry in entries {
      if isClosed || recorder.words[entry.key.location]?.contains(entry.name) ?? false {
        // A name among known ones, with options behind it.
        isClosed = true
        property(entry.name).add(entry.value, recorder)
      } else {
        let tree = others ?? SchemaTree()
        others = tree
        tree.add(entry.value, recorder)
      }
    }
  }

  private func property(_ key: String) -> SchemaTree {
    if let tree = properties[key] { return tree }
    let tree = SchemaTree()
    properties[key] = tree
    return tree
  }

  /// The place at the end of a path.
  subscript(path: [String]) -> SchemaTree? {
    guard let first = path.first else { return self }
    let next = first == "*" ? items ?? others : properties[first]
    return next?[Array(path.dropFirst())]
  }

  /// Takes the form of another place, which holds this one.
  func refer(to definition: String) { reference = definition }

  /// Paths of all keys, `*` for names of the user's own and for a list's elements; and of those the
  /// ones that no probe gives a form.
  func paths(below path: String = "") -> (all: [String], bare: [String]) {
    var result: (all: [String], bare: [String]) = ([], [])
    func visit(_ tree: SchemaTree, _ name: String) {
      let own = path.isEmpty ? name : "\(path).\(name)"
      if tree.reference != nil {
        result.all.append(own)
        return
      }
      let below = tree.paths(below: own)
      result.all += [own] + below.all
      result.bare += (tree.alternatives([:], own).isEmpty ? [own] : []) + below.bare
    }
    for (name, tree) in properties { visit(tree, name) }
    if let others { visit(others, "*") }
    if let items { visit(items, "*") }
    return result
  }

  // MARK: JSON Schema

  /// - Parameter descriptions: by path.
  func json(_ descriptions: [String: String], at path: String = "") -> JSONValue {
    if let reference { return .object(["$ref": .string("#/definitions/\(reference)")]) }
    let forms = alternatives(descriptions, path)
    var members: [String: JSONValue] =
      switch forms.count {
      case 0: [:]
      case 1: forms[0]
      default: ["anyOf": .array(forms.map { .object($0) })]
      }
    members["description"] = descriptions[path].map { .string($0) }
    switch fallback {
    case .text(let text): members["default"] = .string(text)
    case .bool(let flag): members["default"] = .bool(flag)
    case .int(let number): members["default"] = .int(number)
    case .number(let number): members["default"] = .double(number)
    case nil: break
    }
    return .object(members)
  }

  private func alternatives(
    _ descriptions: [String: String], _ path: String
  ) -> [[String: JSONValue]] {
    var forms: [[String: JSONValue]] = []
    if isMapping { forms.append(mapping(descriptions, path)) }
    if let items {
      forms.append(["type": .string("array"), "items": items.json(descriptions, at: path + ".*")])
    }
    for shape in shapes.sorted(by: { "\($0)" < "\($1)" }) { forms.append(Self.form(shape)) }
    let choices = shapes.flatMap { shape in
      if case .choice(let choices) = shape { choices } else { [String]() }
    }
    if shapes.contains(.text) {
    } else if shapes.isEmpty, !words.isEmpty {
      forms.append(["type": .string("string")])
    } else {
      let more = words.filter { !choices.contains($0) }.sorted()
      if !more.isEmpty { forms.append(["enum": .array(more.map { .string($0) })]) }
    }
    if shapes.isEmpty { forms += plain.sorted().map { ["type": .string($0)] } }
    // A variable may stand for any value; a section that is one is rare, and editors say more of a
    // section's faults where it has one form.
    let takesText = shapes.contains(.text) || (shapes.isEmpty && !words.isEmpty)
    if forms.count > (isMapping ? 1 : 0), !takesText {
      forms.append(["type": .string("string"), "pattern": .string("^\\$\\{.+\\}$")])
    }
    if isNullable, !isMapping { forms.append(["type": .string("null")]) }
    return forms
  }

  private func mapping(_ descriptions: [String: String], _ path: String) -> [String: JSONValue] {
    var members = properties.map { key, tree in
      (key, tree.json(descriptions, at: path.isEmpty ? key : "\(path).\(key)"))
    }
    if isClosed, properties["include"] == nil { members.append(("include", Self.files)) }
    let rest: JSONValue =
      if isClosed {
        .bool(false)
      } else {
        others?.json(descriptions, at: path.isEmpty ? "*" : "\(path).*") ?? .bool(true)
      }
    var form: [String: JSONValue] = [
      // A section with nothing behind it is empty.
      "type": path.isEmpty ? .string("object") : .array([.string("object"), .string("null")]),
      "additionalProperties": rest,
    ]
    if !members.isEmpty {
      form["properties"] = .object(Dictionary(members) { first, _ in first })
    }
    return form
  }

  /// What `extends` and `include` name.
  static let files: JSONValue = .object([
    "description": .string(
      "YAML files beside this one whose fields stand where this has none; later ones first."),
    "anyOf": .array([
      .object(["type": .string("string")]),
      .object([
        "type": .string("array"), "items": .object(["type": .string("string")]),
      ]),
    ]),
  ])

  private static func form(_ shape: SchemaShape) -> [String: JSONValue] {
    switch shape {
    case .text: return ["type": .string("string")]
    case .bool: return ["type": .string("boolean")]
    case .choice(let words): return ["enum": .array(words.map { .string($0) })]
    case .int(let range):
      var form: [String: JSONValue] = ["type": .string("integer")]
      if range.lowerBound > .min { form["minimum"] = .int(range.lowerBound) }
      if range.upperBound < .max { form["maximum"] = .int(range.upperBound) }
      return form
    case .number(let range):
      return [
        "type": .string("number"), "minimum": .double(range.lowerBound),
        "maximum": .double(range.upperBound),
      ]
    }
  }
}
