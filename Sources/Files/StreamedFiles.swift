//! Files too large to be held: reading at any place, writing from the front to the back. Knows no
//! format.

import CPlatform
import Glibc

/// A regular file that is read at any place, from any thread. Nothing of it is mapped, so it takes
/// no address space.
package final class FileReader: Sendable {
  package let path: String
  /// Bytes, when it was opened.
  package let size: Int
  private let descriptor: Int32

  /// - Throws: `FileError`.
  package init(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw FileError.last("open", path) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let error = FileError.last("read", path)
      close(descriptor)
      throw error
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw FileError.notAFile(path: path)
    }
    self.path = path
    self.descriptor = descriptor
    size = Int(status.st_size)
  }

  deinit { close(descriptor) }

  /// Fills `target` with the bytes from `offset` on.
  ///
  /// - Throws: `FileError`, also where the file has become shorter.
  package func read(at offset: Int, into target: UnsafeMutableRawBufferPointer) throws {
    var done = 0
    while done < target.count {
      let got = pread(
        descriptor, target.baseAddress.map { $0 + done }, target.count - done,
        off_t(offset + done))
      if got < 0 && errno == EINTR { continue }
      guard got >= 0 else { throw FileError.last("read", path) }
      guard got > 0 else { throw FileError.endsEarly(path: path, offset: offset + done) }
      done += got
    }
  }
}

/// A new file that grows at its end.
package final class FileWriter {
  package let path: String
  private let descriptor: Int32

  /// - Throws: `FileError`, also where the file is there already.
  package init(_ path: String) throws {
    descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw FileError.last("write", path) }
    self.path = path
  }

  deinit { close(descriptor) }

  package func append(_ bytes: [UInt8]) throws {
    try Files.write(bytes, to: descriptor, path)
  }
}
