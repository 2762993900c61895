//! When finished stages are made to survive a loss of power: rarely, and never too late.

/// Asks for a sync at most every second, at once after a long stage, and at the end.
actor Syncer {
  private let store: Store
  private var last: ContinuousClock.Instant?
  private var pending: Task<Void, Never>?

  private static let interval = Duration.seconds(1)
  /// What took longer than this is not put at risk for a second.
  private static let longStageSeconds = 10.0

  init(store: Store) { self.store = store }

  func published(_ record: Record) {
    let isUrgent = record.seconds > Self.longStageSeconds
    if isUrgent {
      pending?.cancel()
    } else if pending != nil {
      return
    }
    let now = ContinuousClock.now
    let due = isUrgent ? now : max(now, (last ?? now) + Self.interval)
    last = due
    pending = Task {
      try? await Task.sleep(until: due, clock: .continuous)
      if !Task.isCancelled { await syncNow() }
    }
  }

  func finish() async {
    pending?.cancel()
    await pending?.value
    try? store.sync()
  }

  private func syncNow() async {
    pending = nil
    // A failed sync only means that records are checked after a loss of power. It blocks its thread
    // for as long as the disk likes, so not while others wait for this actor.
    await Task.detached { [store] in try? store.sync() }.value
  }
}
