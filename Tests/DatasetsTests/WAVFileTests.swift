//! Sound files of all formats, and every way in which one can be wrong.

import Datasets
import Files
import Foundation
import TestSupport
import Testing

@Suite struct WAVFileTests {
  private static let sounds = AudioFixture.folder + "/sounds/"
  private static let original = stride(from: 0, to: 600, by: 3).map {
    Float(AudioFixture.signal(1, 600)[$0]) / 32768
  }

  /// How far a format's samples may be from the original ones.
  private static let formats: [(name: String, tolerance: Float)] = [
    ("pcm_16.wav", 0), ("pcm_24.wav", 0), ("pcm_32.wav", 0), ("float.wav", 0), ("double.wav", 0),
    ("extensible.wav", 0), ("big_endian.wav", 0), ("rf64.wav", 0), ("aiff.aiff", 0),
    ("flac.flac", 0), ("pcm_u8.wav", 1.0 / 128), ("ulaw.wav", 0.01), ("alaw.wav", 0.01),
    ("ima_adpcm.wav", 0.25), ("ms_adpcm.wav", 0.25),
  ]

  @Test(arguments: formats) func readsEveryFormat(_ format: (name: String, tolerance: Float)) throws
  {
    let clip = try WAVFile.read(Self.sounds + format.name, expectedRate: 16_000)
    #expect((clip.sampleRate, clip.channels) == (16_000, 1))
    // Formats that are coded block by block fill the last one up.
    let isBlocked = format.name.contains("adpcm")
    #expect(isBlocked ? clip.samples.count >= 200 : clip.samples.count == 200)
    let distance = largestDistance(Array(clip.samples.prefix(200)), Self.original)
    #expect(distance <= format.tolerance, "\(format.name)")
  }

  @Test func takesTheChosenChannel() throws {
    let left = try WAVFile.read(Self.sounds + "stereo.wav", channel: 0)
    let right = try WAVFile.read(Self.sounds + "stereo.wav", channel: 1)
    #expect(left.channels == 2)
    #expect(left.samples == Self.original)
    #expect(largestDistance(right.samples, Self.original.map { -$0 / 2 }) <= 1.0 / 32768)
  }

  @Test func writesWhatItReads() throws {
    let workspace = try Workspace()
    let path = workspace.root + "/clip.wav"
    let samples = AudioFixture.signal(0, 1001) + [.min, .max, 0, -1]
    try WAVFile.write(samples, sampleRate: 8000, to: path)
    let clip = try WAVFile.read(path)
    #expect(clip.sampleRate == 8000)
    #expect(clip.int16Samples == samples)
  }

  /// Bytes of the 16-bit fixture, changed, and what reading them says.
  private func fault(
    _ name: String = "pcm_16.wav", rate: Int? = nil, channel: Int? = nil,
    change: (inout [UInt8]) -> Void = { _ in }
  ) throws -> SoundFault? {
    let workspace = try Workspace()
    let path = workspace.root + "/changed.wav"
    var bytes = try Files.read(Self.sounds + name, limit: 1 << 20)
    change(&bytes)
    try Files.writeAtomically(bytes, to: path)
    do {
      _ = try WAVFile.read(path, expectedRate: rate, channel: channel)
      return nil
    } catch DatasetError.sound(let file, let fault) {
      #expect(file == path)
      return fault
    }
  }

  @Test func namesWhatIsWrong() throws {
    #expect(try fault { $0 = [] } == .empty)
    #expect(
      try fault { $0.removeLast(100) } == .truncated(chunk: "data", claimed: 400, left: 300))
    #expect(
      try fault { $0.removeLast($0.count - 30) }
        == .truncated(chunk: "fmt ", claimed: 16, left: 10))
    #expect(
      try fault { $0.removeLast($0.count - 8) }
        == .truncated(chunk: "RIFF", claimed: 12, left: 8))
    #expect(try fault { $0.removeLast($0.count - 36) } == .noData)
    for index in 40..<44 { #expect(try fault { $0[index] = 0xFF } != nil) }
    #expect(
      try fault { for index in 40..<44 { $0[index] = 0xFF } }
        == .absurdSize(chunk: "data", claimed: 0xFFFF_FFFF))
    #expect(try fault { for index in 40..<44 { $0[index] = 0 } } == .noSamples)
    #expect(try fault(rate: 8000) == .rate(found: 16_000, expected: 8000))
    #expect(try fault("stereo.wav") == .channels(found: 2))
    #expect(try fault("stereo.wav", channel: 2) == .channel(chosen: 2, found: 2))
    #expect(try fault(channel: -1) == .channel(chosen: -1, found: 1))
    #expect(
      try fault { $0.replaceSubrange(24..<28, with: [0, 0, 0, 0x40]) }
        == .rateRange(found: 0x4000_0000, limit: 768_000))
  }

  @Test func tellsWhatItDoesNotKnow() throws {
    for junk in [Array("not a sound at all, but a line of text\n".utf8), [0], [0xFF, 0xD8, 0xFF]] {
      guard case .unknownFormat = try fault(change: { $0 = junk }) else {
        Issue.record("\(junk) is taken for a sound")
        continue
      }
    }
    // A tag that no codec has.
    guard case .damaged = try fault(change: { $0[20] = 0x99 }) else {
      Issue.record("an unknown codec is taken")
      return
    }
  }

  @Test func refusesWhatIsNoNumber() throws {
    let bytes = try Files.read(Self.sounds + "float.wav", limit: 1 << 20)
    let samples = bytes.count - 800
    #expect(
      try fault("float.wav") {
        $0.replaceSubrange(samples + 28..<samples + 32, with: [0, 0, 0xC0, 0x7F])
      }
        == .notFinite(frame: 7))
  }

  @Test func saysSoInASentence() throws {
    do {
      _ = try WAVFile.read(Self.sounds + "pcm_16.wav", expectedRate: 22_050)
      Issue.record("a wrong rate is taken")
    } catch let error as DatasetError {
      #expect(
        "\(error)" == "\(Self.sounds)pcm_16.wav: it has 16000 samples a second, expected 22050; "
          + "nothing is resampled")
    }
  }

  @Test func foldersAndMissingFilesAreFileErrors() {
    #expect(throws: FileError.self) { try WAVFile.read(Self.sounds) }
    #expect(throws: FileError.self) { try WAVFile.read(Self.sounds + "none.wav") }
  }

  /// No change of any byte crashes, and none makes more samples than the bytes can hold.
  @Test(arguments: ["pcm_16.wav", "ima_adpcm.wav", "flac.flac", "float.wav"])
  func survivesChangedBytes(_ name: String) throws {
    let workspace = try Workspace()
    let path = workspace.root + "/changed"
    let bytes = try Files.read(Self.sounds + name, limit: 1 << 20)
    for round in 0..<600 {
      var changed = bytes
      for change in 0...round % 3 {
        // Half of the changes meet the header.
        let h = hash(round * 8 + change, stream: 7, seed: 1)
        let limit = h.isMultiple(of: 2) ? min(64, bytes.count) : bytes.count
        changed[Int(h >> 1) % limit] = UInt8(truncatingIfNeeded: hash(round, stream: 9, seed: h))
      }
      if round.isMultiple(of: 5) { changed.removeLast(Int(hash(round, stream: 3, seed: 1)) % 300) }
      try Files.writeAtomically(changed, to: path)
      do {
        let clip = try WAVFile.read(path, channel: 0)
        #expect(!clip.samples.isEmpty && clip.samples.count <= 8192 * bytes.count)
      } catch let error as DatasetError {
        #expect("\(error)".hasPrefix(path + ": "))
      }
    }
  }
}
