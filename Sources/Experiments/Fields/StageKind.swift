//! The kinds of stages, and the version of each kind's code. Knows no field of any of them.

/// What a stage does; the raw value is its spelling in YAML, manifests and tasks.
package enum StageKind: String, Hashable, Sendable, Codable, CaseIterable {
  /// Decodes a data set's files once for all stages that read them; put in by the resolver, not by
  /// the user.
  case prepareData = "prepare_data"
  /// Reads a float network's weights from a file.
  case loadPretrained = "load_pretrained"
  /// Trains a float network from its initialisers.
  case pretrain
  /// Attaches the experiment's quantizers to a float network; computes nothing.
  case quantize
  /// Looks for the quantizers that cost little and lose little.
  case search
  /// Changes where quantizers take their scales from; weights and bits stay.
  case switchAlpha = "switch_alpha"
  /// Trains a network with its quantizers in place.
  case fineTune = "fine_tune"
  /// Measures a network on the test set.
  case evaluate
  /// Runs a program of the user's, which the runner starts itself.
  case command

  /// The version of the kind's code: raise it when the same fields give other bytes.
  package var version: Int {
    switch self {
    case .prepareData: 1
    case .loadPretrained: 1
    case .pretrain: 7
    case .quantize: 2
    case .search: 12
    case .switchAlpha: 2
    case .fineTune: 9
    case .evaluate: 5
    case .command: 1
    }
  }

  /// Whether the stage works on the network that another stage made.
  package var needsModel: Bool {
    switch self {
    case .prepareData, .loadPretrained, .pretrain, .command: false
    case .quantize, .search, .switchAlpha, .fineTune, .evaluate: true
    }
  }

  /// Whether other stages can work on what the stage makes.
  package var makesModel: Bool {
    switch self {
    case .loadPretrained, .pretrain, .quantize, .search, .switchAlpha, .fineTune: true
    case .prepareData, .evaluate, .command: false
    }
  }

  /// What a pipeline may ask for.
  package static var written: [StageKind] { allCases.filter { $0 != .prepareData } }

  /// Whether the stage reads the training set.
  package var trains: Bool {
    switch self {
    case .pretrain, .search, .fineTune: true
    case .prepareData, .loadPretrained, .quantize, .switchAlpha, .evaluate, .command: false
    }
  }
}

/// The roles that a stage's inputs play: keys of `StageTask.inputs`.
package enum InputRole {
  /// The artifact of the stage whose network this one works on.
  package static let model = "model"
  /// The weights file that `load_pretrained` reads.
  package static let pretrained = "pretrained"
  /// One file of the data set: `dataset/data_batch_1`.
  package static func dataset(_ file: String) -> String { "dataset/" + file }
  /// The list of rows that test.
  package static let testIndex = dataset("test_index")
  /// The artifact that a `prepare_data` made of one part.
  package static func data(_ part: PrepareDataFields.Part) -> String { "data/" + part.rawValue }

  /// Whether what plays the role is an artifact.
  package static func isArtifact(_ role: String) -> Bool {
    role == model || role.hasPrefix("data/")
  }
}
