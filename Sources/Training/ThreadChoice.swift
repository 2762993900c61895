//! How many threads a training step runs on. Knows no step.

import CKernels
import Tensors

/// Small layers can be slower on several threads than on one: what one core wrote another gets slowly,
/// most of all where the two have no cache in common. Where threads change no bit of a program's numbers,
/// its steps run on all of them or on one, whichever was faster when it was looked at last.
package final class ThreadChoice {
  /// Steps from one look to the next, as a machine's load and place may change; and the steps of each kind
  /// that a look takes, the first of which does not count.
  private static let period = 200
  private static let looks = 4

  private let all = ck_threads()
  private var turn = 0
  private var usesOne = false
  /// Of a sample, on all threads and on one.
  private var fastest: (all: Duration, one: Duration) = (.zero, .zero)
  private var running: (start: ContinuousClock.Instant, batch: Int, onOne: Bool)?

  package init() {}

  /// To be called before a step of `program`.
  package func begin(_ program: Program) {
    guard program.threadsChangeNoBit, all > 1 else { return }
    let onOne = turn < 2 * Self.looks ? turn >= Self.looks : usesOne
    if onOne { OneDNN.use(threads: 1) }
    running = (.now, program.batch, onOne)
  }

  /// To be called after the step; nothing where it did not begin.
  package func end() {
    guard let running else { return }
    self.running = nil
    OneDNN.use(threads: all)
    let time = running.start.duration(to: .now) / running.batch
    switch turn {
    case 0: fastest.all = .seconds(1 << 30)
    case Self.looks: fastest.one = .seconds(1 << 30)
    case 1..<Self.looks: fastest.all = min(fastest.all, time)
    case Self.looks + 1..<2 * Self.looks: fastest.one = min(fastest.one, time)
    default: break
    }
    turn = (turn + 1) % Self.period
    if turn == 2 * Self.looks { usesOne = fastest.one < fastest.all }
  }
}
