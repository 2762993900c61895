//! Everything that can be wrong with a sound file, as facts with their prose. Knows no reader.

/// Why a sound file was refused.
package enum SoundFault: Error, Hashable, Sendable {
  /// The file has no bytes.
  case empty
  /// libsndfile knows no format that begins so.
  case unknownFormat(reason: String)
  /// The format is known, the contents break its rules.
  case damaged(reason: String)
  /// A chunk of a WAV claims more bytes than follow it.
  case truncated(chunk: String, claimed: Int, left: Int)
  /// A chunk of a WAV claims a size that no recording has: what programs write that cannot seek.
  case absurdSize(chunk: String, claimed: Int)
  /// A WAV without samples' chunk.
  case noData
  case noSamples
  /// Decoding ended before the samples that the header promises.
  case endedEarly(claimed: Int, decoded: Int)
  case tooLong(frames: Int, limit: Int)
  case rate(found: Int, expected: Int)
  /// A rate that no recording has.
  case rateRange(found: Int, limit: Int)
  /// Several channels, and none was chosen.
  case channels(found: Int)
  /// The chosen channel, counted from 0, is not there.
  case channel(chosen: Int, found: Int)
  case notFinite(frame: Int)

  var prose: String {
    switch self {
    case .empty:
      "the file is empty"
    case .unknownFormat(let reason):
      "no sound format that libsndfile reads: \(reason)"
    case .damaged(let reason):
      "a damaged sound file: \(reason)"
    case .truncated(let chunk, let claimed, let left):
      "truncated: its chunk `\(chunk)` claims \(claimed) bytes, the file has \(left) more"
    case .absurdSize(let chunk, let claimed):
      "its chunk `\(chunk)` claims \(claimed) bytes, which stands for an unknown length; "
        + "write the file anew to a place that can be sought, as with `sox IN.wav OUT.wav`"
    case .noData:
      "a WAV without a `data` chunk"
    case .noSamples:
      "it holds no samples"
    case .endedEarly(let claimed, let decoded):
      "its header promises \(claimed) samples, decoding ends after \(decoded)"
    case .tooLong(let frames, let limit):
      "it claims \(frames) samples, more than the \(limit) that are read at most"
    case .rate(let found, let expected):
      "it has \(found) samples a second, expected \(expected); nothing is resampled"
    case .rateRange(let found, let limit):
      "it claims \(found) samples a second, expected 1...\(limit)"
    case .channels(let found):
      "it has \(found) channels, expected 1"
    case .channel(let chosen, let found):
      "it has \(found) channel\(found == 1 ? "" : "s"), and channel \(chosen) "
        + "(counted from 0) was asked for"
    case .notFinite(let frame):
      "its sample \(frame) is infinite or no number"
    }
  }
}
