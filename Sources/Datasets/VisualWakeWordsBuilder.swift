//! Visual wake words from COCO's images and annotations: which class, the small image, a file.
//! Knows no network and no batch.

import Files
import Glibc

/// Builds person/ and non_person/ as SiliconLabs' script for MLPerf Tiny does: `person` where the
/// box of a person, crowds left out, covers more than the threshold of the image; `non_person`
/// where there is no such box; an image whose persons are all smaller is left out. The whole image
/// becomes 96x96, whatever its shape.
///
/// A file appears whole or not at all, and one that is there is not made again: after a kill the
/// same build goes on.
package struct VisualWakeWordsBuilder {
  package enum Label: String, Sendable, CaseIterable {
    case person, nonPerson = "non_person", skipped
  }

  package struct Counts: Hashable, Sendable {
    package var person = 0
    package var nonPerson = 0
    package var skipped = 0
    /// Files that this run made.
    package var made = 0
  }

  package struct Progress: Hashable, Sendable {
    package var done: Int
    package var count: Int
    package var imagesPerSecond: Double
    package var secondsLeft: Double
  }

  package static let side = 96

  private static let settingsFile = "build.json"
  private static let indexFile = "index.csv"
  private static let partial = ".partial"
  /// Images that each thread makes between two words of progress.
  private static let share = 16

  private let coco: String
  private let result: String
  private let settings: Settings
  private let threads: Int

  /// What the files depend on besides COCO's.
  private struct Settings: Codable, Hashable {
    var threshold: Double
    var quality: Int
    var side: Int
  }

  /// One image of a split.
  private struct Item {
    var split: String
    var image: COCOAnnotations.Image
    var label: Label
  }

  /// - Parameters:
  ///   - coco: a folder with annotations/instances_SPLIT.json and SPLIT/ for each split.
  ///   - result: the folder that gets person/, non_person/, index.csv and build.json.
  ///   - threshold: a share of the image, strictly exceeded.
  ///   - quality: libjpeg's, 1...100.
  package init(coco: String, result: String, threshold: Double, quality: Int, threads: Int) {
    self.coco = coco
    self.result = result
    settings = Settings(threshold: threshold, quality: quality, side: Self.side)
    self.threads = threads
  }

  /// The class of an image, by the largest box of a person.
  package static func label(
    of image: COCOAnnotations.Image, threshold: Double
  ) -> Label {
    guard let share = image.largestPerson else { return .nonPerson }
    return share > threshold ? .person : .skipped
  }

  /// An image as the data set has it before it is compressed: (96, 96, 3).
  package static func pixels(reading path: String) throws -> [UInt8] {
    let image = try JPEG(reading: path)
    let resize = AntiAliasedResize(
      height: image.height, width: image.width, toHeight: side, toWidth: side)
    return resize(image.pixels)
  }

  /// - Throws: a fault of the annotations before anything is made; `VisualWakeWordsError.images`
  ///   after all images that can be made are.
  package func run(report: (Progress) -> Void) throws -> Counts {
    let items = try items()
    try Files.createDirectories(result)
    guard let lock = try FileLock.tryLock(path: result + "/.lock") else {
      throw VisualWakeWordsError.inUse(folder: result)
    }
    return try withExtendedLifetime(lock) {
      try prepare()
      let counts = try make(items, report)
      try writeIndex(items)
      try? Files.remove(result + "/" + Self.partial)
      return counts
    }
  }

  // MARK: What to make

  private func items() throws -> [Item] {
    let folder = coco + "/annotations"
    let files = try Files.list(folder).filter {
      $0.hasPrefix("instances_") && $0.hasSuffix(".json")
    }
    guard !files.isEmpty else { throw VisualWakeWordsError.noAnnotations(folder: folder) }
    var items: [Item] = []
    var names: Set<String> = []
    for file in files {
      let split = String(file.dropFirst("instances_".count).dropLast(".json".count))
      for image in try COCOAnnotations(reading: folder + "/" + file).images {
        guard names.insert(image.fileName).inserted else {
          throw VisualWakeWordsError.twice(file: folder + "/" + file, image: image.fileName)
        }
        let label = Self.label(of: image, threshold: settings.threshold)
        items.append(Item(split: split, image: image, label: label))
      }
    }
    return items
  }

  /// Folders, and the settings: one folder holds the images of one threshold and quality.
  private func prepare() throws {
    let file = result + "/" + Self.settingsFile
    if Files.exists(file) {
      let found = try? JSONValue(parsing: Files.read(file, limit: 1 << 16)).decode(
        as: Settings.self)
      guard found == settings else {
        throw VisualWakeWordsError.otherSettings(
          folder: result,
          found: found.map { "threshold \($0.threshold) and quality \($0.quality)" }
            ?? "settings that are not readable")
      }
    } else if try Files.list(result).contains(where: { !$0.hasPrefix(".") }) {
      throw VisualWakeWordsError.notOurs(folder: result)
    } else {
      try Files.writeAtomically(
        try JSONValue(encoding: settings).canonicalText + "\n", to: file)
    }
    let partial = result + "/" + Self.partial
    // What a run that was killed was writing.
    if Files.exists(partial) { try Files.remove(partial) }
    try Files.createDirectories(partial)
    for label in [Label.person, .nonPerson] {
      try Files.createDirectories(result + "/" + label.rawValue)
    }
  }

  private func target(of item: Item) -> String {
    "\(result)/\(item.label.rawValue)/\(item.image.fileName)"
  }

  // MARK: Making

  private func make(_ items: [Item], _ report: (Progress) -> Void) throws -> Counts {
    var counts = Counts()
    for item in items {
      switch item.label {
      case .person: counts.person += 1
      case .nonPerson: counts.nonPerson += 1
      case .skipped: counts.skipped += 1
      }
    }
    let kept = items.filter { $0.label != .skipped }
    let open = kept.filter { !Files.exists(target(of: $0)) }
    var faults: [String] = []
    var faultCount = 0
    let clock = ContinuousClock()
    let start = clock.now
    let round = max(1, threads) * Self.share
    for first in stride(from: 0, to: open.count, by: round) {
      let indices = first..<min(first + round, open.count)
      let results = try ParallelWork.map(indices, threads: threads) { { try make(open[$0]) } }
      for case .failure(let error) in results {
        // A full disk is no fault of an image, and the next one will not fit either.
        if case FileError.system("write", _, _) = error { throw error }
        faultCount += 1
        if faults.count < 10 { faults.append("\(error)") }
      }
      let seconds = (clock.now - start) / .seconds(1)
      let rate = Double(indices.upperBound) / max(seconds, 1e-9)
      report(
        Progress(
          done: kept.count - open.count + indices.upperBound, count: kept.count,
          imagesPerSecond: rate, secondsLeft: Double(open.count - indices.upperBound) / rate))
    }
    guard faultCount == 0 else {
      throw VisualWakeWordsError.images(
        folder: result, made: open.count - faultCount, faults: faults, count: faultCount)
    }
    counts.made = open.count
    return counts
  }

  private func make(_ item: Item) throws {
    let pixels = try Self.pixels(reading: "\(coco)/\(item.split)/\(item.image.fileName)")
    let jpeg = try JPEG.encode(
      pixels, height: Self.side, width: Self.side, quality: settings.quality)
    let partial = "\(result)/\(Self.partial)/\(item.image.fileName)"
    try Files.writeAtomically(jpeg, to: partial)
    try Files.move(partial, to: target(of: item))
  }

  /// Every image of COCO with its class: what was left out is told too.
  private func writeIndex(_ items: [Item]) throws {
    var text = "split,file,largest_person,class\n"
    for item in items {
      let share = item.image.largestPerson.map { "\($0)" } ?? ""
      text += "\(item.split),\(item.image.fileName),\(share),\(item.label.rawValue)\n"
    }
    try Files.writeAtomically(text, to: result + "/" + Self.indexFile)
  }
}

/// Why visual wake words were not built, or not all.
package enum VisualWakeWordsError: Error, Hashable, Sendable, CustomStringConvertible {
  case noAnnotations(folder: String)
  case twice(file: String, image: String)
  case inUse(folder: String)
  case otherSettings(folder: String, found: String)
  case notOurs(folder: String)
  case images(folder: String, made: Int, faults: [String], count: Int)

  package var description: String {
    switch self {
    case .noAnnotations(let folder):
      "\(folder): no instances_*.json; COCO's annotations and images are expected"
    case .twice(let file, let image):
      "\(file): the image \(image) is listed twice"
    case .inUse(let folder):
      "\(folder): another process is building there"
    case .otherSettings(let folder, let found):
      "\(folder): was built with \(found): name another folder, or remove this one"
    case .notOurs(let folder):
      "\(folder): has files that no build made: name another folder"
    case .images(let folder, let made, let faults, let count):
      "\(count) images cannot be made:\n"
        + faults.map { "  " + $0 }.joined(separator: "\n")
        + (count > faults.count ? "\n  and \(count - faults.count) more" : "")
        + "\n\(made) others are in \(folder); the same command tries again what is missing"
    }
  }
}
