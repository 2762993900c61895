//! Reading, writing and removing files by path: checked reading, atomic writing. Knows no format.

import CPlatform
import Glibc

/// Files and folders by path.
package enum Files {
  private static let blockSize = 1 << 16

  /// The bytes of a regular file of at most `limit` bytes.
  package static func read(_ path: String, limit: Int) throws -> [UInt8] {
    let descriptor = try openFile(path)
    defer { close(descriptor) }
    let size = try regularSize(descriptor, path)
    guard size <= limit else { throw FileError.tooLarge(path: path, bytes: size, limit: limit) }
    // One byte more than the size tells a file that grows while it is read.
    var bytes = [UInt8](repeating: 0, count: size + 1)
    var count = 0
    while true {
      if count == bytes.count {
        guard count <= limit else {
          throw FileError.tooLarge(path: path, bytes: count, limit: limit)
        }
        bytes += [UInt8](repeating: 0, count: blockSize)
      }
      let got = bytes.withUnsafeMutableBytes { buffer in
        Glibc.read(descriptor, buffer.baseAddress.map { $0 + count }, buffer.count - count)
      }
      if got < 0 && errno == EINTR { continue }
      guard got >= 0 else { throw FileError.last("read", path) }
      if got == 0 { break }
      count += got
    }
    guard count <= limit else { throw FileError.tooLarge(path: path, bytes: count, limit: limit) }
    bytes.removeLast(bytes.count - count)
    return bytes
  }

  /// Puts `bytes` at `path` in one step: readers see the old file or the whole new one.
  package static func writeAtomically(_ bytes: [UInt8], to path: String) throws {
    try writeAtomically(to: path) { descriptor, temporary in
      try write(bytes, to: descriptor, temporary)
    }
  }

  /// Puts `text`, in UTF-8, at `path` in one step.
  package static func writeAtomically(_ text: String, to path: String) throws {
    try writeAtomically(Array(text.utf8), to: path)
  }

  /// Copies a regular file; the target appears whole or not at all.
  package static func copy(_ from: String, to path: String) throws {
    let source = try openFile(from)
    defer { close(source) }
    _ = try regularSize(source, from)
    try writeAtomically(to: path) { descriptor, temporary in
      try forEachBlock(of: source, from) { try write(Array($0), to: descriptor, temporary) }
    }
  }

  /// Makes an empty file, or makes one empty.
  package static func empty(_ path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw FileError.last("write", path) }
    close(descriptor)
  }

  /// Adds `text` at the end of a file, in one piece as far as the system allows.
  package static func append(_ text: String, to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw FileError.last("write", path) }
    defer { close(descriptor) }
    try write(Array(text.utf8), to: descriptor, path)
  }

  /// Makes `path` and whatever is missing above it.
  package static func createDirectories(_ path: String) throws {
    if mkdir(path, 0o777) == 0 || (errno == EEXIST && isDirectory(path)) { return }
    var made = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
      made += made.isEmpty || made.hasSuffix("/") ? String(part) : "/" + part
      if mkdir(made, 0o777) != 0 && errno != EEXIST {
        throw FileError.last("make the folder", made)
      }
    }
    guard path.isEmpty || isDirectory(path) else {
      throw FileError.system(operation: "make the folder", path: path, code: ENOTDIR)
    }
  }

  /// Removes a file, or a folder with all that is in it; links are removed, not followed.
  package static func remove(_ path: String) throws {
    var status = stat()
    guard lstat(path, &status) == 0 else { throw FileError.last("remove", path) }
    if status.st_mode & S_IFMT == S_IFDIR {
      for name in try list(path) { try remove(path + "/" + name) }
      guard rmdir(path) == 0 else { throw FileError.last("remove", path) }
    } else {
      guard unlink(path) == 0 else { throw FileError.last("remove", path) }
    }
  }

  package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  package static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// A file's bytes; nil where there is none.
  package static func size(of path: String) -> Int? {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : nil
  }

  /// The names in a folder, sorted by their bytes.
  package static func list(_ directory: String) throws -> [String] {
    guard let stream = opendir(directory) else { throw FileError.last("list", directory) }
    defer { closedir(stream) }
    var names: [String] = []
    errno = 0
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
      errno = 0
    }
    guard errno == 0 else { throw FileError.last("list", directory) }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// The SHA-256 of a regular file's bytes, which are streamed.
  package static func digest(ofFile path: String) throws -> Digest {
    var hash = SHA256()
    try forEachBlock(ofFile: path) { hash.update($0) }
    return hash.finish()
  }

  /// Hands out a regular file's bytes, block by block.
  package static func forEachBlock(
    ofFile path: String, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let descriptor = try openFile(path)
    defer { close(descriptor) }
    _ = try regularSize(descriptor, path)
    try forEachBlock(of: descriptor, path, body)
  }

  /// Renames within one file system; what is at `path` must be absent or be replaced as a whole.
  package static func move(_ from: String, to path: String) throws {
    guard rename(from, path) == 0 else { throw FileError.last("move it to \(path)", from) }
  }

  /// Bytes that are free for this user where `path`, or the nearest folder above it, lies.
  package static func freeBytes(at path: String) -> Int? {
    var place = path
    var status = statvfs()
    while statvfs(place, &status) != 0 {
      guard errno == ENOENT, let slash = place.lastIndex(of: "/") else {
        guard errno == ENOENT, place != "." else { return nil }
        place = "."
        continue
      }
      place = slash == place.startIndex ? "/" : String(place[..<slash])
    }
    return Int(status.f_bavail) * Int(status.f_frsize)
  }

  /// A new, empty folder in `parent`, readable by its owner alone.
  package static func temporaryDirectory(in parent: String, prefix: String) throws -> String {
    try createDirectories(parent)
    var template = Array((parent + "/" + prefix + "XXXXXX").utf8CString)
    guard mkdtemp(&template) != nil else { throw FileError.last("make a folder in", parent) }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  // MARK: Descriptors

  private static func openFile(_ path: String) throws -> Int32 {
    // Without O_NONBLOCK a named pipe would hold the program until somebody writes.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw FileError.last("open", path) }
    return descriptor
  }

  private static func regularSize(_ descriptor: Int32, _ path: String) throws -> Int {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileError.last("read", path) }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return Int(status.st_size)
    case S_IFDIR: throw FileError.isDirectory(path: path)
    default: throw FileError.notAFile(path: path)
    }
  }

  private static func forEachBlock(
    of descriptor: Int32, _ path: String, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    try withUnsafeTemporaryAllocation(byteCount: blockSize * 4, alignment: 64) { buffer in
      while true {
        let got = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        if got < 0 && errno == EINTR { continue }
        guard got >= 0 else { throw FileError.last("read", path) }
        if got == 0 { return }
        try body(UnsafeRawBufferPointer(rebasing: buffer[..<got]))
      }
    }
  }

  private static func writeAtomically(
    to path: String, _ body: (Int32, String) throws -> Void
  ) throws {
    let (descriptor, temporary) = try openTemporary(beside: path)
    do {
      defer { close(descriptor) }
      try body(descriptor, temporary)
    } catch {
      unlink(temporary)
      throw error
    }
    guard rename(temporary, path) == 0 else {
      let error = FileError.last("write", path)
      unlink(temporary)
      throw error
    }
  }

  /// A new file beside `path` with the permissions that the user's umask leaves.
  private static func openTemporary(beside path: String) throws -> (Int32, String) {
    for _ in 0..<100 {
      let temporary = path + "." + String(UInt64.random(in: 0...UInt64.max), radix: 36)
      let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      if descriptor >= 0 { return (descriptor, temporary) }
      guard errno == EEXIST else { throw FileError.last("write", path) }
    }
    throw FileError.last("write", path)
  }

  static func write(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws {
    try bytes.withUnsafeBytes { buffer in
      var written = 0
      while written < buffer.count {
        let got = Glibc.write(
          descriptor, buffer.baseAddress.map { $0 + written }, buffer.count - written)
        if got < 0 && errno == EINTR { continue }
        guard got >= 0 else { throw FileError.last("write", path) }
        written += got
      }
    }
  }
}
