//! Asynchronous work for a thread that has nothing else to do. Knows no work.

import Dispatch
import Synchronization

enum Blocking {
  /// Runs `body` on other threads and waits for it.
  static func wait<Value: Sendable>(
    for body: @escaping @Sendable () async throws -> Value
  ) throws -> Value {
    let box = Box<Value>()
    let isDone = DispatchSemaphore(value: 0)
    Task.detached {
      let result: Result<Value, any Error>
      do {
        result = .success(try await body())
      } catch {
        result = .failure(error)
      }
      box.result.withLock { $0 = result }
      isDone.signal()
    }
    isDone.wait()
    guard let result = box.result.withLock({ $0 }) else {
      preconditionFailure("the work ended without a result")
    }
    return try result.get()
  }

  private final class Box<Value: Sendable>: Sendable {
    let result = Mutex<Result<Value, any Error>?>(nil)
  }
}
