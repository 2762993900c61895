//! Where the program that runs stages lies. Knows nothing of what it does.

import Glibc

enum Worker {
  /// `$SHIFTWORK_WORKER`, else beside this program.
  static var path: String {
    if let path = Environment["SHIFTWORK_WORKER"] { return path }
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink("/proc/self/exe", &buffer, buffer.count)
    guard count > 0 else { return "shiftwork-worker" }
    let own = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return own.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/shiftwork-worker"
  }
}
