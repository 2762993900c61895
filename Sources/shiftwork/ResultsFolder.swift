//! `results/PIPELINE/`: what people read, copied out of the cache. Knows files, not what they say.

import CPlatform
import Files
import Glibc
import Synchronization

/// The folder of one pipeline's results.
///
/// A run whose stages are all there already should not look at every file: `.index` remembers how each
/// stage's folders looked when they were filled. It is written at the end, so that after a kill the
/// next run copies again. A folder shows that a file came, went or was
/// replaced; what somebody writes into a file that stays is theirs until the stage's output changes.
final class ResultsFolder: Sendable {
  let path: String
  private static let indexName = ".index"
  /// Larger files stay in the cache.
  private static let sizeLimit = 16 << 20
  /// Prepared examples are for stages, not for people.
  private static let hiddenSuffix = ".samples"

  private struct State {
    var stages: [String: Entry]
    var report: JSONValue?
    var isChanged = false
  }

  /// What a stage's folder holds, and how it and those in it looked.
  private struct Entry: Hashable {
    var artifact: Digest
    var files: [String]
    var folders: [String: Stamp]
  }

  private let state: Mutex<State>

  init(path: String) {
    self.path = path
    state = Mutex(Self.read("\(path)/\(Self.indexName)"))
  }

  func folder(of stage: String) -> String { "\(path)/\(stage)" }

  /// Copies an artifact's small files, unless they are there already.
  ///
  /// - Parameter beside: further files, which no artifact may hold; asked for when files are copied.
  func materialise(
    stage: String, artifact: Digest, from source: String,
    beside: () throws -> [(name: String, text: String)] = { [] }
  ) throws {
    let folder = folder(of: stage)
    if let entry = state.withLock({ $0.stages[stage] }), entry.artifact == artifact,
      entry.folders.allSatisfy({ Stamp(of: "\(folder)/\($0.key)") == $0.value })
    {
      return
    }
    let before = state.withLock { $0.stages[stage] }
    let copied = try Self.smallFiles(of: source)
    let written = try beside()
    let files = copied + written.map(\.name)
    try Files.createDirectories(folder)
    // What an earlier artifact left; files that others put there stay.
    for stale in before?.files ?? [] where !files.contains(stale) {
      let path = "\(folder)/\(stale)"
      if Files.exists(path) { try Files.remove(path) }
    }
    var names: Set<String> = [""]
    for (name, text) in written { try Files.writeAtomically(text, to: "\(folder)/\(name)") }
    for file in copied {
      if let slash = file.lastIndex(of: "/") {
        try Files.createDirectories("\(folder)/\(file[..<slash])")
      }
      try Files.copy("\(source)/\(file)", to: "\(folder)/\(file)")
      var rest = file[...]
      while let slash = rest.lastIndex(of: "/") {
        rest = rest[..<slash]
        names.insert(String(rest))
      }
    }
    var folders: [String: Stamp] = [:]
    for name in names { folders[name] = Stamp(of: "\(folder)/\(name)") }
    state.withLock { state in
      state.stages[stage] = Entry(artifact: artifact, files: files, folders: folders)
      state.isChanged = true
    }
  }

  /// The paths that show whether the results of these stages and the report are as they were
  /// written; nil where one of them is not.
  func watched(_ stages: some Sequence<String>) -> [String]? {
    state.withLock { state in
      var paths = ["\(path)/\(Self.indexName)"]
      for stage in stages {
        guard let entry = state.stages[stage] else { return nil }
        for (name, stamp) in entry.folders {
          let folder = name.isEmpty ? self.folder(of: stage) : "\(self.folder(of: stage))/\(name)"
          guard Stamp(of: folder) == stamp else { return nil }
          paths.append(folder)
        }
      }
      guard case .object(let files)? = state.report?["files"] else { return nil }
      for (name, stamp) in files {
        guard Stamp(of: "\(path)/\(name)")?.json == stamp else { return nil }
        paths.append("\(path)/\(name)")
      }
      return paths
    }
  }

  // MARK: The report

  /// Whether the report that `identity` stands for is there, as it was written.
  func hasReport(_ identity: Digest) -> Bool {
    guard case .object(let report)? = state.withLock({ $0.report }),
      report["identity"] == .string(identity.hex), case .object(let files)? = report["files"]
    else { return false }
    return files.allSatisfy { Stamp(of: "\(path)/\($0.key)")?.json == $0.value }
  }

  /// Writes the files of a report, unless they say just that already.
  func write(_ files: [(name: String, text: String)], identity: Digest) throws {
    var stamps: [String: JSONValue] = [:]
    for (name, text) in files {
      try write(text, to: name)
      stamps[name] = Stamp(of: "\(path)/\(name)")?.json
    }
    state.withLock { state in
      state.report = .object(["identity": .string(identity.hex), "files": .object(stamps)])
      state.isChanged = true
    }
  }

  private func write(_ text: String, to name: String) throws {
    let file = "\(path)/\(name)"
    if let bytes = try? Files.read(file, limit: Self.sizeLimit), bytes == Array(text.utf8) {
      return
    }
    try Files.createDirectories(path)
    try Files.writeAtomically(text, to: file)
  }

  // MARK: The index

  /// Hands what was seen to later runs. Without it they look at every file again.
  func save() {
    let text: [UInt8]? = state.withLock { state in
      guard state.isChanged else { return nil }
      state.isChanged = false
      var bytes: [UInt8] = []
      for (stage, entry) in state.stages.sorted(by: { $0.key < $1.key }) {
        bytes +=
          JSONValue.object([
            "stage": .string(stage), "artifact": .string(entry.artifact.hex),
            "files": .array(entry.files.map { .string($0) }),
            "folders": .object(entry.folders.mapValues(\.json)),
          ]).line
        bytes.append(10)
      }
      if let report = state.report { bytes += JSONValue.object(["report": report]).line + [10] }
      return bytes
    }
    if let text { try? Files.writeAtomically(text, to: "\(path)/\(Self.indexName)") }
  }

  /// The stages whose results lie in `path` or below it, by their folders' names, sorted; `path` may be
  /// a pipeline's folder, a point's or a stage's.
  static func stages(below path: String) -> [(stage: String, artifact: Digest)] {
    var (top, inner) = (path[...], "")
    while top.last == "/" { top = top.dropLast() }
    while !Files.exists("\(top)/\(indexName)") {
      guard let slash = top.lastIndex(of: "/") else { return [] }
      let name = top[top.index(after: slash)...]
      inner = inner.isEmpty ? String(name) : "\(name)/\(inner)"
      top = top[..<slash]
    }
    let last = inner.split(separator: "/").last.map(String.init) ?? ""
    return read("\(top)/\(indexName)").stages.compactMap { stage, entry in
      if inner.isEmpty { return (stage, entry.artifact) }
      if stage == inner { return (last, entry.artifact) }
      guard stage.hasPrefix(inner + "/") else { return nil }
      return (String(stage.dropFirst(inner.count + 1)), entry.artifact)
    }.sorted { $0.stage < $1.stage }
  }

  private static func read(_ path: String) -> State {
    var state = State(stages: [:])
    for line in ((try? Files.read(path, limit: 1 << 28)) ?? []).split(separator: 10) {
      guard let value = try? JSONValue(parsing: Array(line)) else { continue }
      state.report = value["report"] ?? state.report
      guard case .string(let stage)? = value["stage"],
        case .string(let artifact)? = value["artifact"], let artifact = Digest(hex: artifact),
        case .array(let files)? = value["files"], case .object(let folders)? = value["folders"]
      else { continue }
      let names = files.compactMap { if case .string(let name) = $0 { name } else { nil } }
      // They become paths to remove: nothing outside the folder.
      state.stages[stage] = Entry(
        artifact: artifact,
        files: names.filter { !$0.hasPrefix("/") && !$0.split(separator: "/").contains("..") },
        folders: folders.compactMapValues(Stamp.init))
    }
    return state
  }

  /// How a file or folder looks from outside.
  private struct Stamp: Hashable {
    var inode: Int
    var size: Int
    var nanoseconds: Int

    /// Nil where there is none.
    init?(of path: String) {
      var status = stat()
      guard stat(path, &status) == 0 else { return nil }
      inode = Int(truncatingIfNeeded: status.st_ino)
      size = Int(status.st_size)
      nanoseconds = status.st_mtim.tv_sec &* 1_000_000_000 &+ status.st_mtim.tv_nsec
    }

    init?(_ json: JSONValue) {
      guard case .array(let numbers) = json, numbers.count == 3, case .int(let inode) = numbers[0],
        case .int(let size) = numbers[1], case .int(let nanoseconds) = numbers[2]
      else { return nil }
      (self.inode, self.size, self.nanoseconds) = (inode, size, nanoseconds)
    }

    var json: JSONValue { .array([.int(inode), .int(size), .int(nanoseconds)]) }
  }

  private static func smallFiles(of folder: String, below prefix: String = "") throws -> [String] {
    var files: [String] = []
    for name in try Files.list(folder) {
      let path = "\(folder)/\(name)"
      if Files.isDirectory(path) {
        files += try smallFiles(of: path, below: "\(prefix)\(name)/")
      } else if let size = Files.size(of: path), size < sizeLimit, !name.hasSuffix(hiddenSuffix) {
        files.append(prefix + name)
      }
    }
    return files
  }
}
