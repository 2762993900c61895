//! Variables with fixed texts, for tests.

import Diagnostics
import Specs

extension Interpolation {
  static func expand(
    _ node: Node, variables: [String: String], faults: FaultCollector
  ) -> Node {
    expand(node, faults: faults) { name, text, offset in
      guard let value = variables[name] else {
        faults.add(unknown(name, offset: offset, in: text, known: variables.keys.sorted()))
        return nil
      }
      var node = text
      node.value = .string(value)
      return (node, 1)
    }.node
  }
}
