//! Quantizers' strings, read and written in QKeras's spelling. Knows no file: places are offsets
//! into the string.

/// What is wrong in a quantizer's string, and where in it.
package struct QuantizerSyntaxError: Error, Hashable, Sendable, CustomStringConvertible {
  package var message: String
  /// Characters before the fault.
  package var offset: Int
  /// Characters that the fault covers, at least 1.
  package var length: Int

  package var description: String { "\(message) (character \(offset + 1))" }
}

extension QuantizerSpec: CustomStringConvertible {
  /// QKeras's spelling: `quantized_bits(4,4,1,1,alpha='auto')`. Reads back to the same value.
  package var description: String {
    var arguments = ["\(bits)", "\(integer)", symmetric ? "1" : "0", keepNegative ? "1" : "0"]
    switch alpha {
    case .none: break
    case .constant(let value): arguments.append("alpha=\(value)")
    case .auto: arguments.append("alpha='auto'")
    case .autoPo2: arguments.append("alpha='auto_po2'")
    case .bestPo2: arguments.append("alpha='best_po2'")
    }
    if useStochasticRounding { arguments.append("use_stochastic_rounding=True") }
    if let scaleAxis { arguments.append("scale_axis=\(scaleAxis)") }
    if qnoiseFactor != 1 { arguments.append("qnoise_factor=\(qnoiseFactor)") }
    if !useSTE { arguments.append("use_ste=False") }
    return "\(kind.rawValue)(\(arguments.joined(separator: ",")))"
  }
}

extension QuantizerSpec: Codable {
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    do {
      try self.init(parsing: text)
    } catch {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(text): \(error)")
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

extension QuantizerSpec {
  /// Reads `quantized_bits(...)` or `quantized_bits_featuremap(...)` with the arguments of QKeras's
  /// constructor: positionally bits, integer, symmetric, keep_negative, alpha,
  /// use_stochastic_rounding, scale_axis, qnoise_factor; by keyword any of them and use_ste.
  package init(parsing text: String) throws(QuantizerSyntaxError) {
    var reader = QuantizerReader(text)
    self = try reader.quantizer()
  }
}

/// The arguments of QKeras's constructor in their order; `var_name` and `use_variables` name
/// TensorFlow variables and have no meaning here.
private let argumentNames = [
  "bits", "integer", "symmetric", "keep_negative", "alpha", "use_stochastic_rounding", "scale_axis",
  "qnoise_factor",
]
private let keywordOnlyNames = ["use_ste"]

private struct QuantizerReader {
  enum Literal {
    case int(Int)
    case float(Float)
    case string(String)
    case bool(Bool)
    case none
  }

  let characters: [Character]
  var position = 0

  init(_ text: String) { characters = Array(text) }

  mutating func quantizer() throws(QuantizerSyntaxError) -> QuantizerSpec {
    skipSpaces()
    let start = position
    let name = word()
    guard let kind = QuantizerSpec.Kind(rawValue: name) else {
      throw QuantizerSyntaxError(
        message: name.isEmpty
          ? "a quantizer starts with its name, quantized_bits or quantized_bits_featuremap"
          : "no quantizer is called `\(name)`: quantized_bits and quantized_bits_featuremap are",
        offset: start, length: max(1, position - start))
    }
    var spec = QuantizerSpec(kind: kind, scaleAxis: kind == .featureMap ? 0 : nil)
    try expect("(")
    var seen: Set<String> = []
    var positional = 0
    while true {
      skipSpaces()
      if peek() == ")" { break }
      try argument(&spec, seen: &seen, positional: &positional)
      skipSpaces()
      if peek() == "," { position += 1 } else { break }
    }
    try expect(")")
    skipSpaces()
    guard position == characters.count else {
      throw fault("nothing may follow the closing parenthesis", from: position)
    }
    try check(spec)
    return spec
  }

  private mutating func argument(
    _ spec: inout QuantizerSpec, seen: inout Set<String>, positional: inout Int
  ) throws(QuantizerSyntaxError) {
    let start = position
    let name: String
    if let keyword = keyword() {
      guard argumentNames.contains(keyword) || keywordOnlyNames.contains(keyword) else {
        throw QuantizerSyntaxError(
          message: "no argument is called `\(keyword)`: "
            + (argumentNames + keywordOnlyNames).joined(separator: ", ") + " are",
          offset: start, length: keyword.count)
      }
      name = keyword
      positional = argumentNames.count
    } else {
      guard positional < argumentNames.count else {
        throw fault(
          "a positional argument may not follow a keyword or the last position", from: start)
      }
      name = argumentNames[positional]
      positional += 1
    }
    guard seen.insert(name).inserted else { throw fault("`\(name)` is given twice", from: start) }
    skipSpaces()
    let place = position
    try assign(try literal(), to: name, of: &spec, from: place)
  }

  private func assign(
    _ value: Literal, to name: String, of spec: inout QuantizerSpec, from place: Int
  ) throws(QuantizerSyntaxError) {
    switch (name, value) {
    case ("bits", .int(let bits)): spec.bits = bits
    case ("integer", .int(let bits)): spec.integer = bits
    case ("symmetric", .int(let flag)) where flag == 0 || flag == 1: spec.symmetric = flag == 1
    case ("symmetric", .bool(let flag)): spec.symmetric = flag
    case ("keep_negative", .int(let flag)) where flag == 0 || flag == 1:
      spec.keepNegative = flag == 1
    case ("keep_negative", .bool(let flag)): spec.keepNegative = flag
    case ("alpha", .none): spec.alpha = .none
    case ("alpha", .int(let number)): spec.alpha = .constant(Float(number))
    case ("alpha", .float(let number)): spec.alpha = .constant(number)
    case ("alpha", .string("auto")): spec.alpha = .auto
    case ("alpha", .string("auto_po2")): spec.alpha = .autoPo2
    case ("alpha", .string("best_po2")): spec.alpha = .bestPo2
    case ("use_stochastic_rounding", .bool(let flag)): spec.useStochasticRounding = flag
    case ("use_stochastic_rounding", .int(let flag)) where flag == 0 || flag == 1:
      spec.useStochasticRounding = flag == 1
    case ("scale_axis", .int(let axis)): spec.scaleAxis = axis
    case ("scale_axis", .none): spec.scaleAxis = nil
    case ("qnoise_factor", .int(let number)): spec.qnoiseFactor = Float(number)
    case ("qnoise_factor", .float(let number)): spec.qnoiseFactor = number
    case ("use_ste", .bool(let flag)): spec.useSTE = flag
    case ("use_ste", .int(let flag)) where flag == 0 || flag == 1: spec.useSTE = flag == 1
    default: throw fault("`\(name)` takes \(Self.wanted(name))", from: place)
    }
  }

  private static func wanted(_ name: String) -> String {
    switch name {
    case "bits", "integer", "scale_axis": "a whole number"
    case "alpha": "None, a number, 'auto', 'auto_po2' or 'best_po2'"
    case "qnoise_factor": "a number"
    default: "0, 1, True or False"
    }
  }

  private func check(_ spec: QuantizerSpec) throws(QuantizerSyntaxError) {
    func refuse(_ message: String) -> QuantizerSyntaxError {
      QuantizerSyntaxError(message: message, offset: 0, length: max(1, characters.count))
    }
    guard (1...32).contains(spec.bits) else { throw refuse("bits must lie in 1...32") }
    guard (-32...32).contains(spec.integer) else { throw refuse("integer must lie in -32...32") }
    guard (0...1).contains(spec.qnoiseFactor) else {
      throw refuse("qnoise_factor must lie in 0...1")
    }
    switch spec.alpha {
    case .constant(let value) where !value.isFinite:
      throw refuse("alpha must be finite")
    case .auto, .autoPo2, .bestPo2:
      guard spec.bits >= 2 else { throw refuse("a scale of its own needs at least 2 bits") }
    case .none, .constant: break
    }
  }

  // MARK: Characters

  private func peek() -> Character? { position < characters.count ? characters[position] : nil }

  private mutating func skipSpaces() {
    while let next = peek(), next == " " || next == "\t" { position += 1 }
  }

  private mutating func word() -> String {
    let start = position
    while let next = peek(), next.isASCII, next.isLetter || next.isNumber || next == "_" {
      position += 1
    }
    return String(characters[start..<position])
  }

  /// The name before an `=`, nil (and nothing consumed) where none stands.
  private mutating func keyword() -> String? {
    let start = position
    let name = word()
    skipSpaces()
    if !name.isEmpty, peek() == "=" {
      position += 1
      return name
    }
    position = start
    return nil
  }

  private mutating func expect(_ character: Character) throws(QuantizerSyntaxError) {
    skipSpaces()
    guard peek() == character else {
      throw fault("expected `\(character)`", from: min(position, max(0, characters.count - 1)))
    }
    position += 1
  }

  private mutating func literal() throws(QuantizerSyntaxError) -> Literal {
    let start = position
    if let quote = peek(), quote == "'" || quote == "\"" {
      position += 1
      while let next = peek(), next != quote { position += 1 }
      guard peek() == quote else { throw fault("a string without its closing quote", from: start) }
      position += 1
      return .string(String(characters[(start + 1)..<(position - 1)]))
    }
    while let next = peek(), next != ",", next != ")", next != " " { position += 1 }
    let text = String(characters[start..<position])
    switch text {
    case "True": return .bool(true)
    case "False": return .bool(false)
    case "None": return .none
    default: break
    }
    if let number = Int(text) { return .int(number) }
    if let number = Float(text), number.isFinite { return .float(number) }
    throw fault(
      text.isEmpty
        ? "an argument is missing" : "`\(text)` is no number, string, True, False or None",
      from: start)
  }

  private func fault(_ message: String, from start: Int) -> QuantizerSyntaxError {
    QuantizerSyntaxError(message: message, offset: start, length: max(1, position - start))
  }
}
