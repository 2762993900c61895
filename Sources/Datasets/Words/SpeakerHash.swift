//! Which part a recording of a word belongs to, by its speaker, as TensorFlow has it. Knows no file.

import Files

/// TensorFlow's `which_set` (speech_commands/input_data.py): all recordings of a speaker are in one
/// part, and stay there when others join.
package enum SpeakerHash {
  /// The number of speakers' hash values less one.
  private static let most = (1 << 27) - 1

  /// Where a file's speaker stands between 0 and 100.
  package static func percentage(ofFile name: String) -> Double {
    // `563aa4e6_nohash_3.wav`: what stands before the first _nohash_ is the speaker.
    var speaker = name[...]
    if let last = name.lastIndex(of: "/") { speaker = name[name.index(after: last)...] }
    let text = Array(speaker.utf8)
    let mark = Array("_nohash_".utf8)
    let cut = text.indices.first { text[$0...].starts(with: mark) } ?? text.count
    let digest = SHA1.bytes(of: String(decoding: text[..<cut], as: UTF8.self))
    // The hash modulo 2^27 is its last 27 bits.
    let low = digest.suffix(4).reduce(0) { $0 << 8 | Int($1) } & most
    return Double(low) * (100.0 / Double(most))
  }

  package static func part(ofFile name: String, validation: Double, testing: Double) -> WordPart {
    let place = percentage(ofFile: name)
    if place < validation * 100 { return .validation }
    return place < (testing + validation) * 100 ? .testing : .training
  }
}

/// A part of a tree of words.
package enum WordPart: String, Hashable, Sendable, CaseIterable {
  case training, validation, testing
}
