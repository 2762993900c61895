//! SHA-1 by OpenSSL's libcrypto, for what others have defined by it; nothing of ours relies on it.

import CCrypto

/// SHA-1 of a text.
package enum SHA1 {
  /// The 20 bytes of the digest of `text` in UTF-8.
  package static func bytes(of text: String) -> [UInt8] {
    let input = Array(text.utf8)
    var digest = [UInt8](repeating: 0, count: 20)
    var count: UInt32 = 0
    precondition(
      EVP_Digest(input, input.count, &digest, &count, EVP_sha1(), nil) == 1 && count == 20,
      "libcrypto has no SHA-1")
    return digest
  }
}
