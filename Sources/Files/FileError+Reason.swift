//! The operating system's words for an errno.

import Glibc

extension FileError {
  /// "No such file or directory".
  package static func reason(_ code: Int32) -> String {
    // strerror's text for a known code is constant; an unknown one's is a buffer of the thread.
    guard let text = strerror(code) else { return "error \(code)" }
    return String(cString: text)
  }

  /// The error of the call that has just failed.
  static func last(_ operation: String, _ path: String) -> FileError {
    .system(operation: operation, path: path, code: errno)
  }
}
