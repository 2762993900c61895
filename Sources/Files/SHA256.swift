//! SHA-256 by OpenSSL's libcrypto. Knows bytes, not what they are for.

import CCrypto
import Diagnostics

/// A SHA-256 digest, spelt as 64 lower-case hexadecimal digits.
package struct Digest: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
  /// 64 lower-case hexadecimal digits.
  package let hex: String

  /// Nil unless `hex` is 64 lower-case hexadecimal digits.
  package init?(hex: String) {
    guard hex.utf8.count == 64,
      hex.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
    else { return nil }
    self.hex = hex
  }

  fileprivate init(bytes: [UInt8]) {
    let digits = Array("0123456789abcdef".utf8)
    hex = String(
      decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
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

  package static func < (one: Digest, other: Digest) -> Bool { one.hex < other.hex }

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
