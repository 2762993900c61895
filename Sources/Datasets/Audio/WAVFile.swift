//! Sound files to samples, through libsndfile: WAV in any sample format, and whatever else it reads.
//! Knows no data set.

internal import CKernels
internal import CSndfile
import Files
import Synchronization

/// Reading of sound files.
package enum WAVFile {
  /// The largest file that is read, in bytes.
  private static let largestFile = 256 << 20
  /// The longest recording: more than an hour at 16 kHz.
  package static let longestRecording = 1 << 26
  static let highestRate = 768_000
  /// Values that are decoded at a time.
  private static let blockSize = 1 << 16

  /// libsndfile keeps the reason why an opening failed in one place for all threads.
  private static let opening = Mutex(())

  /// Reads and decodes a recording.
  ///
  /// No header's word decides what is allocated: that follows the file's bytes and what has been
  /// decoded of them.
  ///
  /// - Parameters:
  ///   - expectedRate: samples a second that the file must have; nil takes any.
  ///   - channel: the channel to take, from 0; nil wants a recording that has one only.
  /// - Throws: `FileError`; `DatasetError.sound` for whatever is wrong with the contents.
  package static func read(
    _ path: String, expectedRate: Int? = nil, channel: Int? = nil
  ) throws -> AudioClip {
    let bytes = try Files.read(path, limit: largestFile)
    do {
      guard !bytes.isEmpty else { throw SoundFault.empty }
      try RIFFChunks.check(bytes)
      return try bytes.withUnsafeBufferPointer { try decode($0, expectedRate, channel) }
    } catch let fault as SoundFault {
      throw DatasetError.sound(file: path, fault)
    }
  }

  private static func decode(
    _ bytes: UnsafeBufferPointer<UInt8>, _ expectedRate: Int?, _ channel: Int?
  ) throws -> AudioClip {
    var source = sw_sound_bytes(
      bytes: bytes.baseAddress, count: sf_count_t(bytes.count), position: 0)
    return try withUnsafeMutablePointer(to: &source) { source in
      var info = SF_INFO()
      let sound = try open(source, &info)
      defer { sf_close(sound) }
      try check(info, expectedRate, channel)
      let count = Int(info.channels)
      var samples: [Float] = []
      samples.reserveCapacity(min(Int(info.frames), bytes.count))
      try read(sound, info, channel: channel ?? 0, of: count, into: &samples)
      return AudioClip(sampleRate: Int(info.samplerate), channels: count, samples: samples)
    }
  }

  private static func open(
    _ source: UnsafeMutablePointer<sw_sound_bytes>, _ info: inout SF_INFO
  ) throws -> OpaquePointer {
    var sound: OpaquePointer?
    let fault: SoundFault? = opening.withLock { _ in
      sound = sw_sound_open(source, &info)
      guard sound == nil else { return nil }
      let reason = String(cString: sf_strerror(nil))
      return sf_error(nil) == SF_ERR_UNRECOGNISED_FORMAT
        ? .unknownFormat(reason: reason) : .damaged(reason: reason)
    }
    guard let sound else { throw fault ?? .damaged(reason: "it cannot be opened") }
    return sound
  }

  private static func check(_ info: SF_INFO, _ expectedRate: Int?, _ channel: Int?) throws {
    let rate = Int(info.samplerate)
    let channels = Int(info.channels)
    guard (1...highestRate).contains(rate) else {
      throw SoundFault.rateRange(found: rate, limit: highestRate)
    }
    if let expectedRate, rate != expectedRate {
      throw SoundFault.rate(found: rate, expected: expectedRate)
    }
    if let channel {
      guard (0..<channels).contains(channel) else {
        throw SoundFault.channel(chosen: channel, found: channels)
      }
    } else {
      guard channels == 1 else { throw SoundFault.channels(found: channels) }
    }
    guard info.frames > 0 else { throw SoundFault.noSamples }
    guard info.frames <= longestRecording else {
      throw SoundFault.tooLong(frames: Int(info.frames), limit: longestRecording)
    }
  }

  /// Appends one channel, block by block.
  private static func read(
    _ sound: OpaquePointer, _ info: SF_INFO, channel: Int, of channels: Int,
    into samples: inout [Float]
  ) throws {
    var info = info
    let claimed = Int(info.frames)
    let isPCM16 = sw_sound_is_pcm16(&info) != 0
    let frames = max(1, min(blockSize / channels, claimed))
    var block = [Float](repeating: 0, count: frames * channels)
    var integers = [Int16](repeating: 0, count: isPCM16 ? frames * channels : 0)
    while samples.count < claimed {
      let wanted = min(frames, claimed - samples.count)
      let got: Int
      if isPCM16 {
        got = Int(sf_readf_short(sound, &integers, sf_count_t(wanted)))
        if got > 0 { ck_samples(integers, &block, got * channels) }
      } else {
        got = Int(sf_readf_float(sound, &block, sf_count_t(wanted)))
      }
      guard sf_error(sound) == SF_ERR_NO_ERROR else {
        throw SoundFault.damaged(reason: String(cString: sf_strerror(sound)))
      }
      guard got > 0 else {
        throw SoundFault.endedEarly(claimed: claimed, decoded: samples.count)
      }
      let first = samples.count
      if channels == 1 {
        samples.append(contentsOf: block[..<got])
      } else {
        for frame in 0..<got { samples.append(block[frame * channels + channel]) }
      }
      // Integers are always finite.
      guard !isPCM16, let bad = samples[first...].firstIndex(where: { !$0.isFinite }) else {
        continue
      }
      throw SoundFault.notFinite(frame: bad)
    }
  }
}
