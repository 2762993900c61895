//! One URL's bytes, appended to a file, by the program curl. Knows no data set.

import Files
import Glibc
import Subprocess
import SystemPackage

/// Starts curl and writes what it prints: the file is this process's alone, so that a curl that
/// outlives it writes nowhere, and a full disk is known by its error.
struct Curl {
  /// From SIGTERM to SIGKILL.
  private static let patience = Duration.seconds(2)

  let url: String
  let part: String
  /// Receives curl's words.
  let log: String

  /// How a transfer ended.
  enum Ending: Equatable {
    case done
    /// The server does not give parts of a file.
    case noRanges
    case failed(said: String)
  }

  /// Fetches what lies behind the bytes that `part` has.
  ///
  /// - Parameter report: told how many bytes `part` has now.
  /// - Throws: `FileError` where `part` cannot be written; `DownloadError.noCurl`.
  func fetch(report: @Sendable (Int) -> Void) async throws -> Ending {
    let start = Files.size(of: part) ?? 0
    let descriptor = open(part, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      throw FileError.system(operation: "write", path: part, code: errno)
    }
    defer { close(descriptor) }
    let words = try FileDescriptor.open(
      FilePath(log), .writeOnly, options: [.create, .truncate, .closeOnExec],
      permissions: [.ownerReadWrite])
    defer { try? words.close() }
    let status = try await run(from: start, to: descriptor, words: words, report: report)
    switch status {
    case .exited(0): return .done
    case .exited(33): return .noRanges
    case .exited(let code): return .failed(said: said(or: "curl ended with code \(code)"))
    case .signaled(let signal): return .failed(said: "curl was ended by signal \(signal)")
    }
  }

  private func run(
    from start: Int, to descriptor: Int32, words: FileDescriptor, report: @Sendable (Int) -> Void
  ) async throws -> TerminationStatus {
    var options = PlatformOptions()
    options.processGroupID = 0
    options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: Self.patience)]
    do {
      return try await Subprocess.run(
        .name("curl"), arguments: Arguments(arguments(from: start)), platformOptions: options,
        input: .none, output: .sequence,
        error: .fileDescriptor(words, closeAfterSpawningProcess: false)
      ) { execution in
        var count = start
        for try await buffer in execution.standardOutput {
          count += try buffer.withUnsafeBytes { try put($0, descriptor) }
          report(count)
        }
      }.terminationStatus
    } catch let error as SubprocessError {
      try Task.checkCancellation()
      throw DownloadError.noCurl(why: "\(error)")
    }
  }

  /// The user's ~/.curlrc is not read: it could send the bytes elsewhere.
  private func arguments(from start: Int) -> [String] {
    let secure = url.hasPrefix("https://")
    return [
      "--disable", "--fail", "--location", "--silent", "--show-error", "--globoff",
      "--proto", "=http,https", "--proto-redir", secure ? "=https" : "=http,https",
      "--connect-timeout", "30", "--speed-limit", "1", "--speed-time", "60",
    ] + (start > 0 ? ["--continue-at", "\(start)"] : []) + ["--", url]
  }

  private func put(_ bytes: UnsafeRawBufferPointer, _ descriptor: Int32) throws -> Int {
    var done = 0
    while done < bytes.count {
      let count = write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else {
        throw FileError.system(operation: "write", path: part, code: errno)
      }
      done += count
    }
    return done
  }

  /// curl's last line, without its name in front.
  private func said(or fallback: String) -> String {
    guard let bytes = try? Files.read(log, limit: 1 << 20) else { return fallback }
    let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
    guard let line = lines.last(where: { $0.hasPrefix("curl: ") }) ?? lines.last else {
      return fallback
    }
    return String(line.hasPrefix("curl: ") ? line.dropFirst(6) : line)
  }
}
