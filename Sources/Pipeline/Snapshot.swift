//! How files looked when a run ended, to tell at a glance that none changed. Knows no stage and no spec.

import CPlatform
import Files
import Glibc

/// The looks of all files that a run's outcome hangs on, and words to go with them.
///
/// A run that would find everything done reads specs, keys and records to learn just that. Where
/// every file looks as it did when an earlier run of the same command ended, that one's words stand.
package struct Snapshot: Sendable {
  /// Larger ones are not read each time to see that they stayed the same.
  private static let readLimit = 1 << 20
  private static let sizeLimit = 1 << 30
  private static let mark = Array("shiftwork snapshot 1\n".utf8)

  /// How something is looked at. What follows it: fixed bytes, and the path with a 0.
  private enum Look: UInt8 {
    /// The state, links followed or not: 40 bytes.
    case state = 1
    case linkState
    /// Absent 0, a file 1, a folder 2: 1 byte.
    case presence
    /// The SHA-256 of the bytes: 64 digits.
    case bytes
    /// Inode and size, whatever the times are, 0 where there is no file: 16 bytes.
    case extent

    var size: Int {
      switch self {
      case .state, .linkState: 40
      case .presence: 1
      case .bytes: 64
      case .extent: 16
      }
    }
  }

  private var looks: [UInt8] = []

  package init() {}

  /// A file with these bytes.
  package mutating func add(bytes: [UInt8], at path: String) {
    add(.bytes, Array(SHA256.digest(of: bytes).hex.utf8), path)
  }

  /// - Parameter presence: 0 where nothing is, 1 for a file, 2 for a folder.
  package mutating func add(presence: UInt8, at path: String) { add(.presence, [presence], path) }

  /// What is at `path` now; false where nothing is.
  package mutating func add(stateAt path: String) -> Bool {
    guard let state = try? FileState(path: path, followingLinks: true) else { return false }
    add(state, at: path)
    return true
  }

  mutating func add(_ state: FileState, at path: String, followingLinks: Bool = true) {
    add(followingLinks ? .state : .linkState, Self.spelled(state), path)
  }

  mutating func add(inode: UInt64, size: Int, at path: String) {
    add(.extent, Self.spelled([inode, UInt64(size)]), path)
  }

  /// False where it would take long to see that the file stayed the same.
  mutating func add(_ sight: SourceDigests.Sight, at path: String) -> Bool {
    if sight.isSettled {
      add(sight.state, at: path)
      return true
    }
    guard let digest = sight.digest, sight.state.size <= Self.readLimit else { return false }
    add(.bytes, Array(digest.hex.utf8), path)
    return true
  }

  private mutating func add(_ look: Look, _ bytes: [UInt8], _ path: String) {
    looks.append(look.rawValue)
    looks += bytes
    looks += path.utf8
    looks.append(0)
  }

  private static func spelled(_ state: FileState) -> [UInt8] {
    spelled([
      state.device, state.inode, UInt64(bitPattern: state.size),
      UInt64(bitPattern: state.modifiedNanoseconds), UInt64(bitPattern: state.changedNanoseconds),
    ])
  }

  private static func spelled(_ numbers: [UInt64]) -> [UInt8] {
    numbers.flatMap { number in withUnsafeBytes(of: number.littleEndian) { Array($0) } }
  }

  // MARK: Files of snapshots

  /// Puts the snapshot at `path` with what is to be said when all looks the same.
  package func write(to path: String, saying words: [UInt8]) throws {
    var body = Self.spelled([UInt64(looks.count)])
    body += looks
    body += words
    let digest = SHA256.digest(of: body)
    if let slash = path.lastIndex(of: "/") {
      try Files.createDirectories(String(path[..<slash]))
    }
    try Files.writeAtomically(Self.mark + digest.hex.utf8 + body, to: path)
  }

  /// What the snapshot at `path` says, where everything looks as it did. Nil else, and where there is
  /// no snapshot, or a damaged one.
  package static func words(at path: String) -> ArraySlice<UInt8>? {
    guard let bytes = try? Files.read(path, limit: sizeLimit), bytes.starts(with: mark) else {
      return nil
    }
    let start = mark.count + 64
    guard bytes.count >= start + 8, let digest = Digest(hex: bytes[mark.count..<start]),
      digest == self.digest(of: bytes, from: start)
    else { return nil }
    return bytes.withUnsafeBytes { buffer in
      let count = Int(
        truncatingIfNeeded: buffer.loadUnaligned(fromByteOffset: start, as: UInt64.self))
      let first = start + 8
      guard count >= 0, count <= buffer.count - first else { return nil }
      let end = first + count
      return areSame(UnsafeRawBufferPointer(rebasing: buffer[first..<end])) ? bytes[end...] : nil
    }
  }

  private static func digest(of bytes: [UInt8], from start: Int) -> Digest {
    var hash = SHA256()
    bytes.withUnsafeBytes { hash.update(UnsafeRawBufferPointer(rebasing: $0[start...])) }
    return hash.finish()
  }

  private static func areSame(_ looks: UnsafeRawBufferPointer) -> Bool {
    var place = 0
    while place < looks.count {
      guard let look = Look(rawValue: looks[place]) else { return false }
      let value = place + 1
      let name = value + look.size
      guard name < looks.count, let base = looks.baseAddress,
        let end = memchr(base + name, 0, looks.count - name)
      else { return false }
      let path = (base + name).assumingMemoryBound(to: CChar.self)
      guard isSame(look, base + value, path) else { return false }
      place = base.distance(to: UnsafeRawPointer(end)) + 1
    }
    return true
  }

  private static func isSame(
    _ look: Look, _ value: UnsafeRawPointer, _ path: UnsafePointer<CChar>
  ) -> Bool {
    func number(_ index: Int) -> UInt64 {
      UInt64(littleEndian: value.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self))
    }
    var status = stat()
    switch look {
    case .state, .linkState:
      guard (look == .state ? stat(path, &status) : lstat(path, &status)) == 0 else {
        return false
      }
      let state = FileState(status)
      return state.device == number(0) && state.inode == number(1)
        && UInt64(bitPattern: state.size) == number(2)
        && UInt64(bitPattern: state.modifiedNanoseconds) == number(3)
        && UInt64(bitPattern: state.changedNanoseconds) == number(4)
    case .presence:
      let isThere = stat(path, &status) == 0
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      return value.load(as: UInt8.self) == (isThere ? (isFolder ? 2 : 1) : 0)
    case .bytes:
      let hex = UnsafeRawBufferPointer(start: value, count: 64)
      guard let bytes = try? Files.read(String(cString: path), limit: sizeLimit) else {
        return false
      }
      return SHA256.digest(of: bytes).hex.utf8.elementsEqual(hex)
    case .extent:
      // Of no file both are 0.
      let isThere = stat(path, &status) == 0
      return (isThere ? UInt64(status.st_ino) : 0) == number(0)
        && (isThere ? UInt64(status.st_size) : 0) == number(1)
    }
  }
}

extension Store {
  /// Where snapshots of runs lie.
  package static func snapshotsPath(in root: String) -> String { root + "/snapshots" }

  /// The time between two starts of the machine.
  package static var boot: String { Journal.currentBoot() }

  /// Adds what `records` and the plan that they follow from hang on in the store and in source files.
  /// False where something is not as it should be, or cannot be told at a glance.
  package func add(_ records: some Sequence<Record>, to snapshot: inout Snapshot) -> Bool {
    let (sights, extent, path) = observed
    for (path, sight) in sights {
      guard snapshot.add(sight, at: path) else { return false }
    }
    snapshot.add(inode: extent.inode, size: extent.size, at: path)
    var known: Set<Digest> = []
    for record in records where known.insert(record.artifact).inserted {
      let folder = self.path(of: record.artifact)
      guard !record.files.isEmpty else {
        guard snapshot.add(stateAt: folder) else { return false }
        continue
      }
      for file in record.files {
        let path = folder + "/" + file.path
        guard let state = try? FileState(path: path, followingLinks: false), state.isRegular,
          state.size == file.size
        else { return false }
        snapshot.add(state, at: path, followingLinks: false)
      }
    }
    return true
  }
}
