//! An open sound file: a regular file's descriptor, read at places. Knows no format.

import Files
import Glibc

/// Owns a descriptor for reading.
final class SoundSource {
  let path: String
  let descriptor: Int32
  /// Bytes of the file when it was opened.
  let size: Int

  /// - Throws: `FileError` for what cannot be opened, is no regular file or larger than `limit`.
  init(_ path: String, limit: Int) throws {
    self.path = path
    // Without O_NONBLOCK a named pipe would hold the program until somebody writes.
    descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw FileError.system(operation: "open", path: path, code: errno)
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      size = 0
      throw FileError.system(operation: "read", path: path, code: errno)
    }
    size = Int(status.st_size)
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw FileError.isDirectory(path: path)
    default: throw FileError.notAFile(path: path)
    }
    guard size <= limit else { throw FileError.tooLarge(path: path, bytes: size, limit: limit) }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Up to `count` bytes from an offset; fewer at the end of the file and where reading fails, which
  /// the decoder meets and names.
  func bytes(at offset: Int, count: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { target, used in
      used = max(0, pread(descriptor, target.baseAddress, count, off_t(offset)))
    }
  }
}
