//! Archives into folders through libarchive, entry by entry, trusting none of them. Knows no data
//! set.

internal import CArchive
import CPlatform
import Files
import Glibc

/// Unpacks tar (plain, gzip, bzip2 or xz) and zip archives.
///
/// An archive is whatever a server sent. Only regular files and folders come out, below the target
/// and nowhere else; owners, modes and times are ours, not the archive's; an entry never replaces
/// another; bytes are counted as they are written, since a header can claim anything.
package struct Unpacker {
  package struct Limits: Hashable, Sendable, Codable {
    package var bytes: Int
    package var entries: Int

    package init(bytes: Int, entries: Int = 2_000_000) {
      self.bytes = bytes
      self.entries = entries
    }
  }

  private let archive: String
  private let target: String
  private let limits: Limits
  private var bytes = 0
  private var entries = 0
  private var files = 0
  private var madeFolders: Set<String> = []

  /// Unpacks everything into `target`, an empty folder.
  ///
  /// - Parameter report: told after each entry how many files and bytes there are.
  /// - Throws: `ArchiveError`; what was unpacked until then is left in `target`.
  package static func unpack(
    _ archive: String, into target: String, limits: Limits, report: (Int, Int) -> Void = { _, _ in }
  ) throws {
    var unpacker = Unpacker(archive: archive, target: target, limits: limits)
    try unpacker.run(report)
  }

  private init(archive: String, target: String, limits: Limits) {
    self.archive = archive
    self.target = target
    self.limits = limits
  }

  private mutating func run(_ report: (Int, Int) -> Void) throws {
    guard let reader = archive_read_new() else {
      throw ArchiveError.unreadable(archive: archive, reason: "libarchive has no memory")
    }
    defer { archive_read_free(reader) }
    // Filters that libarchive itself has: it would start programs for some others.
    archive_read_support_filter_gzip(reader)
    archive_read_support_filter_bzip2(reader)
    archive_read_support_filter_xz(reader)
    archive_read_support_format_tar(reader)
    archive_read_support_format_zip(reader)
    guard archive_read_open_filename(reader, archive, 1 << 18) == shiftwork_archive_ok else {
      throw fault(reader)
    }
    while true {
      var entry: OpaquePointer?
      let status = archive_read_next_header(reader, &entry)
      if status == shiftwork_archive_eof { break }
      guard status == shiftwork_archive_ok || status == shiftwork_archive_warn, let entry else {
        throw fault(reader)
      }
      entries += 1
      guard entries <= limits.entries else {
        throw ArchiveError.tooManyEntries(archive: archive, limit: limits.entries)
      }
      try unpack(entry, reader)
      report(files, bytes)
    }
    guard files > 0 else { throw ArchiveError.empty(archive: archive) }
    try sync()
  }

  /// A power failure must not leave a folder in its place whose files are empty.
  private func sync() throws {
    let folder = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { throw failure(".", errno) }
    defer { close(folder) }
    guard syncfs(folder) == 0 else { throw failure(".", errno) }
  }

  private func fault(_ reader: OpaquePointer) -> ArchiveError {
    let reason = archive_error_string(reader).map { String(cString: $0) } ?? "no reason given"
    return .unreadable(archive: archive, reason: reason)
  }

  private mutating func unpack(_ entry: OpaquePointer, _ reader: OpaquePointer) throws {
    let parts = try path(of: entry)
    let name = parts.joined(separator: "/")
    if archive_entry_hardlink(entry) != nil {
      throw ArchiveError.unsafeKind(archive: archive, entry: name, kind: "it is a hard link")
    }
    if shiftwork_entry_is_symlink(entry) != 0 {
      throw ArchiveError.unsafeKind(archive: archive, entry: name, kind: "it is a symbolic link")
    }
    if shiftwork_entry_is_folder(entry) != 0 {
      try makeFolders(parts[...], for: name)
      return
    }
    guard shiftwork_entry_is_file(entry) != 0 else {
      throw ArchiveError.unsafeKind(
        archive: archive, entry: name, kind: "it is a device, a pipe or a socket")
    }
    guard !parts.isEmpty else {
      throw ArchiveError.unsafePath(archive: archive, entry: name, why: "its name is empty")
    }
    try makeFolders(parts.dropLast(), for: name)
    try write(name, reader)
    files += 1
  }

  /// The entry's path below the target, part by part; `./` in front and slashes behind are gone.
  private func path(of entry: OpaquePointer) throws -> [String] {
    guard let bytes = archive_entry_pathname_utf8(entry) ?? archive_entry_pathname(entry),
      let name = String(validatingCString: bytes)
    else {
      throw ArchiveError.unsafePath(
        archive: archive, entry: "number \(entries)", why: "its name is not UTF-8")
    }
    func refuse(_ why: String) -> ArchiveError {
      // The name is the archive's, so it is shown short and in plain letters.
      let plain = name.unicodeScalars.prefix(120).map {
        (" "..."~").contains($0) ? Character($0) : "?"
      }
      return .unsafePath(archive: archive, entry: String(plain), why: why)
    }
    guard !name.hasPrefix("/") else { throw refuse("its path is absolute") }
    guard name.utf8.allSatisfy({ $0 >= 32 && $0 != 127 && $0 != UInt8(ascii: "\\") }) else {
      throw refuse("its name has a control character or a backslash")
    }
    let parts = name.split(separator: "/").filter { $0 != "." }.map(String.init)
    guard !parts.contains("..") else { throw refuse("its path leads out of the folder by `..`") }
    guard parts.count <= 32, name.utf8.count <= 1024 else { throw refuse("its path is too long") }
    return parts
  }

  private mutating func makeFolders(_ parts: ArraySlice<String>, for name: String) throws {
    var path = target
    for part in parts {
      path += "/" + part
      guard madeFolders.insert(path).inserted else { continue }
      if mkdir(path, 0o777) != 0 {
        let code = errno
        // Only this run makes anything here, so what is there already is a file.
        if code == EEXIST { throw ArchiveError.twice(archive: archive, entry: name) }
        throw failure(name, code)
      }
    }
  }

  private mutating func write(_ name: String, _ reader: OpaquePointer) throws {
    // Below a new folder without a single link, so no part of the path leads elsewhere.
    let path = target + "/" + name
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      let code = errno
      if code == EEXIST || code == ENOTDIR || code == EISDIR {
        throw ArchiveError.twice(archive: archive, entry: name)
      }
      throw failure(name, code)
    }
    var isOpen = true
    defer { if isOpen { close(descriptor) } }
    var end = 0
    while true {
      var block: UnsafeRawPointer?
      var size = 0
      var offset: Int64 = 0
      let status = archive_read_data_block(reader, &block, &size, &offset)
      if status == shiftwork_archive_eof { break }
      // A warning here is a checksum that does not match, or the like.
      guard status == shiftwork_archive_ok else { throw fault(reader) }
      // Holes of sparse files would count nothing and read as gigabytes.
      guard Int(offset) == end else {
        throw ArchiveError.unsafeKind(archive: archive, entry: name, kind: "it is a sparse file")
      }
      bytes += size
      guard bytes <= limits.bytes else {
        throw ArchiveError.tooManyBytes(archive: archive, limit: limits.bytes)
      }
      try put(UnsafeRawBufferPointer(start: block, count: size), descriptor, name)
      end += size
    }
    isOpen = false
    guard close(descriptor) == 0 else { throw failure(name, errno) }
  }

  private func put(
    _ buffer: UnsafeRawBufferPointer, _ descriptor: Int32, _ name: String
  ) throws {
    var done = 0
    while done < buffer.count {
      let count = Glibc.write(
        descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw failure(name, errno) }
      done += count
    }
  }

  private func failure(_ name: String, _ code: Int32) -> ArchiveError {
    .notWritten(archive: archive, entry: name, reason: FileError.reason(code))
  }
}
