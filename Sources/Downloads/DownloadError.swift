//! Why a data set was not fetched, as facts.

package import Files

/// A failed download, or what came of it.
package enum DownloadError: Error, Hashable, Sendable, CustomStringConvertible {
  case noCurl(why: String)
  /// curl gave up; `kept` bytes lie in `part`.
  case brokenOff(url: String, said: String, kept: Int, part: String)
  case wrongSize(url: String, found: Int, expected: Int)
  case wrongChecksum(url: String, found: Checksum, expected: Checksum)
  case diskTooSmall(path: String, needed: Int, free: Int)
  case noFolder(archive: String, folder: String)
  case inUse(name: String)
  case notWhole(name: String, faults: [String])
  case noArchives(name: String)

  package var description: String {
    switch self {
    case .noCurl(let why):
      "the program curl does not start: \(why)"
    case .brokenOff(let url, let said, let kept, let part):
      "\(url): \(said)"
        + (kept > 0 ? "; \(kept) bytes are kept in \(part), and the same command goes on" : "")
    case .wrongSize(let url, let found, let expected):
      "\(url): gave \(found) bytes, the published archive has \(expected): the download is removed"
    case .wrongChecksum(let url, let found, let expected):
      "\(url): the download is \(found), the published checksum is \(expected): it is removed, and "
        + "nothing is unpacked"
    case .diskTooSmall(let path, let needed, let free):
      "\(path): \(needed) more bytes are needed for the download, \(free) are free"
    case .noFolder(let archive, let folder):
      "\(archive): the archive has no folder `\(folder)`"
    case .inUse(let name):
      "another process is fetching \(name)"
    case .notWhole(let name, let faults):
      "\(name) is there and differs from the published data set:\n"
        + faults.map { "  " + $0 }.joined(separator: "\n")
        + "\nwhat is there is left as it is; move it away to fetch it anew"
    case .noArchives(let name):
      "\(name) has no archive to download"
    }
  }
}
