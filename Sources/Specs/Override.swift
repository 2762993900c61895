//! Overrides of single fields by their paths, from the command line or a spec. Knows no schema: a
//! path that no schema has is found when the result is read.

package import Diagnostics

/// A value for the field at a path.
package struct Override: Sendable {
  /// Deeper than any spec, and shallow enough to be walked.
  fileprivate static let depthLimit = 100

  package var path: [String]
  package var node: Node
  /// The path as it was written; nil where nobody wrote it.
  package var key: Node?

  package init(path: [String], node: Node, key: Node? = nil) {
    self.path = path
    self.node = node
    self.key = key
  }

  /// The value at a path that a spec has as a key; nil for what is no path.
  package init?(_ entry: Node.Entry) {
    let parts = entry.name.split(separator: ".", omittingEmptySubsequences: false)
    if parts.contains("") { return nil }
    self.init(path: parts.map(String.init), node: entry.value, key: entry.key)
  }

  /// Reads `fine_tune.epochs=7`; the value is YAML. Faults show the argument.
  package init(parsing argument: String) throws(InvalidSpec) {
    let source = SourceText(file: "--set \(argument)", bytes: Array(argument.utf8))
    func fault(_ message: String, column: Int) -> InvalidSpec {
      InvalidSpec([
        Diagnostic(
          message, at: SourceLocation(file: source.file, line: 1, column: column),
          sourceLine: argument, suggestion: "write it as `--set seed=7`")
      ])
    }
    guard let equals = argument.firstIndex(of: "=") else {
      throw fault("an override is a path and a value with `=` between", column: 1)
    }
    let path = argument[..<equals].split(separator: ".", omittingEmptySubsequences: false)
    let width = argument.unicodeScalars.distance(from: argument.startIndex, to: equals) + 1
    guard path.allSatisfy({ !$0.isEmpty && $0.allSatisfy { !$0.isWhitespace } }) else {
      throw fault("this is no path of keys with dots between", column: 1)
    }
    let text = Array(argument[argument.index(after: equals)...].utf8)
    self.path = path.map(String.init)
    let written = String(argument[..<equals])
    key = Node(
      .string(written), at: SourceLocation(file: source.file, line: 1, column: 1),
      length: width - 1, text: written, source: source)
    if text.allSatisfy({ $0 == UInt8(ascii: " ") }) {
      node = Node(
        .null, at: SourceLocation(file: source.file, line: 1, column: width + 1), text: "",
        source: source)
    } else {
      node = try YAML.parse(text, source: source, columnOffset: width)
    }
  }
}

extension Node {
  /// This node with the overrides' values in place, later ones last; missing mappings are made.
  package func applying(_ overrides: [Override]) -> Node {
    overrides.reduce(self) { node, override in
      // What no spec has is one unknown key, which whoever reads the result refuses.
      let head = override.path.prefix(Override.depthLimit)
      let tail = override.path.dropFirst(Override.depthLimit)
      let path =
        tail.isEmpty ? head : head.dropLast() + [([head.last ?? ""] + tail).joined(separator: ".")]
      return node.setting(path, by: override)
    }
  }

  private func setting(_ path: ArraySlice<String>, by override: Override) -> Node {
    guard let name = path.first else { return override.node }
    var result = self
    if case .sequence(var elements) = value, let index = Int(name), elements.indices.contains(index)
    {
      elements[index] = elements[index].setting(path.dropFirst(), by: override)
      result.value = .sequence(elements)
      return result
    }
    var entries: [Entry] = []
    if case .mapping(let old) = value {
      entries = old
    } else {
      // A scalar or nothing gives way to the mapping that the path needs.
      result = Node(.mapping([]), at: override.node.location, source: override.node.source)
    }
    if let index = entries.firstIndex(where: { $0.name == name }) {
      entries[index].value = entries[index].value.setting(path.dropFirst(), by: override)
    } else {
      let empty = Node(.null, at: override.node.location, source: override.node.source)
      entries.append(
        Entry(
          key: override.key(path.startIndex, named: name),
          value: empty.setting(path.dropFirst(), by: override)))
    }
    result.value = .mapping(entries)
    return result
  }
}

extension Override {
  /// The part of the written path that names a key; the value's place where nobody wrote it so.
  fileprivate func key(_ index: Int, named name: String) -> Node {
    let length = name.unicodeScalars.count
    guard let key, let text = key.text,
      text.split(separator: ".", omittingEmptySubsequences: false).map(String.init) == path
    else {
      return Node(
        .string(name), at: node.location, length: length, text: name, source: node.source)
    }
    let before = path[..<index].reduce(0) { $0 + $1.unicodeScalars.count + 1 }
    var part = Node(
      .string(name), at: key.location, length: length, text: name, source: key.source)
    let line = key.source.line(key.location.line)?.unicodeScalars.dropFirst(key.location.column - 1)
    let isQuoted = line?.first == "'" || line?.first == "\""
    part.location.column += before + (isQuoted ? 1 : 0)
    return part
  }
}
