//! The `dataset` section of kind dcase2020: folders, spectrogram, windows, split.

import Diagnostics
import Files
import Specs

extension DatasetSpec {
  private static let defaultSplit = SplitFields(validation: 0.1, by: .last)

  mutating func readMachineSounds(_ section: inout Section) {
    let roots = Self.roots(&section)
    root = section.node("root")
    rootPath = roots.first?.path
    readSplit(&section)
    let (spectrogram, frames) = Self.features(&section)
    let machine = machineName(&section, roots: roots)
    fields.windows = WindowFields(frames: frames, machine: machine)
    fields.synthetic = Self.synthetic(
      &section, of: "clips", training: 200, test: 100, isUsed: fields.source == .synthetic)
    (exampleShape, classes) = ([frames * spectrogram.melBins], nil)

    var training = DataPreparation.Part(fields: preparing(.training))
    var test = DataPreparation.Part(fields: preparing(.test))
    training.fields.logMel = spectrogram
    test.fields.logMel = spectrogram
    if fields.source == .real {
      let channel = section.optionalInt("channel", in: 0...63)
      (training.fields.channel, test.fields.channel) = (channel, channel)
    } else {
      _ = section.has("channel")
    }
    let features = Self.folder("test_features", &section)
    if fields.source == .real {
      (training.folders, training.fields.roots) = Self.folders(
        "train", of: roots, &section.faults.lookups)
      if let features {
        test.fields.layout = .features
        test.fields.channel = nil
        test.folders = [.init(role: "features", path: features.path, node: features.node)]
      } else {
        (test.folders, test.fields.roots) = Self.folders("test", of: roots, &section.faults.lookups)
      }
      let lack = noFolder(section, "root", example: "dcase2020/ToyCar")
      if training.folders.isEmpty { training.lack = lack }
      if test.folders.isEmpty { test.lack = lack }
    }
    preparation = DataPreparation(training: training, test: test)
  }

  /// `root`: a folder or a list of them.
  private static func roots(_ section: inout Section) -> [(path: String, node: Node)] {
    guard let node = section.node("root") else { return [] }
    if case .null = node.value { return [] }
    let nodes: [Node]
    switch node.value {
    case .sequence(let elements) where !elements.isEmpty: nodes = elements
    default: nodes = [node]
    }
    return nodes.compactMap { node in
      if case .string(let path) = node.value, !path.isEmpty { return (path, node) }
      section.faults.add(node.diagnostic("root is a folder, or a list of folders"))
      return nil
    }
  }

  /// A folder that may be named.
  static func folder(_ key: String, _ section: inout Section) -> (path: String, node: Node)? {
    guard let node = section.node(key) else { return nil }
    // `null` takes back what a file names.
    if case .null = node.value { return nil }
    return (section.string(key), node)
  }

  /// `train` or `test` of those roots that have it: additional training sets have no `test`. Where
  /// none has it, the first is missed.
  private static func folders(
    _ name: String, of roots: [(path: String, node: Node)], _ lookups: inout Lookups
  ) -> ([DataPreparation.Folder], Int?) {
    // A root that is not there at all is missed, too.
    var found = roots.filter {
      lookups.isDirectory(PathText.join($0.path, name)) || !lookups.isDirectory($0.path)
    }
    if found.isEmpty { found = Array(roots.prefix(1)) }
    let folders = found.enumerated().map { index, root in
      DataPreparation.Folder(
        role: "\(name)_\(index)", path: PathText.join(root.path, name), node: root.node)
    }
    return (folders, folders.isEmpty ? nil : folders.count)
  }

  private mutating func readSplit(_ section: inout Section) {
    fields.split = Self.defaultSplit
    guard var child = section.section("split", in: "dataset.split") else { return }
    let by = child.choice("by", of: MachineSplit.self, default: .last)
    let seed = child.int("seed", in: 0...Int.max, default: 42)
    if by == .last { child.warnIdle(["seed"], why: "the last windows are not drawn") }
    fields.split = SplitFields(
      validation: child.double("validation", in: 0...0.9, default: 0.1),
      seed: by == .last ? nil : seed, by: by)
    child.rejectUnknownKeys()
    section.adopt(child, at: "split")
  }

  private static func features(_ section: inout Section) -> (LogMelFields, windowFrames: Int) {
    var fields = LogMelFields(
      nFFT: 1024, hopLength: 512, melBins: 128, fromFrame: 50, toFrame: 250, leastFrames: 5)
    var child = section.section("features", in: "dataset.features")
    if var features = child {
      _ = features.choice("kind", of: LogMelKind.self, default: .logMel)
      let lengths = [256, 512, 1024, 2048, 4096]
      fields.nFFT = features.int("n_fft", in: 256...4096, default: 1024)
      if let node = features.node("n_fft"), !lengths.contains(fields.nFFT) {
        features.faults.add(node.diagnostic("`n_fft` is a power of two"))
        fields.nFFT = 1024
      }
      fields.hopLength = features.int("hop_length", in: 16...8192, default: 512)
      fields.melBins = features.int("mel_bins", in: 4...256, default: 128)
      fields.fromFrame = features.int("from_frame", in: 0...1_000_000, default: 50)
      fields.toFrame = features.int("to_frame", in: 1...1_000_000, default: 250)
      fields.leastFrames = features.int("window_frames", in: 1...100, default: 5)
      if fields.toFrame - fields.fromFrame < fields.leastFrames {
        features.faults.add(
          (features.node("to_frame") ?? features.node).diagnostic(
            "frames \(fields.fromFrame)..<\(fields.toFrame) hold no window of "
              + "\(fields.leastFrames)"))
      }
      features.rejectUnknownKeys()
      section.adopt(features, at: "features")
      child = features
    }
    return (fields, fields.leastFrames)
  }

  private enum LogMelKind: String, CaseIterable { case logMel = "log_mel" }

  /// What score files are called by: the root's name unless it is given.
  private func machineName(
    _ section: inout Section, roots: [(path: String, node: Node)]
  ) -> String {
    if let node = section.node("machine") {
      let name = section.string("machine")
      if name.isEmpty || name.utf8.count > 100 || name != Self.plain(name) {
        section.faults.add(
          node.diagnostic("a machine's name has letters, digits, `_`, `-` and `.`"))
      }
      return name
    }
    if fields.source == .synthetic { return "synthetic" }
    let last = roots.first?.path.split(separator: "/").last.map(String.init)
    return last.map { Self.plain(String($0.prefix(100))) } ?? "machine"
  }

  private static func plain(_ name: String) -> String {
    let allowed = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.")
    let text = String(name.map { allowed.contains($0) ? $0 : "_" })
    return text.first == "." ? "_" + text.dropFirst() : text
  }
}
