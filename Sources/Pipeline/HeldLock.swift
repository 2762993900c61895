//! A file or folder that one process at a time holds; the kernel lets go of it when that one dies.

import CPlatform
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
  static func tryAcquire(file path: String) throws -> HeldLock? {
    try tryAcquire(path, flags: O_RDWR | O_CREAT, removesFile: true)
  }

  /// Nil while another holder has the existing folder at `path`, or when it is gone.
  static func tryAcquire(folder path: String) throws -> HeldLock? {
    try tryAcquire(path, flags: O_RDONLY | O_DIRECTORY, removesFile: false)
  }

  /// Nil while another holder has this byte of the file, which stays. Many locks in one file cost no
  /// file each: making and removing one takes a file system longer than all else that a stage needs.
  static func tryAcquire(byte: UInt64, of path: String) throws -> HeldLock? {
    // A descriptor of its own: the kernel holds such a lock for what was opened, not for a process.
    let descriptor = try openKept(path)
    guard shiftwork_lock_byte(descriptor, Int64(byte >> 2)) != 0 else {
      return HeldLock(descriptor: descriptor, path: path, removesFile: false)
    }
    let code = errno
    close(descriptor)
    if code == EAGAIN || code == EACCES { return nil }
    throw LibraryError(library: "libc", call: "fcntl", code: Int(code), path: path)
  }

  /// Whether somebody holds the lock of the file at `path`; nothing is made or taken.
  static func isHeld(file path: String) -> Bool {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
  }

  /// One of many holders of a file that stays; waits while somebody has it alone.
  static func share(file path: String) throws -> HeldLock {
    let descriptor = try openKept(path)
    while flock(descriptor, LOCK_SH) != 0 {
      guard errno == EINTR else {
        let code = errno
        close(descriptor)
        throw LibraryError(library: "libc", call: "flock", code: Int(code), path: path)
      }
    }
    return HeldLock(descriptor: descriptor, path: path, removesFile: false)
  }

  /// The only holder of a file that stays; nil while others share it.
  static func tryOwn(file path: String) throws -> HeldLock? {
    let descriptor = try openKept(path)
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      return nil
    }
    return HeldLock(descriptor: descriptor, path: path, removesFile: false)
  }

  private static func openKept(_ path: String) throws -> Int32 {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw LibraryError(library: "libc", call: "open", code: Int(errno), path: path)
    }
    return descriptor
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
