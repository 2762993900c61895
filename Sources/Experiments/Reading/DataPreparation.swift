//! How a data set's parts come to be prepared: the fields of both `prepare_data` stages and the
//! folders that they read. Knows no kind of data.

import Diagnostics
import Files
import Specs

/// Both parts of a data set that is prepared before it is read.
struct DataPreparation {
  /// One part.
  struct Part {
    var fields: PrepareDataFields
    /// Empty where the part is made.
    var folders: [Folder] = []
    /// What is wrong where a stage asks for this part.
    var lack: Diagnostic?
  }

  /// A source folder, and where the user wrote it.
  struct Folder {
    var role: String
    var path: String
    var node: Node
  }

  var training: Part
  var test: Part

  subscript(part: PrepareDataFields.Part) -> Part {
    switch part {
    case .training: training
    case .test: test
    }
  }

  var folders: [Folder] { training.folders + test.folders }
}

extension DatasetSpec {
  /// The fields of `prepare_data` that all kinds have.
  func preparing(_ part: PrepareDataFields.Part) -> PrepareDataFields {
    var prepared = PrepareDataFields(kind: fields.kind, part: part, source: fields.source)
    prepared.synthetic = fields.synthetic
    switch part {
    case .training: prepared.synthetic?.testImages = nil
    case .test: prepared.synthetic?.trainingImages = nil
    }
    return prepared
  }

  /// A fault for a part that nothing says where to read.
  func noFolder(_ section: Section, _ key: String, example: String) -> Diagnostic {
    section.node.diagnostic(
      "dataset needs `\(key)`, the folder of its files",
      suggestion: "write `\(key): ${data}/\(example)`, or `source: synthetic`")
  }

  /// What is said where source folders are not there.
  func missing(_ paths: [String]) -> [Diagnostic] {
    let folders = (preparation?.folders ?? []).filter { paths.contains($0.path) }
    var seen: Set<String> = []
    return folders.filter { seen.insert($0.path).inserted }.map { folder in
      folder.node.diagnostic(
        "\(fields.kind.rawValue) is missing: there is no folder \(folder.path)",
        suggestion: "name the folder with `--set dataset.root=DIR` or `--data DIR`, or go on "
          + "without data: `--set dataset.source=synthetic`",
        notes: [Diagnostic.Note(fields.kind.whence)])
    }
  }
}

extension DatasetFields.Kind {
  /// Where the files come from.
  var whence: String {
    switch self {
    case .cifar10:
      "CIFAR-10, python version: https://www.cs.toronto.edu/~kriz/cifar.html"
    case .dcase2020:
      "DCASE 2020 task 2: https://zenodo.org/record/3678171 (development), "
        + "https://zenodo.org/record/3727685 (additional training)"
    case .speechCommands:
      "Speech Commands v0.02: http://download.tensorflow.org/data/speech_commands_v0.02.tar.gz, "
        + "and its test set speech_commands_test_set_v0.02.tar.gz"
    case .visualWakeWords:
      "visual wake words: `shiftwork data get visual_wake_words`, or from COCO by "
        + "`shiftwork data build-vww`"
    }
  }
}
