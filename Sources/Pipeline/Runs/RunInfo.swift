//! What a run is: by whom, where, of what. Knows neither its stages nor how it ended.

package import Files
import Glibc

/// One use of `run`, as its folder describes it.
package struct RunInfo: Hashable, Sendable {
  /// It sorts by the time of its beginning: `20261128T101500-k3x9`.
  package let id: String
  package var pipeline: String
  /// The command line.
  package var arguments: [String]
  package var directory: String
  package var host: String
  package var user: String
  package var pid: Int
  package var version: String
  /// Seconds since 1970.
  package var started: Double
  /// How many stages it plans.
  package var stages: Int

  /// A run that begins now, of this process.
  package init(pipeline: String, arguments: [String], version: String, stages: Int) {
    started = WallTime.now
    // The first two digits are of the time, so that runs of one second sort, too.
    let fraction = UInt64((started - started.rounded(.down)) * 1295)
    let mark = String(fraction * 1296 + UInt64.random(in: 0..<1296), radix: 36)
    id =
      WallTime.compact(started) + "-" + String(repeating: "0", count: 4 - mark.count) + mark
    self.pipeline = pipeline
    self.arguments = arguments
    self.version = version
    self.stages = stages
    directory = Self.currentDirectory
    host = Self.currentHost
    user = Self.currentUser
    pid = Int(getpid())
  }

  init?(id: String, _ json: JSONValue) {
    func text(_ key: String) -> String {
      if case .string(let text)? = json[key] { text } else { "" }
    }
    func whole(_ key: String) -> Int { if case .int(let number)? = json[key] { number } else { 0 } }
    switch json["started"] {
    case .double(let seconds)?: started = seconds
    case .int(let seconds)?: started = Double(seconds)
    default: return nil
    }
    self.id = id
    pipeline = text("pipeline")
    directory = text("directory")
    host = text("host")
    user = text("user")
    version = text("version")
    pid = whole("pid")
    stages = whole("stages")
    arguments = []
    if case .array(let words)? = json["arguments"] {
      arguments = words.compactMap { if case .string(let word) = $0 { word } else { nil } }
    }
  }

  package var json: JSONValue {
    .object([
      "id": .string(id), "pipeline": .string(pipeline), "directory": .string(directory),
      "host": .string(host), "user": .string(user), "pid": .int(pid),
      "version": .string(version), "started": .double(started), "stages": .int(stages),
      "arguments": .array(arguments.map { .string($0) }),
    ])
  }

  /// Who runs this process.
  package static var currentUser: String {
    for name in ["USER", "LOGNAME"] {
      if let value = getenv(name), value.pointee != 0 { return String(cString: value) }
    }
    return "user \(getuid())"
  }

  package static var currentHost: String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, buffer.count - 1) == 0 else { return "?" }
    return String(
      decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static var currentDirectory: String {
    guard let path = getcwd(nil, 0) else { return "?" }
    defer { free(path) }
    return String(cString: path)
  }
}
