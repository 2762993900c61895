//! Everything that can be wrong with a folder of recordings, as facts with their prose. Knows no
//! format of a recording.

/// Why a folder was refused.
package enum FolderFault: Error, Hashable, Sendable {
  /// No file of the kind that the data set is made of.
  case nothing(wanted: String)
  /// Names that say neither label nor machine.
  case names([String], count: Int, expected: String)
  case duplicate(name: String, other: String)
  /// Anomalies where normal clips alone belong.
  case anomalies([String], count: Int)
  /// None of the folders that stand for classes.
  case noClasses(expected: [String], found: [String])
  case missingClasses([String])
  case noList(String)
  case listLine(list: String, line: Int, text: String)
  case noNoise
  case tooMuchNoise(samples: Int, limit: Int)
  case nothingInPart(String)
  case index(file: String, line: Int, reason: String)

  /// Names that a message shows at most.
  static let shownNames = 5

  var prose: String {
    func some(_ names: [String], of count: Int) -> String {
      names.prefix(Self.shownNames).map { "`\($0)`" }.joined(separator: ", ")
        + (count > min(names.count, Self.shownNames) ? " and more, \(count) in all" : "")
    }
    switch self {
    case .nothing(let wanted): return "holds no \(wanted)"
    case .names(let names, let count, let expected):
      return "what is \(some(names, of: count))? A file here is called \(expected)"
    case .duplicate(let name, let other):
      return "`\(name)` is in \(other) as well: the same recording would count twice"
    case .anomalies(let names, let count):
      return "training takes normal clips alone, and here is \(some(names, of: count))"
    case .noClasses(let expected, let found):
      return "has no folder of a class (\(expected.joined(separator: ", "))), "
        + (found.isEmpty ? "no folder at all" : "only \(some(found, of: found.count))")
    case .missingClasses(let names): return "has no clips of \(some(names, of: names.count))"
    case .noList(let name):
      return "has no \(name), by which clips are divided; `split: {by: hash}` divides by speaker"
    case .listLine(let list, let line, let text):
      return "\(list):\(line): `\(text)` is no WORD/FILE.wav"
    case .noNoise:
      return "has no recordings in _background_noise_, which silence and augmentation are made "
        + "from; set dataset.split.silence to 0 and leave augment out to go without"
    case .tooMuchNoise(let samples, let limit):
      return "_background_noise_ has \(samples) samples, more than \(limit)"
    case .nothingInPart(let part): return "no clip belongs to the \(part) part"
    case .index(let file, let line, let reason): return "\(file):\(line): \(reason)"
    }
  }
}
