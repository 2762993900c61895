//! Programs as children: started, awaited, ended with all that they started. Knows no stage.

import CPlatform
import Glibc
import Synchronization

/// Kills what it was told of when this process is no more, be it by SIGKILL.
///
/// It is a process of its own, for one run: `kill -9` of the runner alone leaves nobody else who
/// would. A signal at the parent's death (`PR_SET_PDEATHSIG`) reaches the program alone and not
/// what it started, and comes with the end of a thread already.
final class ProcessGuard: Sendable {
  let descriptor: Int32

  init() throws {
    descriptor = shiftwork_start_guard()
    guard descriptor >= 0 else {
      throw PipelineError.commandNotStarted(program: "the guard", why: ChildProcess.text(errno))
    }
  }

  deinit { close(descriptor) }

  func forget(_ group: pid_t) { shiftwork_tell_guard(descriptor, group &* -1) }
}

/// What a program is started with.
struct Invocation: Sendable {
  var words: [String]
  /// `NAME=VALUE`.
  var environment: [String]
  /// Empty: where this process is.
  var directory: String
  var log: Int32
}

/// One program in a process group of its own.
final class ChildProcess: Sendable {
  enum Status: Hashable, Sendable {
    case exited(Int)
    case signaled(Int)
  }

  private struct State {
    var pid: pid_t?
    var isEnded = false
  }

  private let state = Mutex(State())
  /// From SIGTERM to SIGKILL.
  private static let patience = Duration.seconds(2)
  private static let stackSize = 128 << 10

  /// Runs a program to its end, or to the end of the task; then all that it started has ended, too:
  /// what goes on after it would write into what others read.
  ///
  /// A thread waits, not a task: those share few threads. It costs some 20 us a program.
  static func run(_ invocation: Invocation, guardian: ProcessGuard) async throws -> Status {
    let child = ChildProcess()
    return try await withTaskCancellationHandler {
      try await withUnsafeThrowingContinuation { continuation in
        Self.onThread {
          continuation.resume(with: Result { try child.run(invocation, guardian) })
        } orElse: { code in
          continuation.resume(
            throwing: PipelineError.commandNotStarted(
              program: invocation.words[0], why: text(code)))
        }
      }
    } onCancel: {
      child.end()
    }
  }

  static func text(_ code: Int32) -> String { String(cString: strerror(code)) }

  private func run(_ invocation: Invocation, _ guardian: ProcessGuard) throws -> Status {
    let pid = try start(invocation, guardian)
    let status = shiftwork_await(pid)
    // Its number, and so the group's, is not given away before it is reaped.
    kill(-pid, SIGKILL)
    guardian.forget(pid)
    state.withLock { state in
      state.pid = nil
      state.isEnded = true
      while waitpid(pid, nil, 0) < 0, errno == EINTR {}
    }
    guard status >= 0 else {
      throw PipelineError.commandNotStarted(
        program: invocation.words[0], why: "it cannot be awaited")
    }
    return status < 256 ? .exited(Int(status)) : .signaled(Int(status) - 256)
  }

  private func start(_ invocation: Invocation, _ guardian: ProcessGuard) throws -> pid_t {
    let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
    defer { if input >= 0 { close(input) } }
    return try state.withLock { state in
      guard !state.isEnded else { throw CancellationError() }
      let pid = Self.withCStrings(invocation.words) { words in
        Self.withCStrings(invocation.environment) { environment in
          shiftwork_spawn(
            words, environment, invocation.directory, input, invocation.log, guardian.descriptor)
        }
      }
      guard pid > 0 else {
        throw PipelineError.commandNotStarted(
          program: invocation.words[0], why: Self.text(errno))
      }
      state.pid = pid
      return pid
    }
  }

  /// Asks the group to end, and sees to it a little later.
  private func end() {
    let isRunning = state.withLock { state in
      guard let pid = state.pid else {
        state.isEnded = true
        return false
      }
      kill(-pid, SIGTERM)
      return true
    }
    guard isRunning else { return }
    Task.detached { [self] in
      try? await Task.sleep(for: Self.patience)
      state.withLock { state in
        if let pid = state.pid { kill(-pid, SIGKILL) }
      }
    }
  }

  /// Null-terminated, as `execve` takes it.
  private static func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
  ) -> Result {
    var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
    defer { for pointer in pointers { free(pointer) } }
    pointers.append(nil)
    return pointers.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { preconditionFailure("an array of one and more") }
      return body(base)
    }
  }

  private final class Work: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  private static func onThread(
    _ body: @escaping @Sendable () -> Void, orElse failed: (Int32) -> Void
  ) {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
    pthread_attr_setstacksize(&attributes, stackSize)
    let context = Unmanaged.passRetained(Work(body)).toOpaque()
    var thread = pthread_t()
    let code = pthread_create(
      &thread, &attributes,
      { context in
        guard let context else { return nil }
        Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body()
        return nil
      }, context)
    guard code != 0 else { return }
    Unmanaged<Work>.fromOpaque(context).release()
    failed(code)
  }
}
