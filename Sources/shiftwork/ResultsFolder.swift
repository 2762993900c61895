//! `results/PIPELINE/`: what people read, copied out of the cache. Knows files, not what they say.

import Files

/// The folder of one pipeline's results.
struct ResultsFolder: Sendable {
  let path: String
  /// Names the artifact whose files a stage's folder holds. It is written last and removed first, so
  /// that after a kill the next run copies again.
  private static let marker = ".artifact"
  /// Larger files stay in the cache.
  private static let sizeLimit = 16 << 20
  /// Prepared examples are for stages, not for people.
  private static let hiddenSuffix = ".samples"

  func folder(of stage: String) -> String { "\(path)/\(stage)" }

  /// Copies an artifact's small files, unless they are there already.
  func materialise(stage: String, artifact: Digest, from source: String) throws {
    let folder = folder(of: stage)
    let marker = "\(folder)/\(Self.marker)"
    let before = Marker(path: marker)
    if let before, before.artifact == artifact.hex,
      before.files.allSatisfy({
        Files.size(of: "\(folder)/\($0)") == Files.size(of: "\(source)/\($0)")
      })
    {
      return
    }
    let files = try Self.smallFiles(of: source)
    try Files.createDirectories(folder)
    if before != nil { try Files.remove(marker) }
    // What an earlier artifact left; files that others put there stay.
    for stale in before?.files ?? [] where !files.contains(stale) {
      let path = "\(folder)/\(stale)"
      if Files.exists(path) { try Files.remove(path) }
    }
    for file in files {
      if let slash = file.lastIndex(of: "/") {
        try Files.createDirectories("\(folder)/\(file[..<slash])")
      }
      try Files.copy("\(source)/\(file)", to: "\(folder)/\(file)")
    }
    try Files.writeAtomically(
      ([artifact.hex] + files).joined(separator: "\n") + "\n", to: marker)
  }

  /// Writes a file unless it says just that already.
  func write(_ text: String, to name: String) throws {
    let file = "\(path)/\(name)"
    if let bytes = try? Files.read(file, limit: Self.sizeLimit), bytes == Array(text.utf8) {
      return
    }
    try Files.createDirectories(path)
    try Files.writeAtomically(text, to: file)
  }

  /// The digest, then a file a line.
  private struct Marker {
    var artifact: String
    var files: [String]

    init?(path: String) {
      guard let bytes = try? Files.read(path, limit: 1 << 20) else { return nil }
      let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
      // The lines become paths to remove: nothing outside the folder.
      let files = lines.dropFirst().filter { line in
        !line.hasPrefix("/") && !line.split(separator: "/").contains("..")
      }
      artifact = lines.first ?? ""
      self.files = Array(files)
    }
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
