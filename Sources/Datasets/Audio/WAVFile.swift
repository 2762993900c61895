//! Sound files to samples, through libsndfile: WAV in any sample format, and whatever else it reads.
//! Knows no data set.

internal import CKernels
internal import CSndfile
import Files
import Glibc
import Synchronization

/// Reading of sound files.
package enum WAVFile {
  /// The largest file that is read, in bytes.
  private static let largestFile = 256 << 20
  /// The longest recording: more than an hour at 16 kHz.
  package static let longestRecording = 1 << 26
  static let highestRate = 768_000
  /// Values that are decoded at a time.
  private static let blockSize = 1 << 14

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
    var clip = AudioClip(sampleRate: 0, samples: [])
    try read(path, expectedRate: expectedRate, channel: channel, into: &clip)
    return clip
  }

  /// The same into a clip whose memory is used again: a large array is new pages of the system's each
  /// time, which take as long as a third of the features. After an error the clip is of no use.
  package static func read(
    _ path: String, expectedRate: Int? = nil, channel: Int? = nil, into clip: inout AudioClip
  ) throws {
    let source = try SoundSource(path, limit: largestFile)
    do {
      guard source.size > 0 else { throw SoundFault.empty }
      try RIFFChunks.check(source)
      var info = SF_INFO()
      let sound = try open(source, &info)
      defer { sf_close(sound) }
      try check(info, expectedRate, channel)
      clip.sampleRate = Int(info.samplerate)
      clip.channels = Int(info.channels)
      clip.samples.removeAll(keepingCapacity: true)
      clip.samples.reserveCapacity(min(Int(info.frames), source.size))
      try read(sound, info, channel: channel ?? 0, into: &clip.samples)
    } catch let fault as SoundFault {
      throw DatasetError.sound(file: path, fault)
    }
  }

  private static func open(_ source: SoundSource, _ info: inout SF_INFO) throws -> OpaquePointer {
    // A descriptor that it may close: where it opens nothing, libsndfile 1.2 closes what it was given,
    // asked to or not, and the number may by then be another file's.
    let descriptor = fcntl(source.descriptor, F_DUPFD_CLOEXEC, 0)
    guard descriptor >= 0 else {
      throw FileError.system(operation: "open", path: source.path, code: errno)
    }
    var sound: OpaquePointer?
    let fault: SoundFault? = opening.withLock { _ in
      sound = sf_open_fd(descriptor, Int32(SFM_READ), &info, 1)
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
    _ sound: OpaquePointer, _ info: SF_INFO, channel: Int, into samples: inout [Float]
  ) throws {
    var info = info
    let claimed = Int(info.frames)
    let channels = Int(info.channels)
    let isPCM16 = sw_sound_is_pcm16(&info) != 0
    let frames = max(1, min(blockSize / channels, claimed))
    var block = [Float](repeating: 0, count: frames * channels)
    var integers = [Int16](repeating: 0, count: isPCM16 ? frames * channels : 0)
    while samples.count < claimed {
      let wanted = sf_count_t(min(frames, claimed - samples.count))
      let got: Int
      if isPCM16 {
        got = Int(sf_readf_short(sound, &integers, wanted))
        if got > 0 { ck_samples(integers, &block, got * channels) }
      } else {
        got = Int(sf_readf_float(sound, &block, wanted))
      }
      guard sf_error(sound) == SF_ERR_NO_ERROR else {
        throw SoundFault.damaged(reason: String(cString: sf_strerror(sound)))
      }
      guard got > 0 else {
        throw SoundFault.endedEarly(claimed: claimed, decoded: samples.count)
      }
      let first = samples.count
      if channels == 1 {
        block.withUnsafeBufferPointer { samples.append(contentsOf: $0[..<got]) }
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
