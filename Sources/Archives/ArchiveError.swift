//! Why an archive was not unpacked, as facts.

/// A fault of an archive: which file, which entry, what.
package enum ArchiveError: Error, Hashable, Sendable, CustomStringConvertible {
  /// It is no archive of the kinds that are read, is damaged, or is cut off.
  case unreadable(archive: String, reason: String)
  case unsafePath(archive: String, entry: String, why: String)
  case unsafeKind(archive: String, entry: String, kind: String)
  /// Two entries want to be the same file.
  case twice(archive: String, entry: String)
  /// It unpacks to more than its data set can have.
  case tooManyBytes(archive: String, limit: Int)
  case tooManyEntries(archive: String, limit: Int)
  case notWritten(archive: String, entry: String, reason: String)
  case empty(archive: String)

  package var description: String {
    switch self {
    case .unreadable(let archive, let reason):
      "\(archive): damaged, cut off, or no archive: \(reason)"
    case .unsafePath(let archive, let entry, let why):
      "\(archive): refuses the entry `\(entry)`: \(why)"
    case .unsafeKind(let archive, let entry, let kind):
      "\(archive): refuses the entry `\(entry)`: \(kind), and only files and folders are unpacked"
    case .twice(let archive, let entry):
      "\(archive): refuses the entry `\(entry)`: the archive has it before"
    case .tooManyBytes(let archive, let limit):
      "\(archive): unpacks to more than the \(limit) bytes that its data set has at most"
    case .tooManyEntries(let archive, let limit):
      "\(archive): has more than the \(limit) entries that are unpacked at most"
    case .notWritten(let archive, let entry, let reason):
      "\(archive): the entry `\(entry)` cannot be written: \(reason)"
    case .empty(let archive):
      "\(archive): the archive has no files"
    }
  }
}
