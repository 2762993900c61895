//! A checksum as the publisher of a file gives it, MD5 or SHA-256. Knows not what the file is.

import CCrypto
import Diagnostics

/// A digest with its algorithm, spelt `md5:...` or `sha256:...` in lower-case hexadecimal digits.
package struct Checksum: Hashable, Sendable, Codable, CustomStringConvertible {
  package enum Algorithm: String, Sendable, CaseIterable {
    case md5, sha256

    var digits: Int {
      switch self {
      case .md5: 32
      case .sha256: 64
      }
    }
  }

  package let algorithm: Algorithm
  package let hex: String

  /// Nil unless `text` is an algorithm's name, a colon and its number of lower-case digits.
  package init?(_ text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let algorithm = Algorithm(rawValue: String(parts[0])),
      parts[1].utf8.count == algorithm.digits,
      parts[1].utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
    else { return nil }
    self.algorithm = algorithm
    hex = String(parts[1])
  }

  /// Of a regular file, whose bytes are streamed.
  ///
  /// - Parameter report: told now and then how many bytes are done.
  package init(
    ofFile path: String, by algorithm: Algorithm, report: (Int) throws -> Void = { _ in }
  ) throws {
    guard let context = EVP_MD_CTX_new() else {
      throw LibraryError(library: "libcrypto", call: "EVP_MD_CTX_new", code: 0, path: path)
    }
    defer { EVP_MD_CTX_free(context) }
    func check(_ result: Int32, _ call: String) throws {
      if result != 1 {
        throw LibraryError(library: "libcrypto", call: call, code: Int(result), path: path)
      }
    }
    let type =
      switch algorithm {
      case .md5: EVP_md5()
      case .sha256: EVP_sha256()
      }
    try check(EVP_DigestInit_ex(context, type, nil), "EVP_DigestInit_ex")
    var done = 0
    try Files.forEachBlock(ofFile: path) { block in
      try check(EVP_DigestUpdate(context, block.baseAddress, block.count), "EVP_DigestUpdate")
      done += block.count
      try report(done)
    }
    var bytes = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var count: UInt32 = 0
    try check(EVP_DigestFinal_ex(context, &bytes, &count), "EVP_DigestFinal_ex")
    let digits = Array("0123456789abcdef".utf8)
    self.algorithm = algorithm
    hex = String(
      decoding: bytes.prefix(Int(count)).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] },
      as: UTF8.self)
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let checksum = Checksum(text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "`\(text.prefix(80))` is no md5:... or sha256:...")
    }
    self = checksum
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }

  package var description: String { "\(algorithm.rawValue):\(hex)" }
}
