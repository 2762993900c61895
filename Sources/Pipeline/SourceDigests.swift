//! Digests of source files, remembered while the file system says that nothing changed.

import CPlatform
import Diagnostics
import Files
import Glibc

/// A memory of digests by device, inode, size and both times, shared through an append-only file
/// of fixed-size entries, each with its CRC32.
struct SourceDigests {
  private let path: String
  private var known: [FileState: Digest]?
  private var pending: [UInt8] = []
  /// By path, what was last seen of every file and folder that counts in a digest.
  private(set) var sights: [String: Sight] = [:]

  struct Sight {
    var state: FileState
    /// Of a file's bytes; nil for a folder, whose names its state stands for.
    var digest: Digest?
    /// Whether no change since can have left the state as it is.
    var isSettled: Bool
  }

  private static let entrySize = 5 * 8 + 64 + 4
  private static let pendingLimit = 1000 * entrySize
  /// A file may change again without a change of its times within this span.
  private static let racyNanoseconds: Int64 = 2_000_000_000

  init(path: String) { self.path = path }

  /// The digest of a file's bytes, or of a folder's names, sizes and bytes; nil where there is none.
  mutating func digest(of source: String) throws -> Digest? {
    guard let state = try FileState(path: source, followingLinks: true) else { return nil }
    guard state.isDirectory else { return try digest(ofFile: source, state: state) }
    sights[source] = Sight(state: state, digest: nil, isSettled: Self.isSettled(state))
    let tree = try Tree(of: source, followingLinks: true)
    let states = Dictionary(uniqueKeysWithValues: tree.files.map { ($0.path, $0.state) })
    for folder in tree.folders {
      sights[source + "/" + folder.path] = Sight(
        state: folder.state, digest: nil, isSettled: Self.isSettled(folder.state))
    }
    return try Tree.digest(of: tree.files.map { ($0.path, $0.state.size) }) { path in
      let state = states[path]
      return try digest(ofFile: source + "/" + path, state: state)
    }
  }

  private mutating func digest(ofFile file: String, state: FileState?) throws -> Digest {
    if let state, let digest = recall(state) {
      sights[file] = Sight(state: state, digest: digest, isSettled: true)
      return digest
    }
    for _ in 0..<3 {
      guard let before = try FileState(path: file, followingLinks: true) else { break }
      guard before.isRegular else {
        throw PipelineError.unreadable(path: file, why: "it is neither a file nor a folder")
      }
      let digest = try Files.digest(ofFile: file)
      guard try FileState(path: file, followingLinks: true) == before else { continue }
      let isSettled = Self.isSettled(before)
      sights[file] = Sight(state: before, digest: digest, isSettled: isSettled)
      if isSettled { remember(digest, for: before) }
      return digest
    }
    throw PipelineError.sourceKeepsChanging(path: file)
  }

  private mutating func recall(_ state: FileState) -> Digest? {
    if known == nil { load() }
    return known?[state]
  }

  /// Whether the file's next change will show in its times.
  private static func isSettled(_ state: FileState) -> Bool {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let nanoseconds = Int64(now.tv_sec) &* 1_000_000_000 &+ Int64(now.tv_nsec)
    // The kernel sets the time of change; that of modification may be anything, even in the future.
    return state.changedNanoseconds < nanoseconds &- racyNanoseconds
  }

  private mutating func remember(_ digest: Digest, for state: FileState) {
    known?[state] = digest
    pending += Self.entry(for: state, digest: digest)
    // A store that cannot be written does without.
    if pending.count >= Self.pendingLimit { try? save() }
  }

  /// Hands what was learnt to later runs.
  mutating func save() throws {
    guard !pending.isEmpty else { return }
    defer { pending = [] }
    // A folder of many files is digested before anything else is kept.
    if let slash = path.lastIndex(of: "/") {
      try Files.createDirectories(String(path[..<slash]))
    }
    let file = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw failure("open") }
    defer { close(file) }
    while flock(file, LOCK_EX) != 0 {
      guard errno == EINTR else { throw failure("flock") }
    }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw failure("fstat") }
    // A torn entry at the end would put all later ones out of step.
    let whole = Int(status.st_size) / Self.entrySize * Self.entrySize
    if whole < Int(status.st_size), ftruncate(file, off_t(whole)) != 0 {
      throw failure("ftruncate")
    }
    let written = pending.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
    if written != pending.count {
      let error = failure("write")
      ftruncate(file, off_t(whole))
      throw error
    }
  }

  private mutating func load() {
    var entries: [FileState: Digest] = [:]
    // What cannot be read is forgotten: the files are then read again.
    let bytes = (try? Files.read(path, limit: 1 << 30)) ?? []
    entries.reserveCapacity(bytes.count / Self.entrySize)
    var start = 0
    while start + Self.entrySize <= bytes.count {
      let entry = bytes[start..<(start + Self.entrySize)]
      start += Self.entrySize
      guard let (state, digest) = Self.parse(entry) else { continue }
      entries[state] = digest
    }
    known = entries
  }

  private static func entry(for state: FileState, digest: Digest) -> [UInt8] {
    var bytes: [UInt8] = []
    let numbers = [
      state.device, state.inode, UInt64(bitPattern: state.size),
      UInt64(bitPattern: state.modifiedNanoseconds), UInt64(bitPattern: state.changedNanoseconds),
    ]
    for number in numbers { withUnsafeBytes(of: number.littleEndian) { bytes += $0 } }
    bytes += digest.hex.utf8
    let sum = CRC32.checksum(bytes)
    withUnsafeBytes(of: sum.littleEndian) { bytes += $0 }
    return bytes
  }

  private static func parse(_ entry: ArraySlice<UInt8>) -> (FileState, Digest)? {
    func number(_ index: Int, width: Int = 8) -> UInt64 {
      let start = entry.startIndex + index
      return entry[start..<(start + width)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    guard number(entrySize - 4, width: 4) == UInt64(CRC32.checksum(entry.dropLast(4))) else {
      return nil
    }
    let hex = entry[(entry.startIndex + 40)..<(entry.startIndex + 104)]
    guard let digest = Digest(hex: hex) else { return nil }
    let state = FileState(
      device: number(0), inode: number(8), size: Int64(bitPattern: number(16)),
      modifiedNanoseconds: Int64(bitPattern: number(24)),
      changedNanoseconds: Int64(bitPattern: number(32)))
    return (state, digest)
  }

  private func failure(_ call: String) -> LibraryError {
    LibraryError(library: "libc", call: call, code: Int(errno), path: path)
  }
}
