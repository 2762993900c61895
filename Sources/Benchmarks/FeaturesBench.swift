//! Recordings on the disk to features, on all cores. Knows neither tables nor Python.

import Datasets
import Files

/// Which features of which recordings.
enum FeatureTask: String, CaseIterable, Sendable {
  /// Keyword spotting's, of clips of a second.
  case mfcc
  /// Anomaly detection's, of clips of ten seconds.
  case logMel = "log_mel"

  /// Seconds of a clip.
  var clipSeconds: Int { self == .mfcc ? 1 : 10 }
}

/// Features of all sound files in a folder.
struct FeaturesBench: Sendable {
  let files: [String]
  private let task: FeatureTask
  private let mfcc = MFCC()
  private let logMel = LogMelSpectrogram()

  private static let rate = 16_000

  init(_ task: FeatureTask, folder: String) throws {
    self.task = task
    files = try Files.list(folder).filter { $0.hasSuffix(".wav") }.map { folder + "/" + $0 }
  }

  /// Reads every file once and computes its features; returns their sum, so that none is spared.
  func run(threads: Int) async throws -> Double {
    try await withThrowingTaskGroup(of: Double.self) { group in
      for thread in 0..<threads {
        group.addTask { try share(thread, of: threads) }
      }
      return try await group.reduce(0, +)
    }
  }

  private func share(_ thread: Int, of threads: Int) throws -> Double {
    let scratch = task == .mfcc ? mfcc.makeScratch() : logMel.makeScratch()
    var clip = [Float](repeating: 0, count: Self.rate)
    var features = [Float](
      repeating: 0,
      count: task == .mfcc
        ? mfcc.frameCount(samples: Self.rate) * mfcc.coefficients
        : logMel.frameCount(samples: task.clipSeconds * Self.rate) * logMel.bands)
    var sound = AudioClip(sampleRate: Self.rate, samples: [])
    var sum = 0.0
    for index in stride(from: thread, to: files.count, by: threads) {
      try WAVFile.read(files[index], expectedRate: Self.rate, into: &sound)
      sound.samples.withUnsafeBufferPointer { samples in
        if task == .mfcc {
          MFCC.prepare(samples, length: Self.rate, to: &clip)
          clip.withUnsafeBufferPointer { mfcc.write($0, to: &features, scratch: scratch) }
        } else {
          let frames =
            0..<logMel.frameCount(samples: min(samples.count, task.clipSeconds * Self.rate))
          logMel.write(samples, frames: frames, to: &features, scratch: scratch)
        }
      }
      sum += Double(features[features.count / 2])
    }
    return sum
  }
}
