//! The Speech Commands tree: a folder for each word, noise, lists. Knows file names alone, not what
//! is in a file.

import Files
import Tensors

/// One clip to be made an example.
package struct WordClip: Hashable, Sendable {
  package var path: String
  /// Below the data set's folder.
  package var name: String
  package var label: Int32
  /// The second of a longer recording that the clip is: its first sample.
  package var offset: Int?
}

/// A data set of spoken words on disk.
package struct WordTree: Sendable {
  /// MLPerf Tiny's order of labels.
  package static let classNames = [
    "down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes", "silence", "unknown",
  ]
  package static let keywords = 10
  package static let silence: Int32 = 10
  package static let unknown: Int32 = 11
  /// Samples a second, and of a clip.
  package static let clipLength = 16_000
  static let noiseFolder = "_background_noise_"
  private static let listLimit = 64 << 20

  /// How a tree is divided.
  package enum Division: Hashable, Sendable {
    case lists
    case hash(validation: Double, testing: Double)
  }

  private let root: String
  /// By part, the clips of known words and of others, by their names.
  private var known: [WordPart: [WordClip]] = [:]
  private var others: [WordPart: [WordClip]] = [:]

  /// Looks through a tree. Folders whose names begin with `_` are no words.
  ///
  /// - Throws: `FileError`, `DatasetError.folder`.
  package init(_ root: String, divided division: Division) throws {
    self.root = root
    let folders = try Self.folders(of: root)
    let lists = try Self.lists(division, root: root)
    guard folders.contains(where: Self.classNames.prefix(Self.keywords).contains) else {
      throw DatasetError.folder(
        path: root,
        .noClasses(
          expected: Array(Self.classNames.prefix(Self.keywords)), found: folders))
    }
    for word in folders where !word.hasPrefix("_") {
      let keyword = Self.classNames.prefix(Self.keywords).firstIndex(of: word)
      for file in try Self.recordings(in: root + "/" + word) {
        let name = word + "/" + file
        let part: WordPart
        switch division {
        case .lists: part = lists[name] ?? .training
        case .hash(let validation, let testing):
          part = SpeakerHash.part(ofFile: name, validation: validation, testing: testing)
        }
        let clip = WordClip(
          path: root + "/" + name, name: name, label: keyword.map(Int32.init) ?? Self.unknown)
        if keyword != nil {
          known[part, default: []].append(clip)
        } else {
          others[part, default: []].append(clip)
        }
      }
    }
  }

  /// The clips of a part in an order that is drawn: known words, and for each of them a share of
  /// other words and of seconds of noise, as TensorFlow's `input_data.py` counts them.
  ///
  /// - Parameters:
  ///   - noise: the recordings of `_background_noise_`; of those a second is silence.
  /// - Throws: where the part has no clips, or no noise for its silence.
  package func clips(
    of part: WordPart, silence: Double, unknown: Double, noise: [NoiseRecording], seed: UInt64
  ) throws -> [WordClip] {
    var clips = known[part] ?? []
    let wanted = { (share: Double) in Int((Double(clips.count) * share).rounded(.up)) }
    let (unknowns, silences) = (wanted(unknown), wanted(silence))
    let key = UInt64(WordPart.allCases.firstIndex(of: part) ?? 0)
    var random = SeededGenerator(seed: seed, RandomPurpose.words, key)
    var rest = others[part] ?? []
    random.shuffle(&rest)
    clips += rest.prefix(unknowns)
    if silences > 0 {
      guard !noise.isEmpty else { throw DatasetError.folder(path: root, .noNoise) }
      for _ in 0..<silences {
        let recording = noise[random.integer(below: noise.count)]
        let offset = random.integer(below: recording.samples.count - Self.clipLength + 1)
        clips.append(
          WordClip(
            path: recording.path, name: "\(recording.name)@\(offset)", label: Self.silence,
            offset: offset))
      }
    }
    random.shuffle(&clips)
    return clips
  }

  /// Keywords without a clip in a part.
  package func missingKeywords(in part: WordPart) -> [String] {
    let found = Set((known[part] ?? []).map(\.label))
    return (0..<Self.keywords).filter { !found.contains(Int32($0)) }.map { Self.classNames[$0] }
  }

  // MARK: The separate test set

  /// A folder for each of the twelve classes, `_silence_` and `_unknown_` among them, all of whose
  /// recordings count.
  package static func classFolders(_ root: String) throws -> [WordClip] {
    let names = classNames.prefix(keywords) + ["_silence_", "_unknown_"]
    let found = try folders(of: root)
    guard found.contains(where: names.contains) else {
      throw DatasetError.folder(path: root, .noClasses(expected: Array(names), found: found))
    }
    var clips: [WordClip] = []
    var missing: [String] = []
    for (label, folder) in names.enumerated() {
      let files = found.contains(folder) ? try recordings(in: root + "/" + folder) : []
      if files.isEmpty { missing.append(folder) }
      clips += files.map {
        WordClip(path: "\(root)/\(folder)/\($0)", name: "\(folder)/\($0)", label: Int32(label))
      }
    }
    guard missing.isEmpty else {
      throw DatasetError.folder(path: root, .missingClasses(missing))
    }
    return clips
  }

  // MARK: Files

  private static func folders(of root: String) throws -> [String] {
    try Files.list(root).filter { !$0.hasPrefix(".") && Files.isDirectory(root + "/" + $0) }
  }

  static func recordings(in folder: String) throws -> [String] {
    try Files.list(folder).filter { !$0.hasPrefix(".") && $0.lowercased().hasSuffix(".wav") }
  }

  /// By name, the part of a clip that a list names.
  private static func lists(_ division: Division, root: String) throws -> [String: WordPart] {
    guard case .lists = division else { return [:] }
    var parts: [String: WordPart] = [:]
    for (list, part) in [
      ("validation_list.txt", WordPart.validation), ("testing_list.txt", .testing),
    ] {
      guard Files.exists(root + "/" + list) else {
        throw DatasetError.folder(path: root, .noList(list))
      }
      let text = String(
        decoding: try Files.read(root + "/" + list, limit: listLimit), as: UTF8.self)
      let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      for (index, line) in lines.enumerated() where !line.allSatisfy(\.isWhitespace) {
        let names = line.split(separator: "/", omittingEmptySubsequences: false)
        guard names.count == 2, names.allSatisfy({ !$0.isEmpty }) else {
          throw DatasetError.folder(
            path: root,
            .listLine(list: list, line: index + 1, text: String(line.prefix(80))))
        }
        parts[String(line)] = part
      }
    }
    return parts
  }
}
