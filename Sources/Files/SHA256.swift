//! SHA-256 by OpenSSL's libcrypto. Knows bytes, not what they are for.

import CCrypto
import Diagnostics

/// A SHA-256 digest, spelt as 64 lower-case hexadecimal digits.
package struct Digest: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
  /// The 32 bytes, the first one highest: stores hold millions, and compare them by these.
  private let words: (UInt64, UInt64, UInt64, UInt64)

  private init(words: (UInt64, UInt64, UInt64, UInt64)) { self.words = words }

  /// Nil unless `hex` is 64 lower-case hexadecimal digits.
  package init?(hex: String) {
    var hex = hex
    guard let digest = hex.withUTF8({ Digest(digits: $0) }) else { return nil }
    self = digest
  }

  /// Nil unless `hex` is 64 lower-case hexadecimal digits.
  package init?(hex: ArraySlice<UInt8>) {
    guard let digest = hex.withUnsafeBufferPointer({ Digest(digits: $0) }) else { return nil }
    self = digest
  }

  private init?(digits hex: UnsafeBufferPointer<UInt8>) {
    guard hex.count == 64 else { return nil }
    var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    var count = 0
    for byte in hex {
      let digit: UInt64
      switch byte {
      case 48...57: digit = UInt64(byte) - 48
      case 97...102: digit = UInt64(byte) - 87
      default: return nil
      }
      switch count / 16 {
      case 0: words.0 = words.0 << 4 | digit
      case 1: words.1 = words.1 << 4 | digit
      case 2: words.2 = words.2 << 4 | digit
      default: words.3 = words.3 << 4 | digit
      }
      count += 1
    }
    self.init(words: words)
  }

  fileprivate init(bytes: [UInt8]) {
    func word(_ index: Int) -> UInt64 {
      bytes[(8 * index)..<(8 * index + 8)].reduce(0) { $0 << 8 | UInt64($1) }
    }
    self.init(words: (word(0), word(1), word(2), word(3)))
  }

  /// The first 8 bytes: a number that hardly two digests share.
  package var prefix: UInt64 { words.0 }

  /// 64 lower-case hexadecimal digits.
  package var hex: String {
    String(unsafeUninitializedCapacity: 64) { buffer in
      var place = 0
      for word in [words.0, words.1, words.2, words.3] {
        for shift in stride(from: 60, through: 0, by: -4) {
          let digit = UInt8(truncatingIfNeeded: word >> UInt64(shift) & 15)
          buffer[place] = digit < 10 ? 48 + digit : 87 + digit
          place += 1
        }
      }
      return 64
    }
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let digest = Digest(hex: text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a SHA-256")
    }
    self = digest
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(hex)
  }

  package static func == (one: Digest, other: Digest) -> Bool { one.words == other.words }

  package func hash(into hasher: inout Hasher) {
    // It is evenly spread already.
    hasher.combine(words.0)
  }

  package static func < (one: Digest, other: Digest) -> Bool { one.words < other.words }

  package var description: String { hex }
}

/// A SHA-256 in the making.
package struct SHA256: ~Copyable {
  private let context: OpaquePointer

  package init() {
    guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1
    else { preconditionFailure("libcrypto has no SHA-256") }
    self.context = context
  }

  deinit { EVP_MD_CTX_free(context) }

  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    precondition(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1)
  }

  package consuming func finish() -> Digest {
    var bytes = [UInt8](repeating: 0, count: 32)
    var count: UInt32 = 0
    precondition(EVP_DigestFinal_ex(context, &bytes, &count) == 1 && count == 32)
    return Digest(bytes: bytes)
  }

  /// The digest of `text` in UTF-8.
  package static func digest(of text: String) -> Digest { digest(of: Array(text.utf8)) }

  package static func digest(of bytes: [UInt8]) -> Digest {
    var hash = SHA256()
    bytes.withUnsafeBytes { hash.update($0) }
    return hash.finish()
  }
}
