//! Pythons with packages, each made once and kept beside the build. Knows no package.

package import Foundation

/// An environment of its own.
package struct PythonEnvironment: Sendable {
  private let python: String

  /// nil where there is no python3 with venv, no pip or no network.
  package init?(_ name: String, packages: [String]) {
    let folder = TestPaths.root + "/.build/" + name
    python = folder + "/bin/python"
    let ready = folder + "/ready"
    if FileManager.default.fileExists(atPath: ready) { return }
    try? FileManager.default.removeItem(atPath: folder)
    guard Self.run("/usr/bin/env", ["python3", "-m", "venv", folder]) != nil,
      run(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"] + packages) != nil
    else { return nil }
    _ = FileManager.default.createFile(atPath: ready, contents: nil)
  }

  /// Standard output; nil where the program did not end well.
  package func run(_ arguments: [String]) -> Data? { Self.run(python, arguments) }

  private static func run(_ program: String, _ arguments: [String]) -> Data? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }
    let data = try? output.fileHandleForReading.readToEnd()
    process.waitUntilExit()
    return process.terminationStatus == 0 ? data ?? Data() : nil
  }
}
