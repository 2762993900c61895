//! The append-only file of finished stages, shared by several processes; knows no artifact.

import CPlatform
import Diagnostics
import Files
import Glibc

/// The records of a store, newest first by key, read once and then from where reading stopped.
///
/// A line that was torn by a crash stays where it is and is skipped; the next append begins with a
/// newline, so that nothing is glued onto it.
struct Journal {
  let path: String
  /// This boot of the machine.
  let boot: String
  private(set) var records: [Record] = []
  private var ends: [Int] = []
  private var newest: [Digest: Int] = [:]
  private var consumed = 0
  private var inode: UInt64 = 0
  private var coveredOffset = 0

  private static let sizeLimit = 4 << 30

  init(path: String, boot: String) {
    self.path = path
    self.boot = boot
  }

  /// The file and how much of it was taken in.
  var extent: (inode: UInt64, size: Int) { (inode, consumed) }

  /// The newest record that answers to `key`, and its number.
  func record(for key: Digest) -> (number: Int, record: Record)? {
    newest[key].map { ($0, records[$0]) }
  }

  /// Whether the bytes of the record's artifact are certain to have reached the disk, or the machine
  /// never lost its memory since.
  func isCovered(_ number: Int) -> Bool {
    records[number].boot == boot || ends[number] <= coveredOffset
  }

  /// Takes in what was appended since the last call, by whomever.
  mutating func refresh() throws {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      if errno == ENOENT { return }
      throw failure("open")
    }
    defer { close(file) }
    try refresh(from: file)
  }

  private mutating func refresh(from file: Int32) throws {
    var status = stat()
    guard fstat(file, &status) == 0 else { throw failure("fstat") }
    let size = Int(status.st_size)
    guard size <= Self.sizeLimit else {
      throw PipelineError.unreadable(path: path, why: "it is larger than \(Self.sizeLimit) bytes")
    }
    if UInt64(status.st_ino) != inode || size < consumed {
      self = Journal(path: path, boot: boot)
      inode = UInt64(status.st_ino)
    }
    guard size > consumed else { return }
    take(in: read(file, from: consumed, count: size - consumed))
  }

  /// Fewer bytes than asked for where another process just took back what it could not finish.
  private func read(_ file: Int32, from start: Int, count: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let result = pread(
          file, buffer.baseAddress?.advanced(by: filled), count - filled,
          off_t(start + filled))
        if result < 0, errno == EINTR { continue }
        guard result > 0 else { break }
        filled += result
      }
    }
  }

  /// Reads whole lines; what follows the last newline may still be on its way.
  private mutating func take(in bytes: [UInt8]) {
    var start = 0
    while start < bytes.count {
      let end = bytes.withUnsafeBytes { buffer -> Int? in
        guard let base = buffer.baseAddress,
          let found = memchr(base + start, 10, buffer.count - start)
        else { return nil }
        return base.distance(to: UnsafeRawPointer(found))
      }
      guard let end else { break }
      switch JournalLine(bytes[start..<end]) {
      case .record(let record):
        for key in record.keys { newest[key] = records.count }
        records.append(record)
        ends.append(consumed + end + 1)
      case .sync(let offset) where offset <= consumed + start:
        coveredOffset = max(coveredOffset, offset)
      case .sync, nil: break
      }
      start = end + 1
    }
    consumed += start
  }

  /// Appends one line in one piece, or nothing, and takes it in.
  mutating func append(_ line: JournalLine) throws {
    try withFile { journal, file, size in
      var bytes = line.bytes
      if size > 0, journal.read(file, from: size - 1, count: 1) != [10] { bytes.insert(10, at: 0) }
      var written = 0
      while written < bytes.count {
        let result = bytes[written...].withUnsafeBytes {
          write(file, $0.baseAddress, $0.count)
        }
        if result < 0, errno == EINTR { continue }
        guard result > 0 else {
          let error = journal.failure("write")
          ftruncate(file, off_t(size))
          throw error
        }
        written += result
      }
      try journal.refresh(from: file)
    }
  }

  /// The size of the file now: a sync that starts later covers all lines in front of it.
  func size() throws -> Int {
    guard let state = try FileState(path: path, followingLinks: true) else { return 0 }
    return Int(state.size)
  }

  private mutating func withFile(
    _ body: (inout Journal, Int32, Int) throws -> Void
  ) throws {
    while true {
      let file = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
      guard file >= 0 else { throw failure("open") }
      // Closing the descriptor gives the lock up, and so does the death of the process.
      defer { close(file) }
      while flock(file, LOCK_EX) != 0 {
        guard errno == EINTR else { throw failure("flock") }
      }
      var status = stat()
      guard fstat(file, &status) == 0 else { throw failure("fstat") }
      // A shorter journal may have taken the place of this one meanwhile.
      var named = stat()
      guard stat(path, &named) == 0, named.st_ino == status.st_ino else { continue }
      return try body(&self, file, Int(status.st_size))
    }
  }

  /// Puts a journal in the place of this one that has the records for which `isKept` holds; their
  /// outputs are whole. Nobody else may write meanwhile.
  mutating func rewrite(keeping isKept: (Record) -> Bool, sync: () throws -> Void) throws {
    var bytes: [UInt8] = []
    for (number, record) in records.enumerated()
    where isKept(record) && record.keys.contains(where: { newest[$0] == number }) {
      bytes += JournalLine.record(record).bytes
    }
    bytes += JournalLine.sync(offset: bytes.count).bytes
    let next = path + ".next"
    try Files.writeAtomically(bytes, to: next)
    try sync()
    try Files.move(next, to: path)
    self = Journal(path: path, boot: boot)
    try refresh()
  }

  private func failure(_ call: String) -> LibraryError {
    LibraryError(library: "libc", call: call, code: Int(errno), path: path)
  }

  /// The kernel's name for this boot; one of our own making, never seen again, where it has none.
  static func currentBoot() -> String {
    let bytes = (try? Files.read("/proc/sys/kernel/random/boot_id", limit: 100)) ?? []
    let name = String(decoding: bytes.filter { $0 > 32 && $0 < 127 }, as: UTF8.self)
    return name.isEmpty ? "unknown-\(UInt64.random(in: 0...UInt64.max))" : name
  }
}
