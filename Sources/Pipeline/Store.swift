//! Finished stages and their outputs, shared by all processes that name the same folder; knows no
//! stage graph and starts nothing.

import CPlatform
import Diagnostics
package import Files
import Glibc
import Synchronization

/// The cache: `artifacts/DIGEST/`, the journal that says which keys lead there, what is remembered of
/// source files, logs, and the folders of what still runs.
///
/// Nothing in it has to be unlocked or repaired after a crash. An output is filled in a temporary
/// folder, renamed to its digest and then recorded, so each record names a whole artifact.
package final class Store: Sendable {
  package let root: String
  private let state: Mutex<State>

  private struct State {
    var journal: Journal
    var digests: SourceDigests
    var session: TemporarySession?
    var isPrepared = false
    var isUnsynced = false
    var run: String?
    var verified: Set<Digest> = []
  }

  /// Touches nothing but the journal; folders are made when something is first written.
  package convenience init(root: String) throws {
    try self.init(root: root, boot: Journal.currentBoot())
  }

  /// `boot` names the time since the machine last lost its memory; tests make it up.
  package init(root: String, boot: String) throws {
    self.root = root
    var journal = Journal(path: root + "/journal", boot: boot)
    try journal.refresh()
    state = Mutex(State(journal: journal, digests: SourceDigests(path: root + "/sources")))
  }

  deinit { state.withLock { $0.session?.remove() } }

  /// From now on records say that this run made them.
  package func setRun(_ id: String) { state.withLock { $0.run = id } }

  /// Where an artifact's files lie.
  package func path(of artifact: Digest) -> String { root + "/artifacts/" + artifact.hex }

  /// Where the worker's standard error of the run with this key goes.
  package func logPath(for key: Digest) -> String { root + "/logs/" + key.hex + ".log" }

  /// What a killed run with this key may have left for the next one.
  package func checkpointPath(for key: Digest) -> String { root + "/checkpoints/" + key.hex }

  /// The newest usable record for `key`, also of other processes.
  package func record(for key: Digest) -> Record? {
    if case .usable(let record)? = try? lookup(key, refreshing: true) { record } else { nil }
  }

  /// All records, the oldest first, whether or not their artifacts are still whole.
  package var records: [Record] { state.withLock { $0.journal.records } }

  /// Takes in what other processes have recorded.
  package func refresh() throws { try state.withLock { try $0.journal.refresh() } }
}

// MARK: - Finding

extension Store {
  /// What the journal has for a key.
  enum Lookup {
    case nothing
    case usable(Record)
    case unusable(Record, Record.Damage)
  }

  func lookup(_ key: Digest, refreshing: Bool = false) throws -> Lookup {
    try state.withLock { state in
      if refreshing { try state.journal.refresh() }
      guard let (number, record) = state.journal.record(for: key) else { return .nothing }
      if let damage = try cheaplyFoundDamage(of: record) { return .unusable(record, damage) }
      if state.journal.isCovered(number) || state.verified.contains(record.artifact) {
        return .usable(record)
      }
      // The machine went down before a sync: the names may be there without the bytes.
      guard
        try Self.digest(
          of: Tree(of: path(of: record.artifact), followingLinks: false),
          in: path(of: record.artifact)) == record.artifact
      else { return .unusable(record, .changed(path: path(of: record.artifact))) }
      state.verified.insert(record.artifact)
      return .usable(record)
    }
  }

  /// Whether the journal has any record for `key`, usable or not.
  func knows(_ key: Digest) -> Bool {
    state.withLock { $0.journal.record(for: key) != nil }
  }

  /// What a run with this key wrote, be it still there or not.
  func artifact(for key: Digest) -> Digest? {
    state.withLock { $0.journal.record(for: key)?.1.artifact }
  }

  /// Missing files and other sizes; the bytes are not read.
  private func cheaplyFoundDamage(of record: Record) throws -> Record.Damage? {
    let folder = path(of: record.artifact)
    if record.files.isEmpty, !Files.isDirectory(folder) { return .missing(path: folder) }
    for file in record.files {
      let path = folder + "/" + file.path
      guard let state = try FileState(path: path, followingLinks: false) else {
        return .missing(path: path)
      }
      guard state.isRegular, state.size == file.size else { return .changed(path: path) }
    }
    return nil
  }

  /// The digest of a source file or folder; nil where there is none.
  package func digest(ofSource path: String) throws -> Digest? {
    try state.withLock { try $0.digests.digest(of: path) }
  }

  /// What was seen of source files, and of the journal at its path.
  var observed:
    (sources: [String: SourceDigests.Sight], journal: (inode: UInt64, size: Int), path: String)
  {
    state.withLock { ($0.digests.sights, $0.journal.extent, $0.journal.path) }
  }

  /// Keeps the digests of source files for later runs; a store that cannot be written does without.
  func saveSourceDigests() {
    guard (try? prepare()) != nil else { return }
    state.withLock { try? $0.digests.save() }
  }
}

// MARK: - Publishing

extension Store {
  /// Moves `directory` into the store and records it under `keys`; the same bytes are kept once.
  ///
  /// `directory` must come from `temporaryDirectory()`, a rename cannot leave its file system.
  package func publish(
    directory: String, keys: [Digest], manifest: Manifest, metrics: JSONValue? = nil,
    seconds: Double, name: String = "", allowsEmpty: Bool = false
  ) throws -> Record {
    let tree = try Tree(of: directory, followingLinks: false)
    guard allowsEmpty || !tree.files.isEmpty else { throw PipelineError.outputEmpty(stage: name) }
    let artifact = try Self.digest(of: tree, in: directory)
    try prepare()
    // An artifact is never changed again; a slip of an editor shall not change it either.
    for file in tree.files { chmod(directory + "/" + file.path, 0o444) }
    try move(directory, to: artifact)
    var payload = [
      "manifest": manifest.json, "metrics": Self.spellable(metrics ?? .object([:])),
    ]
    payload["run"] = state.withLock { $0.run }.map { .string($0) }
    let record = Record(
      artifact: artifact, keys: keys, name: Record.spelled(name: name), seconds: seconds,
      files: tree.files.map { Record.File(path: $0.path, size: $0.state.size) },
      kindTag: Record.tag(ofKind: manifest.kind), boot: state.withLock { $0.journal.boot },
      payload: JSONValue.object(payload).line[...])
    try append(record)
    return record
  }

  /// Lets an existing record answer to further keys, as after an early cutoff.
  func alias(_ record: Record, keys: [Digest], name: String) throws {
    try self.record(record, keys: keys, name: name, payload: record.payload)
  }

  /// Lets an existing output answer to further keys, with other words about it.
  func record(_ record: Record, keys: [Digest], name: String, payload: JSONValue) throws {
    try self.record(
      record, keys: keys, name: name, payload: payload.line[...])
  }

  private func record(
    _ record: Record, keys: [Digest], name: String, payload: ArraySlice<UInt8>
  ) throws {
    try prepare()
    try append(
      Record(
        artifact: record.artifact, keys: keys, name: Record.spelled(name: name),
        seconds: record.seconds, files: record.files, kindTag: record.kindTag,
        boot: state.withLock { $0.journal.boot }, payload: payload))
  }

  private func append(_ record: Record) throws {
    try state.withLock {
      try $0.journal.append(.record(record))
      $0.isUnsynced = true
    }
  }

  private func move(_ directory: String, to artifact: Digest) throws {
    let target = path(of: artifact)
    if rename(directory, target) == 0 { return }
    guard errno == ENOTEMPTY || errno == EEXIST else {
      throw LibraryError(library: "libc", call: "rename", code: Int(errno), path: directory)
    }
    // Somebody else made the same bytes, or these are the remains of a damaged artifact.
    let found = try? Self.digest(of: Tree(of: target, followingLinks: false), in: target)
    if found == artifact {
      try Files.remove(directory)
      return
    }
    let ruin = try temporaryDirectory()
    guard rename(target, ruin) == 0 || errno == ENOENT else {
      throw LibraryError(library: "libc", call: "rename", code: Int(errno), path: target)
    }
    guard rename(directory, target) == 0 else {
      throw LibraryError(library: "libc", call: "rename", code: Int(errno), path: directory)
    }
    try Files.remove(ruin)
  }

  private static func digest(of tree: Tree, in folder: String) throws -> Digest {
    try Tree.digest(of: tree.files.map { ($0.path, $0.state.size) }) {
      try Files.digest(ofFile: folder + "/" + $0)
    }
  }

  /// `value` without the numbers that JSON cannot spell.
  private static func spellable(_ value: JSONValue) -> JSONValue {
    switch value {
    case .double(let number) where !number.isFinite: .string(number.description)
    case .array(let elements): .array(elements.map(spellable))
    case .object(let members): .object(members.mapValues(spellable))
    default: value
    }
  }

  /// Writes the journal anew with these records, whose outputs are whole. Nobody else may use the
  /// store.
  func rewriteJournal(keeping isKept: (Record) -> Bool) throws {
    try state.withLock { try $0.journal.rewrite(keeping: isKept, sync: syncFiles) }
  }

  private func syncFiles() throws {
    let folder = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    defer { if folder >= 0 { close(folder) } }
    guard folder >= 0, syncfs(folder) == 0 else {
      throw LibraryError(library: "libc", call: "syncfs", code: Int(errno), path: root)
    }
  }

  /// Makes everything published so far survive a loss of power. Does nothing if nothing was.
  package func sync() throws {
    let covered: Int? = try state.withLock { state in
      guard state.isUnsynced else { return nil }
      state.isUnsynced = false
      return try state.journal.size()
    }
    guard let covered else { return }
    do {
      // Outside the lock: it may take seconds, and others go on publishing.
      try syncFiles()
      try state.withLock { try $0.journal.append(.sync(offset: covered)) }
    } catch {
      state.withLock { $0.isUnsynced = true }
      throw error
    }
  }
}

// MARK: - Running

extension Store {
  /// The right to run the stage with this key, nil while another process or task has it.
  package func tryLock(_ key: Digest) throws -> HeldLock? {
    try prepare()
    return try HeldLock.tryAcquire(byte: key.prefix, of: root + "/running")
  }

  /// A new empty folder on the store's file system; it is removed some time after this process ends.
  package func temporaryDirectory() throws -> String {
    try prepare()
    return try state.withLock { state in
      if state.session == nil { state.session = try TemporarySession(in: root + "/tmp") }
      guard let session = state.session else { preconditionFailure("the session was just made") }
      return try session.newFolder()
    }
  }

  /// Held by whoever plans and runs: nothing that they found is cleared away meanwhile.
  package func use() throws -> HeldLock {
    try prepare()
    return try Self.use(existing: root)
  }

  /// The same for a store that was written to before.
  package static func use(existing root: String) throws -> HeldLock {
    try HeldLock.share(file: root + "/in-use")
  }

  /// The right to clear away; nil while somebody uses the store.
  func tryOwn() throws -> HeldLock? {
    try prepare()
    return try HeldLock.tryOwn(file: root + "/in-use")
  }

  private func prepare() throws {
    try state.withLock { state in
      guard !state.isPrepared else { return }
      for folder in ["artifacts", "tmp", "logs", "checkpoints"] {
        try Files.createDirectories(root + "/" + folder)
      }
      state.isPrepared = true
    }
  }
}
