//! All data sets that are known by name; a user's own come from a JSON file. Knows not what is
//! there.

import Files

/// The list behind `shiftwork data`.
package struct Catalogue: Sendable {
  package let sets: [DataSet]

  package static let official = Catalogue(
    sets: [cifar10, cifar10Binary, speechCommands, speechCommandsTest]
      + ["ToyCar", "ToyConveyor", "fan", "pump", "slider", "valve"].map(dcase2020)
      + [visualWakeWords, coco2014, pretrained])

  private init(sets: [DataSet]) { self.sets = sets }

  /// A JSON list of data sets, in the layout of `DataSet`.
  ///
  /// - Throws: `FileError`; `CatalogueError` where it is no such list, or would write elsewhere.
  package init(reading path: String) throws {
    let bytes = try Files.read(path, limit: 16 << 20)
    do {
      sets = try JSONValue(parsing: bytes).decode(as: [DataSet].self)
    } catch {
      throw CatalogueError.noCatalogue(file: path, why: Self.reason(error))
    }
    for set in sets { try Self.check(set, file: path) }
    let names = sets.map(\.name)
    if let name = names.first(where: { name in names.filter { $0 == name }.count > 1 }) {
      throw CatalogueError.wrongSet(file: path, name: name, why: "it stands there twice")
    }
  }

  package subscript(name: String) -> DataSet? { sets.first { $0.name == name } }

  /// Paths stay below the data folder, URLs are the web's.
  private static func check(_ set: DataSet, file: String) throws {
    func refuse(_ why: String) -> CatalogueError {
      .wrongSet(file: file, name: set.name, why: why)
    }
    let letters = set.name.utf8.allSatisfy {
      (97...122).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "_")
    }
    guard letters, !set.name.isEmpty else {
      throw refuse("a name is lower-case letters, digits and underscores")
    }
    for path in set.places.map(\.path) + set.archives.map(\.target)
      + set.archives.compactMap(\.folder)
    {
      let parts = path.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." && !$0.hasPrefix(".") })
      else { throw refuse("`\(path)` is no plain path below the data folder") }
    }
    for archive in set.archives {
      guard archive.url.hasPrefix("https://") || archive.url.hasPrefix("http://"),
        !archive.fileName.isEmpty, !archive.fileName.hasPrefix("."),
        archive.url.utf8.allSatisfy({ $0 > 32 && $0 < 127 })
      else { throw refuse("`\(archive.url)` is no http or https URL of a file") }
      guard (archive.bytes ?? 0) >= 0, (archive.unpackedLimit ?? 0) >= 0 else {
        throw refuse("a size is negative")
      }
    }
  }

  private static func reason(_ error: any Error) -> String {
    guard let error = error as? DecodingError else { return "\(error)" }
    switch error {
    case .keyNotFound(let key, let context):
      return "\(place(context)) lacks `\(key.stringValue)`"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      return "\(place(context)): \(context.debugDescription)"
    case .dataCorrupted(let context):
      return "\(place(context)): \(context.debugDescription)"
    @unknown default: return "\(error)"
    }
  }

  private static func place(_ context: DecodingError.Context) -> String {
    let path = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
    return path.isEmpty ? "the list" : path.joined(separator: ".")
  }
}

/// What is wrong with a user's catalogue file.
package enum CatalogueError: Error, Hashable, Sendable, CustomStringConvertible {
  case noCatalogue(file: String, why: String)
  case wrongSet(file: String, name: String, why: String)

  package var description: String {
    switch self {
    case .noCatalogue(let file, let why): "\(file): no catalogue: \(why)"
    case .wrongSet(let file, let name, let why): "\(file): data set `\(name)`: \(why)"
    }
  }
}
