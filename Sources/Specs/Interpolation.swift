//! Variables in texts: `${data}/speech_commands`. Knows not where their values come from.

/// Replaces `${name}` by a variable's value, and `$$` by a dollar.
package enum Interpolation {
  /// `node` with every text below it expanded; an unknown variable is a fault.
  package static func expand(
    _ node: Node, variables: [String: String], faults: FaultCollector
  ) -> Node {
    var result = node
    switch node.value {
    case .string(let text) where text.contains("$"):
      result.value = .string(expand(text, in: node, variables, faults))
    case .sequence(let elements):
      result.value = .sequence(elements.map { expand($0, variables: variables, faults: faults) })
    case .mapping(let entries):
      result.value = .mapping(
        entries.map { entry in
          Node.Entry(
            key: entry.key, value: expand(entry.value, variables: variables, faults: faults))
        })
    default: break
    }
    return result
  }

  private static func expand(
    _ text: String, in node: Node, _ variables: [String: String], _ faults: FaultCollector
  ) -> String {
    var result = ""
    var rest = text[...]
    // The faults' places need no second look at what lies before them.
    var (counted, offset) = (text.startIndex, 0)
    while !faults.isFull, let dollar = rest.firstIndex(of: "$") {
      result += rest[..<dollar]
      offset += text.unicodeScalars.distance(from: counted, to: dollar)
      counted = dollar
      rest = rest[text.index(after: dollar)...]
      if rest.first == "$" {
        result += "$"
        rest = rest.dropFirst()
        continue
      }
      guard rest.first == "{", let end = rest.firstIndex(of: "}") else {
        faults.add(
          node.diagnostic(
            "a variable is written `${name}`, a dollar `$$`", offset: offset, length: 1))
        result += "$"
        continue
      }
      let name = String(rest[rest.index(after: rest.startIndex)..<end])
      rest = rest[rest.index(after: end)...]
      if let value = variables[name] {
        result += value
      } else {
        let known = variables.keys.sorted().map { "${\($0)}" }.joined(separator: ", ")
        faults.add(
          node.diagnostic(
            "unknown variable `${\(name)}`", offset: offset, length: name.unicodeScalars.count + 3,
            suggestion: known.isEmpty ? nil : "the variables are \(known)"))
      }
    }
    return result + rest
  }
}
