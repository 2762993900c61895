//! Encodable values to JSON values, without the detour over text. Knows no file.

extension JSONValue {
  /// The value that `encodable` encodes to; a number without a fraction is an integer, as in JSON's
  /// text. Throws for numbers that JSON has no spelling for.
  package init(encoding encodable: some Encodable) throws {
    self = try ValueEncoder.value(of: encodable)
  }
}

/// What is encoded, before all of it is known.
private enum Part {
  case value(JSONValue)
  case object(Members)
  case array(Elements)

  var value: JSONValue {
    switch self {
    case .value(let value): value
    case .object(let members): .object(members.parts.mapValues(\.value))
    case .array(let elements): .array(elements.parts.map(\.value))
    }
  }
}

private final class Members {
  var parts: [String: Part] = [:]
}

private final class Elements {
  var parts: [Part] = []
}

/// Encodes one value.
private final class ValueEncoder: Encoder {
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }
  fileprivate var part: Part?

  static func value(of encodable: some Encodable) throws -> JSONValue {
    if let value = encodable as? JSONValue { return value }
    let encoder = ValueEncoder()
    try encodable.encode(to: encoder)
    return encoder.part?.value ?? .object([:])
  }

  static func number(_ value: Double) throws -> JSONValue {
    guard value.isFinite else {
      throw EncodingError.invalidValue(
        value, .init(codingPath: [], debugDescription: "JSON has no spelling for \(value)"))
    }
    // The integers of a double; minus zero is none.
    if value.magnitude < 9e15, !(value == 0 && value.sign == .minus),
      let whole = Int(exactly: value)
    {
      return .int(whole)
    }
    return .double(value)
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    if case .object(let members)? = part { return KeyedEncodingContainer(Keyed(members: members)) }
    let members = Members()
    part = .object(members)
    return KeyedEncodingContainer(Keyed(members: members))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    if case .array(let elements)? = part { return Unkeyed(elements: elements) }
    let elements = Elements()
    part = .array(elements)
    return Unkeyed(elements: elements)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer { Single(encoder: self) }
}

private struct Single: SingleValueEncodingContainer {
  let encoder: ValueEncoder
  var codingPath: [any CodingKey] { [] }

  mutating func encodeNil() { encoder.part = .value(.null) }
  mutating func encode(_ value: Bool) { encoder.part = .value(.bool(value)) }
  mutating func encode(_ value: Int) { encoder.part = .value(.int(value)) }
  mutating func encode(_ value: String) { encoder.part = .value(.string(value)) }
  mutating func encode(_ value: Double) throws {
    encoder.part = .value(try ValueEncoder.number(value))
  }
  /// Numbers of other widths come here as well.
  mutating func encode(_ value: some Encodable) throws {
    if let integer = value as? any BinaryInteger {
      encoder.part = .value(
        try Int(exactly: integer).map { .int($0) } ?? ValueEncoder.number(Double(integer)))
    } else if let float = value as? Float {
      // As people would write it, not with the digits that a double has more.
      encoder.part = .value(try ValueEncoder.number(Double(float.description) ?? Double(float)))
    } else {
      encoder.part = .value(try ValueEncoder.value(of: value))
    }
  }
}

private struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let members: Members
  var codingPath: [any CodingKey] { [] }

  private func put(_ value: JSONValue, _ key: Key) {
    members.parts[key.stringValue] = .value(value)
  }

  mutating func encodeNil(forKey key: Key) { put(.null, key) }
  mutating func encode(_ value: Bool, forKey key: Key) { put(.bool(value), key) }
  mutating func encode(_ value: Int, forKey key: Key) { put(.int(value), key) }
  mutating func encode(_ value: String, forKey key: Key) { put(.string(value), key) }
  mutating func encode(_ value: Double, forKey key: Key) throws {
    put(try ValueEncoder.number(value), key)
  }
  mutating func encode(_ value: some Encodable, forKey key: Key) throws {
    put(try ValueEncoder.value(of: value), key)
  }

  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) -> KeyedEncodingContainer<Nested> {
    let nested = Members()
    members.parts[key.stringValue] = .object(nested)
    return KeyedEncodingContainer(Keyed<Nested>(members: nested))
  }

  mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    let nested = Elements()
    members.parts[key.stringValue] = .array(nested)
    return Unkeyed(elements: nested)
  }

  mutating func superEncoder() -> any Encoder { preconditionFailure("values have no classes") }
  mutating func superEncoder(forKey key: Key) -> any Encoder { superEncoder() }
}

private struct Unkeyed: UnkeyedEncodingContainer {
  let elements: Elements
  var codingPath: [any CodingKey] { [] }
  var count: Int { elements.parts.count }

  private func put(_ value: JSONValue) { elements.parts.append(.value(value)) }

  mutating func encodeNil() { put(.null) }
  mutating func encode(_ value: Bool) { put(.bool(value)) }
  mutating func encode(_ value: Int) { put(.int(value)) }
  mutating func encode(_ value: String) { put(.string(value)) }
  mutating func encode(_ value: Double) throws { put(try ValueEncoder.number(value)) }
  mutating func encode(_ value: some Encodable) throws { put(try ValueEncoder.value(of: value)) }

  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type
  ) -> KeyedEncodingContainer<Nested> {
    let nested = Members()
    elements.parts.append(.object(nested))
    return KeyedEncodingContainer(Keyed<Nested>(members: nested))
  }

  mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
    let nested = Elements()
    elements.parts.append(.array(nested))
    return Unkeyed(elements: nested)
  }

  mutating func superEncoder() -> any Encoder { preconditionFailure("values have no classes") }
}
