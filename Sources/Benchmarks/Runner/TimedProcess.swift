//! A program from its start to its end: how long, and how it ended. Knows no tool.

import Glibc

/// How a program went.
struct TimedProcess {
  var seconds: Double
  /// The exit code; 128 and the signal where one ended it.
  var code: Int32
  /// The last of what it printed, on either stream.
  var said: String

  enum Failure: Error, CustomStringConvertible {
    case notStarted(program: String, code: Int32)

    var description: String {
      switch self {
      case .notStarted(let program, let code):
        "\(program) was not started: \(String(cString: strerror(code)))"
      }
    }
  }

  /// Runs `words` in `folder`; the program is found by `variables`' PATH where it has no slash.
  init(_ words: [String], in folder: String, variables: [String: String]) throws {
    let path = variables["PATH"] ?? "/usr/bin:/bin"
    let program = Self.find(words[0], path)
    let log = folder + "/output.txt"
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    var environment: [UnsafeMutablePointer<CChar>?] =
      variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in arguments + environment { free(text) } }
    // A program starts where this process is: nothing else runs in it meanwhile.
    let here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    defer { close(here) }
    guard here >= 0, chdir(folder) == 0 else {
      throw Failure.notStarted(program: words[0], code: errno)
    }
    var process = pid_t()
    let clock = ContinuousClock()
    let start = clock.now
    let started = posix_spawn(&process, program, &actions, nil, &arguments, &environment)
    fchdir(here)
    guard started == 0 else { throw Failure.notStarted(program: words[0], code: started) }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    seconds = (clock.now - start) / .seconds(1)
    code = status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
    said = Self.lastLine(of: log)
  }

  private static func find(_ program: String, _ path: String) -> String {
    guard !program.contains("/") else { return program }
    let candidates = path.split(separator: ":").map { "\($0)/" + program }
    let found = candidates.first { access($0, X_OK) == 0 }
    return found ?? program
  }

  private static func lastLine(of path: String) -> String {
    guard let file = fopen(path, "r") else { return "" }
    defer { fclose(file) }
    fseek(file, 0, SEEK_END)
    fseek(file, max(0, ftell(file) - 2000), SEEK_SET)
    var bytes = [UInt8](repeating: 0, count: 2000)
    let count = fread(&bytes, 1, bytes.count, file)
    let text = String(decoding: bytes.prefix(count), as: UTF8.self)
    return text.split(separator: "\n").last.map(String.init) ?? ""
  }
}
