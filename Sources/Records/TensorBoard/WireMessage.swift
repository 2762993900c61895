//! A protocol-buffers message in the making: fields encoded one after the other. Knows no schema.

/// Proto3's wire format as far as event files need it. Fields are written in the order of the calls,
/// which is that of their numbers; a number whose bits are all zero is left out, unless a oneof says
/// which field is there.
///
/// https://protobuf.dev/programming-guides/encoding/
struct WireMessage {
  private(set) var bytes: [UInt8] = []

  /// How a field's value ends, as its key's lowest bits say.
  private enum WireType: UInt64 {
    case varint = 0
    case fixed64 = 1
    case lengthDelimited = 2
    case fixed32 = 5
  }

  mutating func add(_ field: UInt64, _ value: Int64) {
    guard value != 0 else { return }
    addKey(field, .varint)
    addVarint(UInt64(bitPattern: value))
  }

  mutating func add(_ field: UInt64, _ value: Double) {
    guard value.bitPattern != 0 else { return }
    addKey(field, .fixed64)
    addFixed(value.bitPattern)
  }

  /// A float of a oneof.
  mutating func add(_ field: UInt64, chosen value: Float) {
    addKey(field, .fixed32)
    addFixed(value.bitPattern)
  }

  /// A text or message, which may be empty.
  mutating func add(_ field: UInt64, _ value: some Collection<UInt8>) {
    addKey(field, .lengthDelimited)
    addVarint(UInt64(value.count))
    bytes += value
  }

  /// A repeated double, packed.
  mutating func add(_ field: UInt64, _ values: [Double]) {
    guard !values.isEmpty else { return }
    addKey(field, .lengthDelimited)
    addVarint(UInt64(values.count * 8))
    for value in values { addFixed(value.bitPattern) }
  }

  private mutating func addKey(_ field: UInt64, _ type: WireType) {
    addVarint(field << 3 | type.rawValue)
  }

  /// Seven bits a byte, the lowest first; the eighth says that more follow.
  private mutating func addVarint(_ value: UInt64) {
    var rest = value
    while rest > 0x7F {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private mutating func addFixed(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
  }
}
