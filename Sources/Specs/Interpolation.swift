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

  /// A value that stands for a variable, and how many values it holds with itself.
  package typealias Value = (node: Node, size: Int)
  /// Finds what a variable stands for, given the text that names it and where in the text; adds a
  /// fault where nothing does.
  package typealias Lookup = (_ name: String, _ text: Node, _ offset: Int) -> Value?

  /// Values of a document once its variables are written out.
  private static let sizeLimit = 200_000
  /// Bytes of one text once its variables are written out.
  private static let textLimit = 1 << 20

  /// `node` with every text below it expanded. A text that is one variable becomes its value, which
  /// may be a number, a list or a mapping; within a longer text it must be a single value.
  package static func expand(_ node: Node, faults: FaultCollector, lookup: Lookup) -> Value {
    var result = node
    var size = 1
    func take(_ child: Node) -> Node {
      let (node, count) = expand(child, faults: faults, lookup: lookup)
      size += count
      return node
    }
    switch node.value {
    case .string(let text) where text.utf8.contains(UInt8(ascii: "$")):
      return expand(text, in: node, faults, lookup)
    case .sequence(let elements): result.value = .sequence(elements.map(take))
    case .mapping(let entries):
      result.value = .mapping(entries.map { Node.Entry(key: $0.key, value: take($0.value)) })
    default: return (node, 1)
    }
    return limited(result, size, faults)
  }

  /// A text that names variables, as one text; nil after faults.
  package static func text(
    of value: Node, for name: String, in node: Node, offset: Int,
    faults: FaultCollector
  ) -> String? {
    switch value.value {
    case .null: return ""
    case .bool(let flag): return "\(flag)"
    case .int(let number): return "\(number)"
    case .float(let number): return value.text ?? "\(number)"
    case .string(let text): return text
    case .sequence, .mapping:
      faults.add(
        node.diagnostic(
          "`${\(name)}` is \(value.found), which cannot stand within a text", offset: offset,
          length: name.unicodeScalars.count + 3))
      return nil
    }
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
    _ text: String, in node: Node, _ faults: FaultCollector, _ lookup: Lookup
  ) -> Value {
    let pieces = pieces(of: text, in: node, faults: faults)
    if case .variable(let name, let offset)? = pieces.first, pieces.count == 1 {
      return lookup(name, node, offset) ?? nothing(at: node, faults)
    }
    var result = node
    var plain = ""
    for piece in pieces {
      switch piece {
      case .text(let text): plain += text
      case .variable(let name, let offset):
        // A text from outside may hold megabytes of them.
        if faults.isFull { break }
        guard let value = lookup(name, node, offset)?.node else { return nothing(at: node, faults) }
        plain +=
          Self.text(of: value, for: name, in: node, offset: offset, faults: faults) ?? ""
      }
      if plain.utf8.count > textLimit {
        faults.add(
          node.diagnostic(
            "the text is longer than \(textLimit >> 20) MB once its variables are written out"))
        return nothing(at: node, faults)
      }
    }
    result.value = .string(plain)
    return (result, 1)
  }

  /// What stands in for a value after a fault, which is enough.
  private static func nothing(at node: Node, _ faults: FaultCollector) -> Value {
    faults.silence(node)
    var result = node
    result.value = .null
    return (result, 1)
  }

  private static func limited(_ node: Node, _ size: Int, _ faults: FaultCollector) -> Value {
    if size <= sizeLimit { return (node, size) }
    faults.add(
      node.diagnostic(
        "this has more than \(sizeLimit) values once its variables are written out"))
    return nothing(at: node, faults)
  }
}
