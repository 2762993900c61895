//! SIGINT and SIGTERM become the end of a task. Knows nothing of what the task does.

import Glibc
import Synchronization

/// Listens from its making on.
final class Interruption: Sendable {
  private let isRequested = Atomic(false)

  /// Whether a signal came.
  var happened: Bool { isRequested.load(ordering: .acquiring) }

  /// `action` runs on a thread of its own at the first signal; the second one ends the process.
  func onSignal(_ action: @escaping @Sendable () -> Void) {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { return }
    let (reader, writer) = (ends[0], ends[1])
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    signalPipe.store(writer, ordering: .releasing)
    let listener = Listener(reader: reader) { [self] in
      isRequested.store(true, ordering: .releasing)
      action()
    }
    var thread = pthread_t()
    let context = Unmanaged.passRetained(listener).toOpaque()
    let result = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<Listener>.fromOpaque(context).takeRetainedValue().listen()
        return nil
      }, context)
    guard result == 0 else {
      Unmanaged<Listener>.fromOpaque(context).release()
      return
    }
    pthread_detach(thread)
    for number in [SIGINT, SIGTERM] {
      // A handler, not a blocked mask: children would inherit the mask and could not be ended.
      signal(number) { _ in
        var byte: UInt8 = 1
        let writer = signalPipe.load(ordering: .relaxed)
        _ = write(writer, &byte, 1)
      }
    }
  }

  private final class Listener: Sendable {
    let reader: Int32
    let action: @Sendable () -> Void

    init(reader: Int32, action: @escaping @Sendable () -> Void) {
      self.reader = reader
      self.action = action
    }

    func listen() {
      var byte: UInt8 = 0
      for signals in 1... {
        while read(reader, &byte, 1) < 0, errno == EINTR {}
        if signals > 1 { _exit(130) }
        action()
      }
    }
  }
}

/// Where the signal handler writes: all that a handler may do.
private let signalPipe = Atomic<Int32>(-1)
