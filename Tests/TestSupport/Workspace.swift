//! A folder of a test's own, and commands run in it.

import Foundation

/// A temporary folder that goes with the value.
package final class Workspace: Sendable {
  package let root: String

  package init() throws {
    let path = NSTemporaryDirectory() + "shiftwork-test-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    // Programs print the path without symbolic links.
    root = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
  }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  package func path(_ name: String) -> String { root + "/" + name }

  package func write(_ text: String, to name: String) throws {
    let file = URL(fileURLWithPath: path(name))
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }

  package func read(_ name: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(fileURLWithPath: path(name))), as: UTF8.self)
  }

  package func copy(_ source: String, to name: String) throws {
    try write(
      String(decoding: try Data(contentsOf: URL(fileURLWithPath: source)), as: UTF8.self), to: name)
  }

  /// All files below the folder, sorted, hidden ones too.
  package var files: [String] {
    let found = FileManager.default.enumerator(atPath: root)?.allObjects as? [String] ?? []
    return found.filter { name in
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: path(name), isDirectory: &isFolder)
        && !isFolder.boolValue
    }.sorted()
  }
}

/// How a command ended.
package struct CommandOutcome: Sendable {
  package var code: Int32
  package var out: String
  package var error: String
}

extension Workspace {
  /// The folder that the tests' own executable lies in, and those that it was built with.
  package static let products: String = {
    let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let test = link ?? CommandLine.arguments[0]
    // `swift test` runs the bundle itself or a helper of the toolchain with the bundle's path.
    let bundle =
      CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? test
    return URL(fileURLWithPath: bundle).deletingLastPathComponent().path
  }()

  /// Runs one of the package's programs, or one with an absolute path, here, without the caller's
  /// settings.
  package func run(
    _ program: String, _ arguments: [String], environment: [String: String] = [:]
  ) throws -> CommandOutcome {
    let process = Process()
    process.executableURL = URL(
      fileURLWithPath: program.hasPrefix("/") ? program : Self.products + "/" + program)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: root)
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    process.environment = ["PATH": path].merging(environment) { _, own in own }
    // Files, not pipes: nothing to drain while the program runs.
    let streams = try [UUID(), UUID()].map { id in
      let path = NSTemporaryDirectory() + id.uuidString
      _ = FileManager.default.createFile(atPath: path, contents: nil)
      let handle = try FileHandle(forUpdating: URL(fileURLWithPath: path))
      try FileManager.default.removeItem(atPath: path)
      return handle
    }
    process.standardOutput = streams[0]
    process.standardError = streams[1]
    process.standardInput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    let texts = try streams.map { stream in
      try stream.seek(toOffset: 0)
      return String(decoding: try stream.readToEnd() ?? Data(), as: UTF8.self)
    }
    return CommandOutcome(code: process.terminationStatus, out: texts[0], error: texts[1])
  }
}
