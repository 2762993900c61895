//! A program that runs while its test goes on, and the processes that it started. Knows no format.

import Foundation
import Glibc

/// A started program with its output so far.
package final class RunningCommand {
  private let process: Process
  private let streams: [String]

  /// Starts one of the package's programs in `workspace`.
  package init(
    _ program: String, _ arguments: [String], in workspace: Workspace,
    environment: [String: String] = [:]
  ) throws {
    process = Process()
    process.executableURL = URL(fileURLWithPath: Workspace.products + "/" + program)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: workspace.root)
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    process.environment = ["PATH": path].merging(environment) { _, own in own }
    streams = (0..<2).map { _ in NSTemporaryDirectory() + "/" + UUID().uuidString }
    let handles = try streams.map { path in
      _ = FileManager.default.createFile(atPath: path, contents: nil)
      return try FileHandle(forUpdating: URL(fileURLWithPath: path))
    }
    process.standardOutput = handles[0]
    process.standardError = handles[1]
    process.standardInput = FileHandle.nullDevice
    try process.run()
    for handle in handles { try handle.close() }
  }

  deinit {
    if process.isRunning { killAll() }
    for path in streams { try? FileManager.default.removeItem(atPath: path) }
  }

  package var isRunning: Bool { process.isRunning }

  /// What it has printed so far.
  package var out: String { text(0) }

  private func text(_ stream: Int) -> String {
    let bytes = try? Data(contentsOf: URL(fileURLWithPath: streams[stream]))
    return String(decoding: bytes ?? Data(), as: UTF8.self)
  }

  /// Looks at the output again and again until it is as wanted or the program has ended.
  package func waitUntil(_ isAsWanted: (String) -> Bool) {
    while process.isRunning, !isAsWanted(out) { usleep(10_000) }
  }

  package func wait() -> CommandOutcome {
    process.waitUntilExit()
    return CommandOutcome(code: process.terminationStatus, out: text(0), error: text(1))
  }

  /// SIGKILL to the program alone, as the system's memory killer does it.
  package func killLeader() {
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// SIGKILL to the program and to all that it started, at once.
  package func killAll() {
    // Nothing new can start from a stopped program.
    kill(process.processIdentifier, SIGSTOP)
    let all = Self.descendants(of: process.processIdentifier)
    for process in all { kill(process, SIGKILL) }
    killLeader()
  }

  /// Ends it as Ctrl-C does.
  package func interrupt() { kill(process.processIdentifier, SIGINT) }

  private static func descendants(of leader: pid_t) -> [pid_t] {
    var parents: [pid_t: pid_t] = [:]
    for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
      guard let process = pid_t(name),
        let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
      else { continue }
      // "pid (name) state parent ...", and a name may hold anything.
      let fields = status.split(separator: ")").last?.split(separator: " ") ?? []
      if fields.count > 1 { parents[process] = pid_t(fields[1]) }
    }
    var found: [pid_t] = []
    var next = [leader]
    while let parent = next.popLast() {
      let children = parents.filter { $0.value == parent }.map(\.key)
      found += children
      next += children
    }
    return found
  }
}
