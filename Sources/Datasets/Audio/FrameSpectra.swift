//! Frames of a recording to sums over mel bands, eight frames at a time. Knows neither what becomes
//! of the sums nor files.

internal import CKernels
internal import Tensors

/// Buffers that one thread works in; nothing is allocated for a clip.
package final class AudioScratch {
  /// The transform's values, of four frames.
  let work: Buffer<Double>
  /// Eight frames each: bins, bands' sums, what is made of them.
  let spectra: Storage
  let sums: Storage
  let features: Storage
  /// Eight frames that reach beyond the recording, one after the other.
  let edges: Storage
  /// Where the eight frames begin.
  let frames: UnsafeMutablePointer<UnsafePointer<Float>?>

  init(length: Int, bands: Int, features: Int) {
    work = Buffer(count: length * 4)
    spectra = Storage(count: (length / 2 + 1) * FrameSpectra.lanes)
    sums = Storage(count: bands * FrameSpectra.lanes)
    self.features = Storage(count: features * FrameSpectra.lanes)
    edges = Storage(count: length * FrameSpectra.lanes)
    frames = .allocate(capacity: FrameSpectra.lanes)
    frames.initialize(repeating: nil, count: FrameSpectra.lanes)
  }

  deinit { frames.deallocate() }
}

/// Windows, transforms and weighs frames.
struct FrameSpectra: Sendable {
  /// Frames that go through together.
  static let lanes = Int(ck_frames)

  let fourier: FourierPlan
  let bands: MelBands
  /// Whether a bin is a power, a squared magnitude, instead of a magnitude.
  let isPower: Bool

  func makeScratch(features: Int) -> AudioScratch {
    AudioScratch(length: fourier.length, bands: bands.count, features: features)
  }

  /// Sums of frames, group by group of up to eight, into `scratch.sums`, (bands, 8).
  ///
  /// - Parameters:
  ///   - place: the samples of frame number `frame`, as many as the window has; a frame that the
  ///     recording does not have whole is put into `edge`.
  ///   - body: takes a group's sums: the first frame of the group and how many there are.
  func forEachGroup(
    of frames: Range<Int>, in scratch: AudioScratch,
    place: (_ frame: Int, _ edge: UnsafeMutablePointer<Float>) -> UnsafePointer<Float>,
    body: (_ first: Int, _ used: Int) -> Void
  ) {
    var tables = fourier.tables
    var weights = bands.tables
    for first in stride(from: frames.lowerBound, to: frames.upperBound, by: Self.lanes) {
      let used = min(Self.lanes, frames.upperBound - first)
      for lane in 0..<used {
        scratch.frames[lane] = place(
          first + lane, scratch.edges.pointer + lane * fourier.length)
      }
      for lane in used..<Self.lanes { scratch.frames[lane] = scratch.frames[used - 1] }
      ck_spectra(
        &tables, scratch.frames, bands.bins, isPower ? 1 : 0, scratch.work.pointer,
        scratch.spectra.pointer)
      ck_band_sums(&weights, scratch.spectra.pointer, scratch.sums.pointer)
      body(first, used)
    }
  }
}
