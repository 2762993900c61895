//! What Keras's callbacks and schedules and scikit-learn's metrics did, as `make_callbacks.py` wrote
//! it down.

import Foundation
import TestSupport

/// The fixture; infinities and NaN are strings there.
struct CallbackFixture: Decodable {
  struct Stopping: Decodable {
    var sequence: String
    var mode: String
    var patience: Int
    var min_delta: Double
    var baseline: Double?
    var start_from_epoch: Int?
    var waits: [Int]
    var stop: Int?
    var best: Double
    var best_epoch: Int
    var restored: Int?
  }

  struct Checkpoint: Decodable {
    var sequence: String
    var mode: String
    /// After each epoch, the one whose weights are kept.
    var saved: [Int?]
  }

  struct Plateau: Decodable {
    var sequence: String
    var schedule: String?
    var mode: String
    var factor: Double
    var patience: Int
    var min_delta: Double
    var cooldown: Int
    var min_lr: Double
    var rates: [Double]
    var waits: [Int]
    var cooldowns: [Int]
    var best: Double
  }

  struct Schedule: Decodable {
    var kind: String
    var initial: Double?
    var decay: Double?
    var alpha: Double?
    var decay_epochs: Int?
    var table: [Double]?
    var rates: [Double]
  }

  struct Optimizer: Decodable {
    var momentum: Double
    var nesterov: Bool
    var steps: [[Double]]
  }

  struct Curve: Decodable {
    var count: Int?
    var levels: Int?
    var positives: Int?
    var scores: [Double]?
    var labels: [Int]?
    var area: Double
    var standardized: [String: Double]
  }

  struct Fit: Decodable {
    var name: String
    var losses: [[Double]]
    var batches: Int
    var csv: String
  }

  var sequences: [String: [Double]]
  var early_stopping: [Stopping]
  var checkpoints: [Checkpoint]
  var plateaus: [Plateau]
  var schedules: [Schedule]
  var optimizers: [Optimizer]
  var curves: [Curve]
  var fits: [Fit]

  static func load() throws -> CallbackFixture {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let path = TestPaths.fixtures + "/callbacks/callbacks.json"
    return try decoder.decode(
      CallbackFixture.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
  }
}
