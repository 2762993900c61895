//! What of a data set is there: files counted and sized, on request hashed. Changes nothing.

import Files
import Glibc

/// The state of a data set below a data folder.
package struct Inventory: Sendable {
  /// The state of one place.
  package struct Entry: Hashable, Sendable {
    package var place: Place
    package var files: Int
    package var bytes: Int
    /// What is wrong, in words; nil: nothing.
    package var fault: String?
    /// Whether there is nothing at all.
    package var isMissing: Bool
  }

  package enum State: String, Sendable {
    case complete, partial, missing
  }

  package let entries: [Entry]

  package var state: State {
    if entries.allSatisfy(\.isMissing) { return .missing }
    return entries.allSatisfy { $0.fault == nil } ? .complete : .partial
  }

  /// Bytes of what is there. A folder within a counted folder counts once.
  package var bytes: Int {
    entries.filter { entry in
      !entries.contains { entry.place.path.hasPrefix($0.place.path + "/") }
    }.reduce(0) { $0 + $1.bytes }
  }

  /// - Parameters:
  ///   - data: the data folder.
  ///   - hashes: whether files with a known checksum are hashed.
  ///   - report: told the path that is looked at.
  package init(
    of set: DataSet, in data: String, hashes: Bool = false, report: (String) -> Void = { _ in }
  ) throws {
    entries = try set.places.map { place in
      report(place.path)
      return try Self.entry(place, data + "/" + place.path, hashes: hashes)
    }
  }

  private static func entry(_ place: Place, _ path: String, hashes: Bool) throws -> Entry {
    var entry = Entry(place: place, files: 0, bytes: 0, fault: nil, isMissing: false)
    guard Files.exists(path) else {
      entry.isMissing = true
      entry.fault = "is not there"
      return entry
    }
    if let suffix = place.suffix {
      guard Files.isDirectory(path) else {
        entry.fault = "is no folder"
        return entry
      }
      var tally = Tally(suffix: suffix)
      try tally.add(path)
      entry.files = tally.files
      entry.bytes = tally.bytes
      entry.fault = fault(of: tally, place)
      return entry
    }
    guard !Files.isDirectory(path), let size = Files.size(of: path) else {
      entry.fault = "is no file"
      return entry
    }
    entry.files = 1
    entry.bytes = size
    if let bytes = place.bytes, bytes != size {
      entry.fault = "has \(size) bytes, the published one \(bytes)"
    } else if size == 0 {
      entry.fault = "is empty"
    } else if hashes, let checksum = place.checksum {
      let found = try Checksum(ofFile: path, by: checksum.algorithm)
      if found != checksum { entry.fault = "is \(found), the published one \(checksum)" }
    }
    return entry
  }

  private static func fault(of tally: Tally, _ place: Place) -> String? {
    if let empty = tally.empty { return "\(empty) is empty" }
    if let count = place.count, count != tally.files {
      return "has \(tally.files) \(tally.suffix) files, the published one \(count)"
    }
    return tally.files == 0 ? "has no \(tally.suffix) files" : nil
  }

  /// Files of one suffix, counted at any depth.
  private struct Tally {
    let suffix: String
    var files = 0
    var bytes = 0
    /// The first file without bytes.
    var empty: String?

    init(suffix: String) { self.suffix = suffix }

    mutating func add(_ folder: String, depth: Int = 0) throws {
      guard depth < 16 else { return }
      for name in try Files.list(folder) where !name.hasPrefix(".") {
        let path = folder + "/" + name
        if name.lowercased().hasSuffix(suffix) {
          guard let size = Files.size(of: path) else { continue }
          files += 1
          bytes += size
          if size == 0, empty == nil { empty = path }
        } else if Files.isDirectory(path) {
          try add(path, depth: depth + 1)
        }
      }
    }
  }
}
