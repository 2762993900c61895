//! What is known about a public data set, as plain values: archives, checksums, licence, and what
//! lies where once it is there. Knows neither the network nor what is in the files.

package import Files

/// A data set that somebody publishes, or that a user describes in a catalogue file.
package struct DataSet: Hashable, Sendable, Codable {
  /// What `data get` calls it.
  package var name: String
  package var title: String
  /// The experiments that read it: names of files in experiments/.
  package var experiments: [String]
  package var license: String
  /// Who wants to be cited, and where it stands.
  package var citation: String
  package var archives: [Archive]
  /// What must be there.
  package var places: [Place]
  /// What else there is to know before it is fetched or used.
  package var note: String?

  package init(
    name: String, title: String, experiments: [String], license: String, citation: String,
    archives: [Archive], places: [Place], note: String? = nil
  ) {
    self.name = name
    self.title = title
    self.experiments = experiments
    self.license = license
    self.citation = citation
    self.archives = archives
    self.places = places
    self.note = note
  }

  /// Bytes to download, as far as they are published.
  package var downloadBytes: Int? {
    archives.reduce(into: Int?(0)) { sum, archive in
      sum = sum.flatMap { sum in archive.bytes.map { sum + $0 } }
    }
  }
}

/// One file to download.
package struct Archive: Hashable, Sendable, Codable {
  package var url: String
  /// Published or measured size of the download; nil where nobody says.
  package var bytes: Int?
  /// nil where no checksum is published.
  package var checksum: Checksum?
  /// Where its contents go, or the file itself where it is no archive: below the data folder.
  package var target: String
  /// The folder in the archive that becomes `target`; nil: the archive's top.
  package var folder: String?
  /// Whether the download is the file itself.
  package var isPlainFile: Bool?
  /// More than it can unpack to.
  package var unpackedLimit: Int?

  package init(
    url: String, bytes: Int? = nil, checksum: Checksum? = nil, target: String,
    folder: String? = nil, isPlainFile: Bool? = nil, unpackedLimit: Int? = nil
  ) {
    self.url = url
    self.bytes = bytes
    self.checksum = checksum
    self.target = target
    self.folder = folder
    self.isPlainFile = isPlainFile
    self.unpackedLimit = unpackedLimit
  }

  private enum CodingKeys: String, CodingKey {
    case url, bytes, checksum, target, folder
    case isPlainFile = "is_plain_file"
    case unpackedLimit = "unpacked_limit"
  }

  /// The URL's last part, without a query.
  package var fileName: String {
    let path = url.prefix { $0 != "?" && $0 != "#" }
    return path.split(separator: "/").last.map(String.init) ?? ""
  }
}

/// Something that must lie below the data folder: a file, or a folder with files of one suffix.
package struct Place: Hashable, Sendable, Codable {
  package var path: String
  /// Of a folder: the files that count, at any depth. nil: the place is one file.
  package var suffix: String?
  /// How many files a folder holds when it is whole; nil where nobody says.
  package var count: Int?
  /// A file's size.
  package var bytes: Int?
  package var checksum: Checksum?

  package init(
    _ path: String, suffix: String? = nil, count: Int? = nil, bytes: Int? = nil,
    checksum: Checksum? = nil
  ) {
    self.path = path
    self.suffix = suffix
    self.count = count
    self.bytes = bytes
    self.checksum = checksum
  }
}
