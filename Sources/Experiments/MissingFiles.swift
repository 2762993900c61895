//! Whether the files that stages read are there. Knows no pipeline.

import Diagnostics
import Files
import Pipeline
import Specs

/// The source files of all stages.
struct MissingFiles {
  private let stages: [StageTemplate]
  private let areFaults: Bool

  /// - Parameter areFaults: whether a missing file is a fault, or only a warning.
  init(of stages: [StageTemplate], areFaults: Bool) {
    self.stages = stages
    self.areFaults = areFaults
  }

  /// Tells what is not there, once for each data set.
  func report(to faults: FaultCollector) {
    func add(_ diagnostic: Diagnostic) {
      var diagnostic = diagnostic
      if !areFaults { diagnostic.severity = .warning }
      faults.add(diagnostic)
    }
    var known: [String: Bool] = [:]
    func exists(_ path: String) -> Bool {
      if let answer = known[path] { return answer }
      let answer = faults.lookups.exists(path)
      known[path] = answer
      return answer
    }
    var sets: [(root: Node, dataset: DatasetSpec, names: [String])] = []
    for stage in stages {
      for input in stage.inputs where !exists(input.path) {
        add(input.node.diagnostic("there is no file or folder \(input.path)"))
      }
      guard let dataset = stage.dataset else { continue }
      let paths = stage.paths { $0.hasPrefix("dataset/") }.filter { !exists($0) }
      if stage.stage.kind == StageKind.prepareData.rawValue {
        for diagnostic in dataset.missing(paths) { add(diagnostic) }
        continue
      }
      guard let root = dataset.root else { continue }
      let index =
        sets.firstIndex {
          $0.root.location == root.location && $0.dataset.rootPath == dataset.rootPath
        }
        ?? sets.count
      if index == sets.count { sets.append((root, dataset, [])) }
      for path in paths {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        if !sets[index].names.contains(name) { sets[index].names.append(name) }
      }
    }
    for (root, dataset, names) in sets where !names.isEmpty {
      add(dataset.missing(names.sorted(), at: root))
    }
    for stage in stages {
      guard let node = stage.pretrained,
        let path = stage.paths({ $0 == InputRole.pretrained }).first, !exists(path)
      else { continue }
      add(
        node.diagnostic(
          "the pretrained weights are missing: no file \(path)",
          suggestion: "name them with `--set pretrained.path=FILE` or their folder with "
            + "`--data DIR`; pipelines/quickstart.yaml trains a network of its own instead"))
    }
  }
}

extension StageTemplate {
  /// The source files that play roles.
  fileprivate func paths(_ isWanted: (String) -> Bool) -> [String] {
    stage.inputs.compactMap { role, source in
      guard isWanted(role), case .file(let path, _) = source else { return nil }
      return path
    }
  }
}

extension DatasetSpec {
  fileprivate func missing(_ names: [String], at root: Node) -> Diagnostic {
    let folder = rootPath ?? ""
    let what =
      names.count == 1
      ? "1 file of \(fields.kind.rawValue) is"
      : "\(names.count) files of \(fields.kind.rawValue) are"
    return root.diagnostic(
      "\(what) missing in \(folder): \(names.joined(separator: ", "))",
      suggestion: "name the folder with `--set dataset.root=DIR` or `--data DIR`, or go on without "
        + "data: `--set dataset.source=synthetic`",
      notes: [Diagnostic.Note(fields.kind.whence)])
  }
}
