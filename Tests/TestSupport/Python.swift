//! The system's python3, for scripts that need no package.

import Foundation

/// Runs and keeps scripts.
package enum Python {
  package struct Failed: Error { package var code: Int32 }

  /// Runs a script to its end.
  package static func run(_ script: String, _ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", script] + arguments
    process.standardInput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failed(code: process.terminationStatus) }
  }
}

/// Tests/Fixtures/data/range_server.py, running as long as the value lives.
package final class RangeServer: Sendable {
  package let url: String
  private let process: Process
  private let input: Pipe
  private let folder: String

  /// - Parameters:
  ///   - folder: whose files it gives; it keeps requests.log there.
  ///   - mode: `plain`, `break=N`, `norange`, `slow=N`.
  package init(folder: String, mode: String = "plain") throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", TestPaths.fixtures + "/data/range_server.py", folder, mode]
    let output = Pipe()
    let input = Pipe()
    process.standardOutput = output
    process.standardInput = input
    // Programs that a test starts and kills may live on in their children, and must not hold these.
    for handle in [input.fileHandleForWriting, output.fileHandleForReading] {
      _ = fcntl(handle.fileDescriptor, F_SETFD, FD_CLOEXEC)
    }
    try process.run()
    var line: [UInt8] = []
    while let byte = try output.fileHandleForReading.read(upToCount: 1)?.first, byte != 10 {
      line.append(byte)
    }
    url = "http://127.0.0.1:" + String(decoding: line, as: UTF8.self)
    self.process = process
    self.input = input
    self.folder = folder
  }

  deinit {
    try? input.fileHandleForWriting.close()
    process.waitUntilExit()
  }

  /// `FILE OFFSET` of each request.
  package var requests: [String] {
    let text = (try? String(contentsOfFile: folder + "/requests.log", encoding: .utf8)) ?? ""
    return text.split(separator: "\n").map(String.init)
  }
}
