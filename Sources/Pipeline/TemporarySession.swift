//! The temporary folders of one process, and the removal of those that dead ones left behind.

import Diagnostics
import Files
import Glibc

/// A folder that is locked while its process lives; an unlocked one is rubbish.
struct TemporarySession {
  private let folder: String
  private let lock: HeldLock

  /// Makes a folder below `parent`, and clears what processes that are gone left there.
  init(in parent: String) throws {
    for name in try Files.list(parent) {
      // It may be somebody's who cleans as well: what cannot be removed now is left to the next.
      guard let lock = try? HeldLock.tryAcquire(folder: parent + "/" + name) else { continue }
      try? Files.remove(parent + "/" + name)
      lock.release()
    }
    while true {
      let folder = "\(parent)/\(getpid())-\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
      guard mkdir(folder, 0o755) == 0 else {
        throw LibraryError(library: "libc", call: "mkdir", code: Int(errno), path: folder)
      }
      // Another process may have taken the folder for rubbish between the two calls.
      guard let lock = try HeldLock.tryAcquire(folder: folder) else { continue }
      self.folder = folder
      self.lock = lock
      return
    }
  }

  func newFolder() throws -> String {
    let path = try Files.temporaryDirectory(in: folder, prefix: "")
    // It may become an artifact, which other users of the store read.
    guard chmod(path, 0o755) == 0 else {
      throw LibraryError(library: "libc", call: "chmod", code: Int(errno), path: path)
    }
    return path
  }

  /// Called by the owner when nothing runs any more.
  func remove() {
    try? Files.remove(folder)
    lock.release()
  }
}
