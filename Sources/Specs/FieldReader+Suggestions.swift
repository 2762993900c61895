//! What to write instead of a value of the wrong type. Knows no key.

extension FieldReader {
  /// A scalar that YAML reads as something else than text.
  static func quoted(_ node: Node) -> String? {
    switch node.value {
    case .bool, .int, .float: node.text.map { "write it in quotes: '\($0)'" }
    default: nil
    }
  }

  /// `2.0` and `1e3`, which are whole, and what `plainNumber` reads.
  static func whole(_ node: Node) -> String? {
    guard case .float(let number) = node.value else {
      guard case .int? = number(in: node) else { return nil }
      return plainNumber(node)
    }
    return Int(exactly: number).map { "did you mean `\($0)`?" }
  }

  /// `1_000`, `010` and `'7'`, which are text.
  static func plainNumber(_ node: Node) -> String? {
    switch number(in: node) {
    case .int(let number): "did you mean `\(number)`?"
    case .float(let number): "did you mean `\(number)`?"
    default: nil
    }
  }

  /// YAML 1.1's `yes`, `no`, `on` and `off`.
  static func truth(_ node: Node) -> String? {
    switch node.text?.lowercased() {
    case "yes", "on", "y", "true", "1": "did you mean `true`?"
    case "no", "off", "n", "false", "0": "did you mean `false`?"
    default: nil
    }
  }

  private static func number(in node: Node) -> Node.Value? {
    guard case .string(let text) = node.value, text.utf8.count < 40 else { return nil }
    let bare = text.replacing("_", with: "")
    let isZeroed = bare.hasPrefix("0") && bare.dropFirst().allSatisfy { ("0"..."9").contains($0) }
    let stripped = isZeroed ? String(bare.drop { $0 == "0" }) : bare
    return try? Scalar.resolve(stripped).get()
  }
}
