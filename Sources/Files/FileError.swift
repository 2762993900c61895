//! What can go wrong with a file, as facts.

/// A failed file operation: what was tried, on which path, and why it failed.
package enum FileError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A system call failed with an errno.
  case system(operation: String, path: String, code: Int32)
  case tooLarge(path: String, bytes: Int, limit: Int)
  case isDirectory(path: String)
  /// A device, pipe or socket where a file was wanted.
  case notAFile(path: String)
  /// There are fewer bytes than when the file was opened.
  case endsEarly(path: String, offset: Int)

  package var path: String {
    switch self {
    case .system(_, let path, _), .tooLarge(let path, _, _), .isDirectory(let path),
      .notAFile(let path), .endsEarly(let path, _):
      path
    }
  }

  package var description: String {
    switch self {
    case .system(let operation, let path, let code):
      "\(path): cannot \(operation): \(Self.reason(code))"
    case .tooLarge(let path, let bytes, let limit):
      "\(path): \(bytes) bytes, more than the \(limit) that are read at most"
    case .isDirectory(let path): "\(path): is a directory, not a file"
    case .notAFile(let path): "\(path): is no regular file"
    case .endsEarly(let path, let offset): "\(path): ends at offset \(offset), and more is expected"
    }
  }
}
