//! libyaml's events to nodes, with what YAML allows and specs do not refused. Knows no schema.

import Diagnostics

/// One document in the making.
final class NodeBuilder {
  private static let depthLimit = 100
  /// Nodes of a document after its aliases are written out.
  private static let nodeLimit = 200_000
  /// Nobody mends more at once, and a text from outside may have a fault in every word.
  private static let faultLimit = 100

  private let source: SourceText
  private let columnOffset: Int
  private var faults: [Diagnostic] = []
  private var anchors: [String: (node: Node, size: Int, height: Int)] = [:]
  private var size = 0
  /// Depth of the deepest node since somebody last looked.
  private var deepest = 0

  init(source: SourceText, columnOffset: Int) {
    self.source = source
    self.columnOffset = columnOffset
  }

  func document(_ text: [UInt8]) throws(InvalidSpec) -> Node {
    let events = EventStream(text) { [self] line, column in location(line, column) }
    var event = try next(events)
    guard event.kind == .streamStart else { preconditionFailure("libyaml begins with its stream") }
    event = try next(events)
    guard event.kind == .documentStart else {
      let what = columnOffset == 0 ? "file" : "value"
      throw stop("the \(what) is empty", at: location(0, 0))
    }
    let root = try node(from: try next(events), events, depth: 0)
    _ = try next(events)
    event = try next(events)
    guard event.kind == .streamEnd else {
      throw stop("a spec is one document, and a second one begins here", at: event.location)
    }
    guard faults.isEmpty else { throw InvalidSpec(faults) }
    return root
  }

  // MARK: Nodes

  private func node(
    from event: Event, _ events: EventStream, depth: Int
  ) throws(InvalidSpec) -> Node {
    guard depth <= Self.depthLimit else {
      throw stop("nested more than \(Self.depthLimit) deep", at: event.location)
    }
    if event.kind == .alias { return try alias(event, depth: depth) }
    let before = size
    let deepestOutside = deepest
    deepest = depth
    try count(1, at: event.location)
    var result: Node
    switch event.kind {
    case .scalar: result = try scalar(event)
    case .sequenceStart:
      _ = try check(tag: event, allowed: ["seq"])
      var elements: [Node] = []
      var next = try next(events)
      while next.kind != .sequenceEnd {
        elements.append(try node(from: next, events, depth: depth + 1))
        next = try self.next(events)
      }
      result = Node(.sequence(elements), at: event.location, source: source)
    case .mappingStart:
      _ = try check(tag: event, allowed: ["map"])
      result = Node(
        .mapping(try entries(events, depth: depth + 1)), at: event.location, source: source)
    default: throw stop("unexpected end of the text", at: event.location)
    }
    if let anchor = event.anchor { anchors[anchor] = (result, size - before, deepest - depth) }
    deepest = max(deepest, deepestOutside)
    return result
  }

  private func entries(
    _ events: EventStream, depth: Int
  ) throws(InvalidSpec) -> [Node.Entry] {
    var entries: [Node.Entry] = []
    var seen: [String: SourceLocation] = [:]
    while true {
      let event = try next(events)
      if event.kind == .mappingEnd { return entries }
      let written = try node(from: event, events, depth: depth)
      let value = try node(from: try next(events), events, depth: depth)
      guard let name = written.text, !name.isEmpty else {
        try report(written.diagnostic("a key must be a word, not \(written.found)"))
        continue
      }
      let key = Node(
        .string(name), at: written.location, length: written.length, text: name, source: source)
      if name == "<<" {
        try report(
          key.diagnostic(
            "merge keys (`<<`) are not part of YAML 1.2",
            suggestion: "write the fields out, or alias a whole value"))
      } else if let first = seen[name] {
        try report(
          key.diagnostic(
            "duplicate key `\(name)`", notes: [Diagnostic.Note("the first one is here", at: first)])
        )
      } else {
        seen[name] = key.location
        entries.append(Node.Entry(key: key, value: value))
      }
    }
  }

  private func alias(_ event: Event, depth: Int) throws(InvalidSpec) -> Node {
    let name = event.anchor ?? ""
    guard let target = anchors[name] else {
      throw stop(
        "no anchor `&\(name)` stands before this alias", at: event.location, length: event.length,
        suggestion: closest(to: name, among: anchors.keys.sorted()).map { "did you mean `*\($0)`?" }
      )
    }
    // Aliases of aliases may be deeper than any bracket of the text.
    guard depth + target.height <= Self.depthLimit else {
      throw stop("nested more than \(Self.depthLimit) deep", at: event.location)
    }
    deepest = max(deepest, depth + target.height)
    try count(target.size, at: event.location)
    return target.node
  }

  private func scalar(_ event: Event) throws(InvalidSpec) -> Node {
    var node = Node(
      .string(event.text), at: event.location, length: event.length, text: event.text,
      source: source)
    // C would take a path to end there.
    if event.text.utf8.contains(0) {
      try report(node.diagnostic("a text must not hold a zero byte"))
    }
    let tag = try check(tag: event, allowed: ["str", "int", "float", "bool", "null"])
    if tag == "str" || event.tag == "!" { return node }
    if event.isPlain || tag != nil {
      switch Scalar.resolve(event.text) {
      case .success(let value): node.value = value
      case .failure(let fault):
        node.value = .null
        try report(node.diagnostic(fault.message))
        return node
      }
    }
    switch (tag, node.value) {
    case (nil, _), ("int", .int), ("float", .float), ("bool", .bool), ("null", .null): break
    case ("float", .int(let whole)): node.value = .float(Double(whole))
    default:
      try report(
        node.diagnostic("`!!\(tag ?? "")` is not what \(node.found) is, and specs need no tags"))
    }
    return node
  }

  /// The short name of a tag of YAML's own; others are faults.
  private func check(tag event: Event, allowed: [String]) throws(InvalidSpec) -> String? {
    guard let tag = event.tag, tag != "!" else { return nil }
    let prefix = "tag:yaml.org,2002:"
    let short = tag.hasPrefix(prefix) ? String(tag.dropFirst(prefix.count)) : nil
    if let short, allowed.contains(short) { return short }
    let shown = short.map { "!!\($0)" } ?? tag
    try report(
      Diagnostic(
        "unknown tag `\(shown)`", at: event.location, length: event.length,
        sourceLine: source.line(event.location.line), suggestion: "specs need no tags"))
    return nil
  }

  private func report(_ fault: Diagnostic) throws(InvalidSpec) {
    faults.append(fault)
    if faults.count >= Self.faultLimit { throw InvalidSpec(faults) }
  }

  private func count(_ nodes: Int, at location: SourceLocation) throws(InvalidSpec) {
    size += nodes
    guard size <= Self.nodeLimit else {
      throw stop(
        "the document has more than \(Self.nodeLimit) values once its aliases are written out",
        at: location)
    }
  }

  // MARK: Events

  private func next(_ events: EventStream) throws(InvalidSpec) -> Event {
    do {
      return try events.next()
    } catch {
      throw stop(error.message, at: error.location, suggestion: error.suggestion)
    }
  }

  /// All faults so far, and the one after which nothing can be read.
  private func stop(
    _ message: String, at location: SourceLocation, length: Int = 1, suggestion: String? = nil
  ) -> InvalidSpec {
    InvalidSpec(
      faults + [
        Diagnostic(
          message, at: location, length: length, sourceLine: source.line(location.line),
          suggestion: suggestion)
      ])
  }

  private func location(_ line: Int, _ column: Int) -> SourceLocation {
    SourceLocation(
      file: source.file, line: line + 1,
      column: column + 1 + (line == 0 ? columnOffset : 0))
  }
}
