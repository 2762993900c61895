//! What a plain scalar means: YAML 1.2's core schema. Knows no places.

/// A plain scalar, resolved.
enum Scalar {
  /// `yes`, `010`, `16:9` and `1_000` are text: YAML 1.1's readings of them surprise people.
  static func resolve(_ text: String) -> Result<Node.Value, ScalarFault> {
    switch text {
    case "", "~", "null", "Null", "NULL": return .success(.null)
    case "true", "True", "TRUE": return .success(.bool(true))
    case "false", "False", "FALSE": return .success(.bool(false))
    case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .success(.float(.infinity))
    case "-.inf", "-.Inf", "-.INF": return .success(.float(-.infinity))
    case ".nan", ".NaN", ".NAN": return .success(.float(.nan))
    default: return number(text)
    }
  }

  struct ScalarFault: Error {
    var message: String
  }

  private static func number(_ text: String) -> Result<Node.Value, ScalarFault> {
    let bytes = Array(text.utf8)
    guard let first = bytes.first, isDigit(first) || first == 43 || first == 45 || first == 46
    else { return .success(.string(text)) }
    if text.hasPrefix("0x") || text.hasPrefix("0o") {
      let radix = text.hasPrefix("0x") ? 16 : 8
      let digits = text.dropFirst(2)
      guard !digits.isEmpty,
        digits.allSatisfy({ $0.isASCII && Int(String($0), radix: radix) != nil })
      else { return .success(.string(text)) }
      return integer(Int(digits, radix: radix), text)
    }
    var index = first == 43 || first == 45 ? 1 : 0
    let whole = digits(bytes, &index)
    // A number has no leading zeros.
    if whole.count > 1, whole.first == 48 { return .success(.string(text)) }
    if index == bytes.count {
      return whole.isEmpty ? .success(.string(text)) : integer(Int(text), text)
    }
    var fraction: ArraySlice<UInt8> = []
    if bytes[index] == 46 {
      index += 1
      fraction = digits(bytes, &index)
    }
    guard !whole.isEmpty || !fraction.isEmpty else { return .success(.string(text)) }
    if index < bytes.count, bytes[index] == 101 || bytes[index] == 69 {
      index += 1
      if index < bytes.count, bytes[index] == 43 || bytes[index] == 45 { index += 1 }
      guard !digits(bytes, &index).isEmpty else { return .success(.string(text)) }
    }
    guard index == bytes.count else { return .success(.string(text)) }
    guard let value = Double(text), value.isFinite else {
      return .failure(ScalarFault(message: "the number \(text.prefix(40)) is too large"))
    }
    return .success(.float(value))
  }

  private static func integer(_ value: Int?, _ text: String) -> Result<Node.Value, ScalarFault> {
    guard let value else {
      return .failure(
        ScalarFault(message: "the integer \(text.prefix(40)) does not fit into 64 bits"))
    }
    return .success(.int(value))
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

  private static func digits(_ bytes: [UInt8], _ index: inout Int) -> ArraySlice<UInt8> {
    let start = index
    while index < bytes.count, isDigit(bytes[index]) { index += 1 }
    return bytes[start..<index]
  }
}
