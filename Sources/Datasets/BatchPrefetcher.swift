//! Fills the next batches on a thread of its own while the last one is in use; what is in them is
//! `BatchStream`'s, so timing decides nothing.

import Diagnostics
import Glibc

/// Hands out one epoch's batches in order. Not for use from several threads at once.
package final class BatchPrefetcher {
  private let ring: BatchRing
  private let thread: pthread_t

  /// Starts to fill.
  ///
  /// - Throws: `LibraryError` where the system gives no thread.
  package init(_ stream: BatchStream) throws {
    let ring = BatchRing(stream)
    let retained = Unmanaged.passRetained(ring)
    var thread = pthread_t()
    let code = pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        Unmanaged<BatchRing>.fromOpaque(argument).takeRetainedValue().fillAll()
        return nil
      }, retained.toOpaque())
    if code != 0 {
      retained.release()
      throw LibraryError(library: "pthreads", call: "pthread_create", code: Int(code))
    }
    self.ring = ring
    self.thread = thread
  }

  deinit {
    ring.cancel()
    pthread_join(thread, nil)
  }

  /// Calls `body` with the next batch: examples, labels, number of samples. The buffers are its own
  /// until it returns. Nil after the last batch.
  ///
  /// - Throws: what filling the batch threw on the other thread, and what `body` throws.
  package func next<Result>(
    _ body: (UnsafePointer<Float>, UnsafePointer<Int32>, Int) throws -> Result
  ) throws -> Result? {
    guard let slot = try ring.take() else { return nil }
    defer { ring.give() }
    return try body(slot.examples, slot.labels, slot.count)
  }
}

/// Two buffers between one thread that fills and one that empties.
///
/// Unchecked: `filled`, `taken`, `isCancelled` and `failure` are touched under `mutex` only; slot
/// `batch % depth` belongs to the filler until `filled` passes the batch, then to the taker until
/// `taken` does.
private final class BatchRing: @unchecked Sendable {
  struct Slot {
    var examples: UnsafeMutablePointer<Float>
    var labels: UnsafeMutablePointer<Int32>
    var count = 0
  }

  static let depth = 2

  private let stream: BatchStream
  private let slots: [Slot]
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var filled = 0
  private var taken = 0
  private var isCancelled = false
  /// Ends the filling thread; the taker gets it where the failed batch would have come.
  private var failure: (any Error)?

  init(_ stream: BatchStream) {
    self.stream = stream
    let size = stream.examples.exampleSize
    slots = (0..<Self.depth).map { _ in
      Slot(
        examples: .allocate(capacity: stream.batchSize * size),
        labels: .allocate(capacity: stream.batchSize))
    }
    mutex.initialize(to: pthread_mutex_t())
    changed.initialize(to: pthread_cond_t())
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(changed, nil)
  }

  deinit {
    for slot in slots {
      slot.examples.deallocate()
      slot.labels.deallocate()
    }
    pthread_cond_destroy(changed)
    pthread_mutex_destroy(mutex)
    changed.deallocate()
    mutex.deallocate()
  }

  /// The filling thread's whole work.
  func fillAll() {
    var filler = stream.makeFiller()
    for batch in 0..<stream.batchCount {
      let proceeds = locked {
        while batch - taken >= Self.depth && !isCancelled { pthread_cond_wait(changed, mutex) }
        return !isCancelled
      }
      if !proceeds { return }
      let slot = slots[batch % Self.depth]
      do {
        try filler.fill(batch: batch, into: slot.examples, labels: slot.labels)
      } catch {
        locked { failure = error }
        return
      }
      locked { filled = batch + 1 }
    }
  }

  /// The next batch once it is filled, nil after the last.
  func take() throws -> Slot? {
    let batch = taken
    if batch == stream.batchCount { return nil }
    let thrown = locked {
      while filled <= batch && failure == nil { pthread_cond_wait(changed, mutex) }
      // Batches before the failed one are good.
      return filled <= batch ? failure : nil
    }
    if let thrown { throw thrown }
    var slot = slots[batch % Self.depth]
    slot.count = stream.count(of: batch)
    return slot
  }

  /// Gives the taken batch's buffers back.
  func give() { locked { taken += 1 } }

  func cancel() { locked { isCancelled = true } }

  /// Runs `body` under the lock and wakes the other side after it.
  private func locked<Result>(_ body: () -> Result) -> Result {
    pthread_mutex_lock(mutex)
    defer {
      pthread_cond_signal(changed)
      pthread_mutex_unlock(mutex)
    }
    return body()
  }
}
