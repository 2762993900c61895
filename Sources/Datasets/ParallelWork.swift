//! A few threads that do numbered pieces of work. Knows no work.

import Diagnostics
import Glibc

/// Work of many like pieces on threads of its own.
package enum ParallelWork {
  /// Does every piece and returns the results in the pieces' order, however many threads there are.
  ///
  /// - Parameters:
  ///   - makeWorker: called once on each thread.
  /// - Throws: `LibraryError` where the system gives no thread.
  package static func map<Value: Sendable>(
    _ pieces: Range<Int>, threads: Int, makeWorker: @Sendable () -> (Int) throws -> Value
  ) throws -> [Result<Value, any Error>] {
    try withoutActuallyEscaping(makeWorker) { makeWorker in
      let pool = Pool(pieces, makeWorker)
      var handles: [pthread_t] = []
      defer { for handle in handles { pthread_join(handle, nil) } }
      for _ in 1..<max(2, min(threads, pieces.count)) where threads > 1 {
        var handle = pthread_t()
        let retained = Unmanaged.passRetained(pool as AnyPool)
        let code = pthread_create(
          &handle, nil,
          { argument in
            guard let argument else { return nil }
            Unmanaged<AnyPool>.fromOpaque(argument).takeRetainedValue().work()
            return nil
          }, retained.toOpaque())
        if code != 0 {
          retained.release()
          pool.stop()
          throw LibraryError(library: "pthreads", call: "pthread_create", code: Int(code))
        }
        handles.append(handle)
      }
      pool.work()
      for handle in handles { pthread_join(handle, nil) }
      handles = []
      return pool.results
    }
  }
}

/// A pool whose results nobody names.
private class AnyPool: @unchecked Sendable {
  func work() { preconditionFailure("a pool without work") }
}

/// Unchecked: `next` and `done` are touched under `mutex` only; the results are read once all
/// threads have been joined.
private final class Pool<Value: Sendable>: AnyPool, @unchecked Sendable {
  private let pieces: Range<Int>
  private let makeWorker: @Sendable () -> (Int) throws -> Value
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private var next: Int
  private var done: [Result<Value, any Error>?]

  init(_ pieces: Range<Int>, _ makeWorker: @escaping @Sendable () -> (Int) throws -> Value) {
    self.pieces = pieces
    self.makeWorker = makeWorker
    next = pieces.lowerBound
    done = Array(repeating: nil, count: pieces.count)
    mutex.initialize(to: pthread_mutex_t())
    pthread_mutex_init(mutex, nil)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  var results: [Result<Value, any Error>] { done.compactMap { $0 } }

  override func work() {
    let worker = makeWorker()
    while let piece = take() {
      let result = Result { try worker(piece) }
      locked { done[piece - pieces.lowerBound] = result }
    }
  }

  func stop() { locked { next = pieces.upperBound } }

  private func take() -> Int? {
    locked {
      guard next < pieces.upperBound else { return nil }
      next += 1
      return next - 1
    }
  }

  private func locked<Outcome>(_ body: () -> Outcome) -> Outcome {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body()
  }
}
