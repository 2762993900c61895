//! Fetches a data set's archives, checks them, has them unpacked, and puts the result in its place
//! in one step. Knows neither how to unpack nor what the files mean.

package import Catalogue
import Files
import Glibc
package import Pipeline

/// How far a fetch is.
package enum DownloadEvent: Hashable, Sendable {
  /// The archive's contents are there already.
  case present(target: String)
  case downloading(file: String, bytes: Int, of: Int?)
  case checking(file: String, bytes: Int)
  /// Nobody publishes a checksum, so only the archive's own were looked at.
  case unchecked(file: String)
  case unpacking(file: String, message: String)
  case placed(target: String)
}

/// Fetches into one data folder.
package struct Downloader: Sendable {
  /// A URL that the archives lie below, in place of their own.
  package var mirror: String?
  /// Attempts without a single new byte before it gives up.
  package var retries = 4
  package var keepsArchives = false

  private let data: String
  private let runner: any StageRunner
  private let report: @Sendable (DownloadEvent) -> Void

  /// - Parameters:
  ///   - data: the data folder; it is made where it is missing.
  ///   - runner: what does a `Chore`.
  package init(
    data: String, runner: any StageRunner, report: @escaping @Sendable (DownloadEvent) -> Void
  ) {
    self.data = data
    self.runner = runner
    self.report = report
  }

  private var workshop: String { data + "/.downloads" }

  /// Fetches what is missing. A data set that is there and differs is left as it is.
  package func get(_ set: DataSet) async throws {
    if try Inventory(of: set, in: data).state == .complete {
      for archive in set.archives { report(.present(target: data + "/" + archive.target)) }
      return
    }
    guard !set.archives.isEmpty else { throw DownloadError.noArchives(name: set.name) }
    try Files.createDirectories(workshop)
    guard let lock = try FileLock.tryLock(path: workshop + "/\(set.name).lock") else {
      throw DownloadError.inUse(name: set.name)
    }
    defer { withExtendedLifetime(lock) {} }
    for archive in set.archives { try await get(archive, of: set) }
    let inventory = try Inventory(of: set, in: data)
    guard inventory.state == .complete else {
      throw DownloadError.notWhole(
        name: set.name,
        faults: inventory.entries.compactMap { entry in
          entry.fault.map { "\(data)/\(entry.place.path) \($0)" }
        })
    }
  }

  private func get(_ archive: Archive, of set: DataSet) async throws {
    let target = data + "/" + archive.target
    // It appears whole or not at all, so what is there needs no second download.
    if Files.exists(target) {
      report(.present(target: target))
      return
    }
    let file = workshop + "/\(set.name)-\(archive.fileName)"
    if !Files.exists(file) { try await download(archive, to: file) }
    if archive.isPlainFile == true {
      try Files.createDirectories(folder(of: target))
      try Files.move(file, to: target)
    } else {
      try await unpack(file, archive, into: target)
      if !keepsArchives { try Files.remove(file) }
    }
    report(.placed(target: target))
  }

  // MARK: Download

  private func download(_ archive: Archive, to file: String) async throws {
    let part = file + ".part"
    let url = address(of: archive)
    if let bytes = archive.bytes {
      if let size = Files.size(of: part), size > bytes { try Files.remove(part) }
      let needed = bytes - (Files.size(of: part) ?? 0)
      if let free = Files.freeBytes(at: workshop), free < needed {
        throw DownloadError.diskTooSmall(path: workshop, needed: needed, free: free)
      }
    }
    if archive.bytes == nil || Files.size(of: part) != archive.bytes {
      try await fetch(url, to: part, archive)
    }
    let size = Files.size(of: part) ?? 0
    if let bytes = archive.bytes, size != bytes {
      try Files.remove(part)
      throw DownloadError.wrongSize(url: url, found: size, expected: bytes)
    }
    if let checksum = archive.checksum {
      let found = try Checksum(ofFile: part, by: checksum.algorithm) {
        try Task.checkCancellation()
        report(.checking(file: archive.fileName, bytes: $0))
      }
      guard found == checksum else {
        try Files.remove(part)
        throw DownloadError.wrongChecksum(url: url, found: found, expected: checksum)
      }
    } else {
      report(.unchecked(file: archive.fileName))
    }
    try Files.move(part, to: file)
  }

  private func address(of archive: Archive) -> String {
    guard let mirror else { return archive.url }
    return mirror + (mirror.hasSuffix("/") ? "" : "/") + archive.fileName
  }

  /// Again and again as long as bytes come.
  private func fetch(_ url: String, to part: String, _ archive: Archive) async throws {
    let log = part + ".log"
    defer { unlink(log) }
    let curl = Curl(url: url, part: part, log: log)
    var idle = 0
    while true {
      let before = Files.size(of: part) ?? 0
      let ending = try await curl.fetch { bytes in
        report(.downloading(file: archive.fileName, bytes: bytes, of: archive.bytes))
      }
      try Task.checkCancellation()
      let kept = Files.size(of: part) ?? 0
      switch ending {
      case .done: return
      case .noRanges:
        // It begins anew, once: a server that gave the first part gives the whole.
        try Files.remove(part)
        idle += 1
      case .failed(let said):
        idle = kept > before ? 0 : idle + 1
        guard idle <= retries, retries > 0, !Self.isFinal(said) else {
          throw DownloadError.brokenOff(url: url, said: said, kept: kept, part: part)
        }
        try await Task.sleep(for: .milliseconds(idle == 0 ? 100 : 500 << min(idle, 6)))
      }
    }
  }

  /// Whether the server said that it will never give the file: HTTP's 4xx.
  private static func isFinal(_ said: String) -> Bool {
    said.hasPrefix("(22) ") && said.contains("error: 4") || said.hasPrefix("(1) ")
      || said.hasPrefix("(3) ")
  }

  // MARK: Unpacking

  private func unpack(_ file: String, _ archive: Archive, into target: String) async throws {
    let parent = folder(of: target)
    let name = String(target.dropFirst(parent.count + 1))
    let temporary = parent + "/.unpacking-" + name
    try Files.createDirectories(parent)
    // What a process that was killed has left.
    if Files.exists(temporary) { try Files.remove(temporary) }
    try Files.createDirectories(temporary)
    let log = temporary + ".log"
    defer {
      unlink(log)
      if Files.exists(temporary) { try? Files.remove(temporary) }
    }
    let limit = archive.unpackedLimit ?? (1 << 30) + 50 * (Files.size(of: file) ?? 0)
    let fields = try JSONValue(encoding: UnpackFields(maximumBytes: limit))
    let task = StageTask(
      name: archive.fileName, kind: Chore.unpack.rawValue, version: 1, fields: fields,
      inputs: [Chore.archive: file], output: temporary, checkpoint: "", store: "",
      unkeyed: .object([:]), log: log)
    _ = try await runner.run(task) { event in
      if case .progress(let progress) = event {
        report(.unpacking(file: archive.fileName, message: progress.message ?? ""))
      }
    }
    let root = archive.folder.map { temporary + "/" + $0 } ?? temporary
    guard Files.isDirectory(root) else {
      throw DownloadError.noFolder(archive: file, folder: archive.folder ?? "")
    }
    try Files.move(root, to: target)
  }

  private func folder(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
  }
}
