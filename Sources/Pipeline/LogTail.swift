//! The last lines of a file that may be long; knows nothing of what they say.

import Glibc

enum LogTail {
  private static let byteLimit = 16 << 10

  /// Up to `limit` last lines; none where the file cannot be read.
  static func lines(of path: String, limit: Int) -> [String] {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return [] }
    defer { close(file) }
    let size = lseek(file, 0, SEEK_END)
    let start = max(0, size - off_t(byteLimit))
    let bytes = [UInt8](unsafeUninitializedCapacity: byteLimit) { buffer, count in
      count = max(0, pread(file, buffer.baseAddress, byteLimit, start))
    }
    var lines = bytes.split(separator: 10).map { String(decoding: $0, as: UTF8.self) }
    // The first one begins somewhere within a line.
    if start > 0, lines.count > 1 { lines.removeFirst() }
    return lines.suffix(limit)
  }
}
