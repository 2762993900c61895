//! What reading specs asked the file system. Knows no spec.

import Glibc

/// The questions to the file system while specs were read, and its answers: as long as all answers
/// stay the same, so does what was read.
package struct Lookups: Sendable {
  package enum Presence: UInt8, Sendable {
    case absent, file, folder
  }

  /// What was read, by path.
  package private(set) var texts: [String: [UInt8]] = [:]
  /// What was found at a path that was not read.
  package private(set) var presences: [String: Presence] = [:]
  /// False when one question had two answers: somebody writes while we read.
  package private(set) var isSteady = true

  package init() {}

  /// Whether something is at `path`.
  package mutating func exists(_ path: String) -> Bool { presence(of: path) != .absent }

  /// Whether `path` is a folder.
  package mutating func isDirectory(_ path: String) -> Bool { presence(of: path) == .folder }

  /// The text that somebody read at `path`.
  package mutating func note(_ text: [UInt8], at path: String) {
    if let known = texts.updateValue(text, forKey: path), known != text { isSteady = false }
  }

  private mutating func presence(of path: String) -> Presence {
    let presence = Self.presence(at: path)
    if let known = presences.updateValue(presence, forKey: path), known != presence {
      isSteady = false
    }
    return presence
  }

  private static func presence(at path: String) -> Presence {
    var status = stat()
    guard stat(path, &status) == 0 else { return .absent }
    return status.st_mode & S_IFMT == S_IFDIR ? .folder : .file
  }
}
