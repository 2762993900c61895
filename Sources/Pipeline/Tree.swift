//! The files of a folder in a fixed order, and one digest for all of them; knows no store.

import CPlatform
import Diagnostics
import Files
import Glibc

/// What the file system says about one file, as far as a change of its bytes shows in it.
struct FileState: Hashable {
  var device: UInt64
  var inode: UInt64
  var size: Int64
  var modifiedNanoseconds: Int64
  var changedNanoseconds: Int64
  var isRegular: Bool
  var isDirectory: Bool

  /// Nil where there is no such file.
  init?(path: String, followingLinks: Bool) throws {
    var status = stat()
    let result = followingLinks ? stat(path, &status) : lstat(path, &status)
    if result != 0 {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw LibraryError(library: "libc", call: "stat", code: Int(errno), path: path)
    }
    self.init(status)
  }

  init(_ status: stat) {
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    size = Int64(status.st_size)
    modifiedNanoseconds = Self.nanoseconds(status.st_mtim)
    changedNanoseconds = Self.nanoseconds(status.st_ctim)
    isRegular = status.st_mode & S_IFMT == S_IFREG
    isDirectory = status.st_mode & S_IFMT == S_IFDIR
  }

  /// A regular file as it was remembered.
  init(
    device: UInt64, inode: UInt64, size: Int64, modifiedNanoseconds: Int64,
    changedNanoseconds: Int64
  ) {
    self.device = device
    self.inode = inode
    self.size = size
    self.modifiedNanoseconds = modifiedNanoseconds
    self.changedNanoseconds = changedNanoseconds
    isRegular = true
    isDirectory = false
  }

  private static func nanoseconds(_ time: timespec) -> Int64 {
    Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
  }
}

/// The regular files below a folder, by relative path, in the order of their bytes.
struct Tree {
  var files: [(path: String, state: FileState)] = []
  /// The folders below it, in no order.
  var folders: [(path: String, state: FileState)] = []

  private static let depthLimit = 64

  /// Links are followed in what the user owns and refused in what a worker wrote.
  init(of folder: String, followingLinks: Bool) throws {
    try add(folder: folder, below: "", followingLinks: followingLinks, depth: 0)
    files.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
  }

  private mutating func add(
    folder: String, below prefix: String, followingLinks: Bool, depth: Int
  ) throws {
    guard depth < Self.depthLimit else {
      throw PipelineError.unreadable(path: folder, why: "folders are nested too deeply")
    }
    for name in try Files.list(folder) {
      let path = folder + "/" + name
      let relative = prefix + name
      guard name.utf8.allSatisfy({ $0 >= 32 && $0 != 127 }) else {
        throw PipelineError.outputNotStorable(
          path: ScalarSpelling.quoted(path), why: "its name has a control character")
      }
      guard let state = try FileState(path: path, followingLinks: followingLinks) else {
        throw PipelineError.unreadable(path: path, why: "it is a link to nothing, or just vanished")
      }
      if state.isDirectory {
        folders.append((relative, state))
        try add(
          folder: path, below: relative + "/", followingLinks: followingLinks, depth: depth + 1)
      } else if state.isRegular {
        files.append((relative, state))
      } else {
        throw PipelineError.outputNotStorable(
          path: path, why: "it is neither a regular file nor a folder")
      }
    }
  }

  /// One digest for names, sizes and bytes of all `files`; neither times nor empty folders count.
  static func digest(
    of files: [(path: String, size: Int64)], by digest: (String) throws -> Digest
  ) rethrows -> Digest {
    var hash = SHA256()
    for file in files {
      let line = "\(try digest(file.path).hex) \(file.size) \(file.path)\n"
      Array(line.utf8).withUnsafeBytes { hash.update($0) }
    }
    return hash.finish()
  }
}
