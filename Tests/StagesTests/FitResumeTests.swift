//! A fit that goes on from any of its epochs ends as the unbroken one, bit for bit, whatever
//! optimizer, schedule and callbacks it has.

import Networks
import Stages
import Testing
import Training

@Suite struct FitResumeTests {
  private static let owner = FitCheckpoint.Owner(key: "k", kind: "fine_tune", version: 1)

  /// A fit of six epochs and what is special about it.
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var isQuantized = false
    var change: @Sendable (inout FitSettings) -> Void = { _ in }

    var testDescription: String { name }
  }

  private static let loss = Monitor(column: "val_loss", wantsLess: true)
  private static let accuracy = Monitor(column: "val_accuracy", wantsLess: false)

  static let cases: [Case] = [
    Case(name: "adam"),
    Case(name: "quantized", isQuantized: true),
    Case(name: "sgd") { $0.optimizer = .sgd(.init()) },
    Case(name: "momentum") { $0.optimizer = .sgd(.init(momentum: 0.9, nesterov: true)) },
    Case(name: "cosine") {
      $0.learningRate = .cosine(initial: 0.01, alpha: 0.1, decayEpochs: 5)
    },
    Case(name: "checkpoint") { $0.callbacks.checkpoint = accuracy },
    Case(name: "early stopping stops") {
      $0.callbacks.earlyStopping = EarlyStopping(
        monitor: loss, patience: 3, minDelta: 10, restoresBestWeights: true)
    },
    Case(name: "early stopping waits") {
      $0.callbacks.earlyStopping = EarlyStopping(
        monitor: accuracy, patience: 6, startFromEpoch: 2, restoresBestWeights: true)
    },
    Case(name: "plateau") {
      $0.callbacks.reduceLROnPlateau = ReduceLROnPlateau(
        monitor: loss, factor: 0.5, patience: 1, minDelta: 10, cooldown: 1)
    },
    Case(name: "floor") {
      $0.callbacks.floor = Floor(column: "val_accuracy", fromEpoch: 2, values: [0, 0, 0, 0])
    },
    Case(name: "layer statistics", isQuantized: true) { $0.callbacks.layerStatistics = true },
    Case(name: "areas") { $0.metrics = [.accuracy, .auc, .partialAUC(maxFPR: 0.2)] },
    Case(name: "everything", isQuantized: true) {
      $0.callbacks.checkpoint = loss
      $0.callbacks.earlyStopping = EarlyStopping(
        monitor: accuracy, patience: 6, restoresBestWeights: true)
      $0.callbacks.reduceLROnPlateau = ReduceLROnPlateau(
        monitor: loss, factor: 0.3, patience: 1, minDelta: 0.1)
      $0.callbacks.terminatesOnNaN = true
      $0.callbacks.layerStatistics = true
    },
  ]

  @Test(arguments: cases) func everyEpochIsAPlaceToGoOn(test: Case) throws {
    var settings = FitSettings(
      epochs: 6, batchSize: 8, loss: .sparseCategoricalCrossentropy,
      learningRate: .constant(0.01))
    test.change(&settings)
    let fit = TinyFit(settings: settings, isQuantized: test.isQuantized)
    let unbroken = try fit.run()
    #expect(unbroken.states.count == unbroken.log.count - 1)
    #expect(unbroken.stoppedEarly == (test.name == "early stopping stops"))
    for (epoch, state) in unbroken.states.sorted(by: { $0.key < $1.key }) {
      #expect(state.suits(TinyFit.network, settings))
      let bytes = try FitCheckpoint(state: state, files: [:]).bytes(of: Self.owner)
      let read = try FitCheckpoint(parsing: bytes, of: Self.owner)
      let resumed = try fit.run(from: read.state)
      #expect(resumed.weights == unbroken.weights, "from epoch \(epoch)")
      #expect(resumed.log == unbroken.log, "from epoch \(epoch)")
      #expect(resumed.bestEpoch == unbroken.bestEpoch, "from epoch \(epoch)")
      #expect(resumed.stoppedEarly == unbroken.stoppedEarly, "from epoch \(epoch)")
    }
  }

  /// A fit that goes on from the end of a shorter one is the long fit.
  @Test func aShorterFitIsALongerOnesBeginning() throws {
    var settings = FitSettings(
      epochs: 6, batchSize: 8, loss: .sparseCategoricalCrossentropy,
      learningRate: .exponential(initial: 0.01, decay: 0.9))
    settings.callbacks.checkpoint = Self.accuracy
    let long = try TinyFit(settings: settings, isQuantized: true).run()
    var short = settings
    short.epochs = 2
    #expect(try TinyFit(settings: short, isQuantized: true).run().states[2] == nil)
    short.isContinued = true
    let state = try #require(TinyFit(settings: short, isQuantized: true).run().states[2])
    #expect(state.suits(TinyFit.network, settings) && !state.suits(TinyFit.network, short))
    let resumed = try TinyFit(settings: settings, isQuantized: true).run(from: state)
    #expect(resumed.weights == long.weights && resumed.log == long.log)
    #expect(resumed.bestEpoch == long.bestEpoch)
  }

  /// A fit ends after the first epoch whose best so far is below the floor.
  @Test(arguments: [(Float(0), 6), (2, 3)]) func aFloorEndsAFit(_ least: Float, _ epochs: Int)
    throws
  {
    var settings = FitSettings(
      epochs: 6, batchSize: 8, loss: .sparseCategoricalCrossentropy,
      learningRate: .constant(0.01))
    settings.callbacks.floor = Floor(
      column: "val_accuracy", fromEpoch: 2, values: [Double(least), Double(least)])
    let outcome = try TinyFit(settings: settings, isQuantized: false).run()
    #expect(outcome.log.count == epochs && outcome.stoppedEarly == (epochs < 6))
  }

  /// A state of other settings is told from one of these.
  @Test func whatDoesNotSuitIsKnown() throws {
    let settings = FitSettings(
      epochs: 3, batchSize: 8, loss: .sparseCategoricalCrossentropy,
      learningRate: .constant(0.01))
    let states = try TinyFit(settings: settings, isQuantized: false).run().states
    let state = try #require(states[2])
    #expect(state.suits(TinyFit.network, settings))
    var other = settings
    other.epochs = 2
    #expect(!state.suits(TinyFit.network, other))
    other = settings
    other.optimizer = .sgd(.init(momentum: 0.9))
    #expect(!state.suits(TinyFit.network, other))
    var damaged = state
    damaged.weights.statistics.removeLast()
    #expect(!damaged.suits(TinyFit.network, settings))
    damaged = state
    damaged.checkpoint = FitState.Kept(epoch: 2, weights: state.weights)
    #expect(!damaged.suits(TinyFit.network, settings))
    damaged = state
    damaged.log[1].epoch = 5
    #expect(!damaged.suits(TinyFit.network, settings))
  }
}
