//! Variables in texts: `${data}/speech_commands`. Knows not where their values come from.

package import Diagnostics

/// Replaces `${name}` by a variable's value, and `$$` by a dollar.
package enum Interpolation {
  /// A part of a text.
  package enum Piece: Hashable, Sendable {
    /// As it stands, a dollar for `$$`.
    case text(String)
    /// What stands in `${...}`, and where in the text: characters (Unicode scalars) from its start.
    case variable(String, offset: Int)
  }

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

  /// The parts of a text; a dollar that begins nothing is a fault.
  package static func pieces(
    of text: String, in node: Node, faults: FaultCollector
  ) -> [Piece] {
    var pieces: [Piece] = []
    var plain = ""
    var rest = text[...]
    // The faults' places need no second look at what lies before them.
    var (counted, offset) = (text.startIndex, 0)
    while !faults.isFull, let dollar = rest.firstIndex(of: "$") {
      plain += rest[..<dollar]
      offset += text.unicodeScalars.distance(from: counted, to: dollar)
      counted = dollar
      rest = rest[text.index(after: dollar)...]
      if rest.first == "$" {
        plain += "$"
        rest = rest.dropFirst()
        continue
      }
      guard rest.first == "{", let end = rest.firstIndex(of: "}") else {
        faults.add(
          node.diagnostic(
            "a variable is written `${name}`, a dollar `$$`", offset: offset, length: 1))
        plain += "$"
        continue
      }
      if !plain.isEmpty { pieces.append(.text(plain)) }
      plain = ""
      pieces.append(
        .variable(String(rest[rest.index(after: rest.startIndex)..<end]), offset: offset))
      rest = rest[rest.index(after: end)...]
    }
    plain += rest
    if !plain.isEmpty { pieces.append(.text(plain)) }
    return pieces
  }

  /// A fault for a variable that nobody knows.
  package static func unknown(
    _ name: String, offset: Int, in node: Node, known: [String], holding: String = "variables"
  ) -> Diagnostic {
    let list = known.map { "${\($0)}" }.joined(separator: ", ")
    return node.diagnostic(
      "unknown variable `${\(name)}`", offset: offset, length: name.unicodeScalars.count + 3,
      suggestion: closest(to: name, among: known).map { "did you mean `${\($0)}`?" }
        ?? (known.isEmpty ? nil : "the \(holding) are \(list)"))
  }

  private static func expand(
    _ text: String, in node: Node, _ variables: [String: String], _ faults: FaultCollector
  ) -> String {
    pieces(of: text, in: node, faults: faults).map { piece in
      switch piece {
      case .text(let text): return text
      case .variable(let name, let offset):
        if let value = variables[name] { return value }
        // A text from outside may hold megabytes of them.
        if faults.isFull { return "" }
        faults.add(unknown(name, offset: offset, in: node, known: variables.keys.sorted()))
        return ""
      }
    }.joined()
  }
}
