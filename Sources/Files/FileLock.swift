//! A lock that dies with its process: flock on an open file. Knows not what it guards.

import CPlatform
import Glibc

/// An exclusive lock, held until the object goes away or the process ends, however it ends.
package final class FileLock: Sendable {
  private let descriptor: Int32

  /// Waits until the lock is free.
  package convenience init(path: String) throws {
    let descriptor = try Self.open(path)
    while flock(descriptor, LOCK_EX) != 0 {
      guard errno == EINTR else {
        let error = FileError.last("lock", path)
        close(descriptor)
        throw error
      }
    }
    self.init(holding: descriptor)
  }

  private init(holding descriptor: Int32) { self.descriptor = descriptor }

  /// The lock if it is free now, else nil.
  package static func tryLock(path: String) throws -> FileLock? {
    let descriptor = try open(path)
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let isHeld = errno == EWOULDBLOCK
      let error = FileError.last("lock", path)
      close(descriptor)
      if isHeld { return nil }
      throw error
    }
    return FileLock(holding: descriptor)
  }

  private static func open(_ path: String) throws -> Int32 {
    let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw FileError.last("open", path) }
    return descriptor
  }

  deinit { close(descriptor) }
}
