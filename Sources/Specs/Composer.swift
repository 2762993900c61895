//! Files that build on others, by `extends` and `include`. Knows no schema and no variable.

import Diagnostics
import Glibc

/// Loads files with what they extend and include; each file is read once.
package final class Composer {
  /// Values of a document once all that it includes is written out.
  private static let sizeLimit = 200_000
  /// Files that may be open within each other.
  private static let depthLimit = 32

  private let faults: FaultCollector
  private var finished: [String: (node: Node, size: Int)?] = [:]
  /// Those being read, as the user knows them.
  private var open: [(real: String, shown: String)] = []

  package init(faults: FaultCollector) { self.faults = faults }

  /// The document in the file at `path`, without `extends` and `include`; nil after faults.
  package func load(_ path: String) -> Node? { document(at: path, askedFor: nil)?.node }

  private func document(at path: String, askedFor place: Node?) -> (node: Node, size: Int)? {
    let real = Self.realPath(path)
    if let known = finished[real] { return known }
    if let first = open.firstIndex(where: { $0.real == real }), let place {
      let chain = (open[first...].map(\.shown) + [path]).joined(separator: " needs ")
      faults.add(place.diagnostic("files need each other: \(chain)"))
      return nil
    }
    if open.count >= Self.depthLimit, let place {
      faults.add(place.diagnostic("more than \(Self.depthLimit) files build on each other"))
      return nil
    }
    open.append((real, path))
    defer { open.removeLast() }
    let document = read(path, askedFor: place).flatMap(composed)
    finished[real] = .some(document)
    return document
  }

  private func read(_ path: String, askedFor place: Node?) -> Node? {
    do {
      return try YAML.load(path: path, shownAs: path) { faults.lookups.note($0, at: path) }
    } catch {
      for var diagnostic in error.diagnostics {
        if diagnostic.location == nil, let place {
          diagnostic = place.diagnostic(
            diagnostic.message,
            suggestion: Self.neighbour(of: path).map { "did you mean `\($0)`?" })
        }
        faults.add(diagnostic)
      }
      return nil
    }
  }

  /// The root with its bases below it.
  private func composed(_ root: Node) -> (node: Node, size: Int)? {
    guard let bases = root["extends"], case .mapping(var entries) = root.value else {
      return included(root)
    }
    entries.removeAll { $0.name == "extends" }
    var own = root
    own.value = .mapping(entries)
    guard let (node, size) = included(own), let (base, baseSize) = merged(bases, for: "extends")
    else { return nil }
    return checked(node.merged(over: base), size: size + baseSize, at: bases)
  }

  /// A value with every `include` in it written out.
  private func included(_ node: Node) -> (node: Node, size: Int)? {
    var result = node
    var size = 1
    var isWhole = true
    func take(_ child: Node) -> Node {
      guard let (node, count) = included(child) else {
        isWhole = false
        return child
      }
      size += count
      return node
    }
    switch node.value {
    case .sequence(let elements): result.value = .sequence(elements.map(take))
    case .mapping(let entries):
      let own = entries.filter { $0.name != "include" }
      result.value = .mapping(own.map { Node.Entry(key: $0.key, value: take($0.value)) })
      if let names = node["include"] {
        guard let (base, count) = merged(names, for: "include"),
          let whole = checked(result.merged(over: base), size: size + count, at: names)
        else { return nil }
        (result, size) = whole
      }
    default: return (node, 1)
    }
    return isWhole ? (result, size) : nil
  }

  /// The files that a node names, later ones over earlier ones.
  private func merged(_ names: Node, for key: String) -> (node: Node, size: Int)? {
    let nodes: [Node] = if case .sequence(let elements) = names.value { elements } else { [names] }
    var result: (node: Node, size: Int)?
    var isWhole = true
    for node in nodes {
      guard case .string(let name) = node.value, !name.isEmpty else {
        faults.add(
          node.diagnostic("\(key) names YAML files beside this one, not \(node.found)"))
        isWhole = false
        continue
      }
      guard let next = document(at: Self.path(name, beside: node), askedFor: node) else {
        isWhole = false
        continue
      }
      guard case .mapping = next.node.value else {
        faults.add(node.diagnostic("\(name) holds \(next.node.found), and \(key) wants a mapping"))
        isWhole = false
        continue
      }
      result = result.map { (next.node.merged(over: $0.node), $0.size + next.size) } ?? next
      // Many files would be merged for long before anybody saw that they are too many.
      if let whole = result, checked(whole.node, size: whole.size, at: node) == nil { return nil }
    }
    if isWhole, result == nil { faults.add(names.diagnostic("\(key) names no file")) }
    return isWhole ? result : nil
  }

  private func checked(_ node: Node, size: Int, at place: Node) -> (node: Node, size: Int)? {
    if size <= Self.sizeLimit { return (node, size) }
    faults.add(
      place.diagnostic(
        "the document has more than \(Self.sizeLimit) values with the files that it builds on"))
    return nil
  }

  // MARK: Paths

  private static func folder(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
  }

  private static func path(_ name: String, beside node: Node) -> String {
    name.hasPrefix("/") ? name : folder(of: node.location.file) + name
  }

  private static func realPath(_ path: String) -> String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }

  /// The file there whose name is nearest.
  private static func neighbour(of path: String) -> String? {
    let folder = folder(of: path)
    guard let stream = opendir(folder.isEmpty ? "." : folder) else { return nil }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      names.append(
        withUnsafePointer(to: &entry.pointee.d_name) { name in
          name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        })
    }
    let name = String(path.dropFirst(folder.count))
    return closest(to: name, among: names.filter { $0.hasSuffix(".yaml") }.sorted())
  }
}

extension Node {
  /// This mapping with the fields of `base` where it has none of its own; mappings within are merged
  /// likewise, and every other value is replaced as a whole.
  package func merged(over base: Node) -> Node {
    guard case .mapping(let own) = value, case .mapping(var entries) = base.value else {
      return self
    }
    var places: [String: Int] = [:]
    for (index, entry) in entries.enumerated() { places[entry.name] = index }
    for entry in own {
      if let index = places[entry.name] {
        entries[index] = Entry(
          key: entry.key, value: entry.value.merged(over: entries[index].value))
      } else {
        entries.append(entry)
      }
    }
    var result = self
    result.value = .mapping(entries)
    return result
  }
}
