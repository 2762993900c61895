//! A file or folder that one process at a time holds; the kernel lets go of it when that one dies.

import Diagnostics
import Glibc
import Synchronization

/// A `flock`, held until released or freed, or until the process ends in whatever way.
package final class HeldLock: Sendable {
  private let descriptor: Int32
  private let path: String
  private let removesFile: Bool
  private let isReleased = Atomic(false)

  /// Nil while another holder has it. A lock file is removed with the lock.
  package static func tryAcquire(file path: String) throws -> HeldLock? {
    try tryAcquire(path, flags: O_RDWR | O_CREAT, removesFile: true)
  }

  /// Nil while another holder has the existing folder at `path`, or when it is gone.
  static func tryAcquire(folder path: String) throws -> HeldLock? {
    try tryAcquire(path, flags: O_RDONLY | O_DIRECTORY, removesFile: false)
  }

  private static func tryAcquire(
    _ path: String, flags: Int32, removesFile: Bool
  ) throws -> HeldLock? {
    while true {
      let descriptor = open(path, flags | O_CLOEXEC, 0o644)
      guard descriptor >= 0 else {
        if errno == ENOENT, !removesFile { return nil }
        throw LibraryError(library: "libc", call: "open", code: Int(errno), path: path)
      }
      if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
        let code = errno
        close(descriptor)
        if code == EINTR { continue }
        if code == EWOULDBLOCK { return nil }
        throw LibraryError(library: "libc", call: "flock", code: Int(code), path: path)
      }
      // The last holder may have removed the file between our opening and our locking it.
      var held = stat()
      var named = stat()
      if fstat(descriptor, &held) == 0, stat(path, &named) == 0, held.st_ino == named.st_ino,
        held.st_dev == named.st_dev
      {
        return HeldLock(descriptor: descriptor, path: path, removesFile: removesFile)
      }
      close(descriptor)
    }
  }

  private init(descriptor: Int32, path: String, removesFile: Bool) {
    self.descriptor = descriptor
    self.path = path
    self.removesFile = removesFile
  }

  deinit { release() }

  /// Lets go at once, whoever still refers to the lock.
  package func release() {
    guard !isReleased.exchange(true, ordering: .acquiringAndReleasing) else { return }
    if removesFile { unlink(path) }
    close(descriptor)
  }
}
