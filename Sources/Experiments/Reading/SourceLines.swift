//! The lines of the files that were read, for faults that were found where only places are known.

import Diagnostics
import Specs

/// Where nodes stand, by place.
struct SourceLines {
  private var nodes: [SourceLocation: Node] = [:]

  mutating func add(_ node: Node) {
    nodes[node.location] = node
    switch node.value {
    case .mapping(let entries):
      for entry in entries {
        add(entry.value)
        // A mapping starts where its first key does; the key is what a fault means there.
        nodes[entry.key.location] = entry.key
      }
    case .sequence(let elements): for element in elements { add(element) }
    default: break
    }
  }

  /// The same fault with the source line at its place.
  func showing(_ diagnostic: Diagnostic) -> Diagnostic {
    guard diagnostic.sourceLine == nil, let location = diagnostic.location,
      let node = nodes[location]
    else { return diagnostic }
    let shown = node.diagnostic(diagnostic.message)
    var diagnostic = diagnostic
    diagnostic.sourceLine = shown.sourceLine
    diagnostic.length = shown.length
    return diagnostic
  }
}
