//! Overrides of single fields by their paths, from the command line or a spec. Knows no schema: a
//! path that no schema has is found when the result is read.

package import Diagnostics

/// A value for the field at a path.
package struct Override: Sendable {
  /// Deeper than any spec, and shallow enough to be walked.
  fileprivate static let depthLimit = 100

  package var path: [String]
  package var node: Node

  package init(path: [String], node: Node) {
    self.path = path
    self.node = node
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
      return node.setting(path, to: override.node)
    }
  }

  private func setting(_ path: ArraySlice<String>, to new: Node) -> Node {
    guard let name = path.first else { return new }
    var result = self
    if case .sequence(var elements) = value, let index = Int(name), elements.indices.contains(index)
    {
      elements[index] = elements[index].setting(path.dropFirst(), to: new)
      result.value = .sequence(elements)
      return result
    }
    var entries: [Entry] = []
    if case .mapping(let old) = value {
      entries = old
    } else {
      // A scalar or nothing gives way to the mapping that the path needs.
      result = Node(.mapping([]), at: new.location, source: new.source)
    }
    if let index = entries.firstIndex(where: { $0.name == name }) {
      entries[index].value = entries[index].value.setting(path.dropFirst(), to: new)
    } else {
      let key = Node(
        .string(name), at: Self.place(of: name, in: new), length: name.unicodeScalars.count,
        text: name,
        source: new.source)
      let empty = Node(.null, at: new.location, source: new.source)
      entries.append(Entry(key: key, value: empty.setting(path.dropFirst(), to: new)))
    }
    result.value = .mapping(entries)
    return result
  }

  /// Where an override's own text names the key; else its value's place.
  private static func place(of name: String, in node: Node) -> SourceLocation {
    var place = node.location
    // The path stands before the value, on the same line; a spec's `set` has `:` for `=`.
    guard let line = node.source.line(place.line)?.unicodeScalars else { return place }
    var column = 1
    let path = line.prefix(place.column - 1).prefix { $0 != "=" && $0 != ":" }
    for part in path.split(separator: ".", omittingEmptySubsequences: false) {
      let trimmed = part.drop { $0 == " " }
      if String(trimmed) == name {
        place.column = column + part.count - trimmed.count
        return place
      }
      column += part.count + 1
    }
    return place
  }
}
