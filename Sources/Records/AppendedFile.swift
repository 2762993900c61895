//! Bytes at the end of a file that exists. Knows no format.

import Diagnostics
import Glibc

/// Files that grow while a stage runs.
enum AppendedFile {
  /// Appends `bytes` to the file at `path` in one write, so that a killed run leaves whole parts.
  static func append(_ bytes: [UInt8], to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("open", path) }
    defer { close(descriptor) }
    guard write(descriptor, bytes, bytes.count) == bytes.count else {
      throw failure("write", path)
    }
  }

  private static func failure(_ call: String, _ path: String) -> LibraryError {
    LibraryError(
      library: "libc", call: call, code: Int(errno), path: path,
      detail: String(cString: strerror(errno)))
  }
}
