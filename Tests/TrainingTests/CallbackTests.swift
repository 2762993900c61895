//! Callbacks and schedules against Keras's own on the same sequences of losses: the same epochs, the
//! same waits, the same rates to the last bit.

import Foundation
import TestSupport
import Testing
import Training

@Suite struct CallbackTests {
  let fixture: CallbackFixture

  init() throws { fixture = try CallbackFixture.load() }

  private func values(_ sequence: String) throws -> [Double] {
    try #require(fixture.sequences[sequence])
  }

  private func monitor(_ mode: String) -> Monitor {
    Monitor(column: "val_loss", wantsLess: mode == "min")
  }

  /// nil stands for the infinity that Keras starts from.
  private func same(_ best: Double?, _ keras: Double, _ monitor: Monitor) -> Bool {
    (best ?? (monitor.wantsLess ? .infinity : -.infinity)) == keras
  }

  /// A state must survive a checkpoint: it goes through JSON after every epoch.
  private func stored<State: Codable>(_ state: State) throws -> State {
    let encoder = JSONEncoder()
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return try decoder.decode(State.self, from: encoder.encode(state))
  }

  @Test func earlyStoppingStopsWithKeras() throws {
    #expect(fixture.early_stopping.count > 250)
    for test in fixture.early_stopping {
      let settings = EarlyStopping(
        monitor: monitor(test.mode), patience: test.patience, minDelta: test.min_delta,
        baseline: test.baseline, startFromEpoch: test.start_from_epoch ?? 0,
        restoresBestWeights: true)
      var state = EarlyStoppingState()
      var (waits, stop, kept): ([Int], Int?, Int?) = ([], nil, nil)
      for (epoch, value) in try values(test.sequence).enumerated() {
        let verdict = state.observe(value, epoch: epoch, settings)
        state = try stored(state)
        if verdict.keepsWeights { kept = epoch }
        waits.append(state.wait)
        if verdict.stops {
          stop = epoch
          break
        }
      }
      #expect(waits == test.waits, "\(test)")
      #expect(stop == test.stop, "\(test)")
      #expect(state.bestEpoch == test.best_epoch, "\(test)")
      #expect(same(state.best, test.best, settings.monitor), "\(test)")
      if stop != nil { #expect(kept == test.restored, "\(test)") }
    }
  }

  @Test func theCheckpointKeepsWhatKerasSaves() throws {
    #expect(fixture.checkpoints.count > 30)
    for test in fixture.checkpoints {
      var state = CheckpointState()
      var kept: Int?
      var saved: [Int?] = []
      for (epoch, value) in try values(test.sequence).enumerated() {
        if state.keeps(value, monitor(test.mode)) { kept = epoch }
        state = try stored(state)
        saved.append(kept)
      }
      #expect(saved == test.saved, "\(test)")
    }
  }

  @Test func theRateFallsWithKeras() throws {
    #expect(fixture.plateaus.count > 150)
    let schedules: [String: LearningRateSchedule] = [
      "exponential": .exponential(initial: 0.001, decay: 0.99),
      "steps": .piecewise([
        .init(fromEpoch: 0, rate: 5e-4), .init(fromEpoch: 3, rate: 1e-4),
        .init(fromEpoch: 7, rate: 2e-5),
      ]),
    ]
    for test in fixture.plateaus {
      let settings = ReduceLROnPlateau(
        monitor: monitor(test.mode), factor: test.factor, patience: test.patience,
        minDelta: test.min_delta, cooldown: test.cooldown, minLearningRate: test.min_lr)
      let schedule = try test.schedule.map { try #require(schedules[$0]) } ?? .constant(0.001)
      var state = PlateauState()
      var rate = schedule.rate(epoch: 0)
      var (rates, waits, cooldowns): ([Float], [Int], [Int]) = ([], [], [])
      for (epoch, value) in try values(test.sequence).enumerated() {
        if schedule.setsEachEpoch { rate = schedule.rate(epoch: epoch) }
        rates.append(rate)
        rate = state.rate(after: value, at: rate, settings)
        state = try stored(state)
        waits.append(state.wait)
        cooldowns.append(state.cooldown)
      }
      #expect(rates == test.rates.map { Float($0) }, "\(test)")
      #expect(waits == test.waits, "\(test)")
      #expect(cooldowns == test.cooldowns, "\(test)")
      #expect(same(state.best, test.best, settings.monitor), "\(test)")
    }
  }

  @Test func schedulesGiveKerasRates() throws {
    #expect(fixture.schedules.count == 11)
    for test in fixture.schedules {
      let schedule: LearningRateSchedule
      switch test.kind {
      case "exponential":
        schedule = .exponential(
          initial: try #require(test.initial), decay: try #require(test.decay))
      case "cosine":
        schedule = .cosine(
          initial: try #require(test.initial), alpha: try #require(test.alpha),
          decayEpochs: try #require(test.decay_epochs))
      case "piecewise":
        schedule = .piecewise(
          zip([0, 3, 7], try #require(test.table)).map { .init(fromEpoch: $0, rate: $1) })
      default: schedule = .table(try #require(test.table))
      }
      let rates = test.rates.indices.map { schedule.rate(epoch: $0) }
      #expect(rates == test.rates.map { Float($0) }, "\(test.kind)")
    }
  }
}
