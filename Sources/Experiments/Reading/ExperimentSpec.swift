//! An experiment's file, read and checked, section by section: what a sweep does not touch is read
//! once. Knows no stage and no file but the paths it names.

import Diagnostics
import Networks
import Specs

/// Everything that an experiment says at a sweep's current point. Sections that no stage of a
/// pipeline asks for may be absent.
final class ExperimentSpec {
  /// A section, and where its fields were written.
  private struct Located<Value> {
    var value: Value
    var locations: [String: SourceLocation]
  }

  let space: FieldSpace
  private let faults: FaultCollector
  private let hasData: Bool
  private let datasetMemo = Memo<DatasetSpec?>()
  private let networkMemo = Memo<Located<NetworkSpec?>>()
  private let pretrainedMemo = Memo<(path: String, node: Node)?>()
  private let trainingMemos: [String: Memo<TrainingSection>]
  private let evaluateMemo = Memo<Located<Int>>()
  private let seedMemo = Memo<Located<Int>>()
  private let numericsMemo = Memo<Located<NumericsFields>>()
  private let fitMemo = Memo<Void>()
  private let quantizersMemo = Memo<QuantizersSpec?>()
  private let searchMemo = Memo<SearchSpec?>()
  private let choicesMemo = Memo<FieldPart?>()
  private let rootMemo = Memo<String>()

  /// - Parameter hasData: whether there must be data; a network alone has none.
  init(_ space: FieldSpace, hasData: Bool = true) {
    self.space = space
    self.hasData = hasData
    faults = space.faults
    trainingMemos = Dictionary(
      uniqueKeysWithValues: ["training", "pretrain", "fine_tune"].map { ($0, Memo()) })
  }

  /// Reads all that is to be read at the current point, in the order in which faults are told.
  func read() {
    _ = dataset
    _ = networkSpec
    _ = pretrained
    _ = training
    _ = pretrain
    _ = fineTune
    _ = evaluateBatchSize
    _ = seed
    _ = numerics
    checkFit()
    _ = quantizers
    _ = search
    _ = name
  }

  /// The whole file as it was written.
  var node: Node { space.root(of: []) }

  /// Whether a section has something that may be `key` misspelt.
  func hasMisspelt(_ key: String, in section: String) -> Bool {
    space.rawEntry(.experiment(section))?.value.hasMisspelt(key) ?? false
  }

  /// Whether the user wrote the key, or something that may be the key misspelt.
  func mentions(_ key: String) -> Bool {
    if space.rawEntry(.experiment(key)) != nil { return true }
    var root = space.root(of: [])
    root.value = .mapping(space.experimentEntries)
    return root.hasMisspelt(key)
  }

  // MARK: Sections

  /// The experiment's name. The keys of the file are checked with it, as a missing one may be there
  /// misspelt.
  var name: String {
    rootMemo.value(at: space.state) {
      var root = space.root(of: [])
      root.value = .mapping(
        space.experimentEntries.map { entry in
          entry.name == "experiment" ? space.entry(.experiment(entry.name)) ?? entry : entry
        })
      var section = Section(root, in: "the experiment", faults: faults)
      let name = section.string("experiment")
      for key in Self.keys { _ = section.has(key) }
      section.rejectUnknownKeys()
      return name
    }
  }

  private static let keys = [
    "dataset", "network", "pretrained", "training", "pretrain", "fine_tune", "evaluate", "seed",
    "numerics", "quantizers", "search", "variables", "environment",
  ]

  var dataset: DatasetSpec? {
    read(datasetMemo, "dataset") { section in
      if var child = section.section("dataset") { return DatasetSpec(&child) }
      if hasData, !section.has("dataset"), !mentions("dataset") {
        faults.add(section.node.diagnostic("the experiment needs `dataset`"))
      }
      return nil
    }
  }

  private var located: Located<NetworkSpec?> {
    read(networkMemo, "network") { section in
      if !section.has("network"), mentions("network") {
        return Located(value: nil, locations: [:])
      }
      let spec = NetworkSpec(&section, section.node)
      return Located(value: spec, locations: section.locations)
    }
  }

  var networkSpec: NetworkSpec? { located.value }

  /// The network that other sections refer to.
  var architecture: Network? { networkSpec?.network }
  /// What stages get to know of it.
  var network: NetworkFields? { networkSpec?.fields }
  var networkLocations: [String: SourceLocation] { located.locations }

  /// The file that `load_pretrained` reads, and where the user wrote it.
  var pretrained: (path: String, node: Node)? {
    read(pretrainedMemo, "pretrained") { section in
      guard var child = section.section("pretrained") else { return nil }
      let path = child.string("path")
      child.rejectUnknownKeys()
      return child.node["path"].map { (path, $0) }
    }
  }

  var training: TrainingSection { training("training") }
  var pretrain: TrainingSection { training("pretrain") }
  var fineTune: TrainingSection { training("fine_tune") }

  private func training(_ key: String) -> TrainingSection {
    guard let memo = trainingMemos[key] else { preconditionFailure("\(key) trains nothing") }
    return read(memo, key) { section in
      guard var child = section.section(key) else { return TrainingSection() }
      let training = TrainingSection(&child)
      child.rejectUnknownKeys()
      return training
    }
  }

  private var evaluate: Located<Int> {
    read(evaluateMemo, "evaluate") { section in
      guard var child = section.section("evaluate") else {
        return Located(value: 100, locations: [:])
      }
      let size = child.int("batch_size", in: 1...65_536, default: 100)
      child.rejectUnknownKeys()
      return Located(value: size, locations: child.locations)
    }
  }

  var evaluateBatchSize: Int { evaluate.value }
  var evaluateLocations: [String: SourceLocation] { evaluate.locations }

  private var locatedSeed: Located<Int> {
    read(seedMemo, "seed") { section in
      let seed = section.int("seed", in: 0...Int.max, default: 42)
      return Located(value: seed, locations: section.locations)
    }
  }

  var seed: Int { locatedSeed.value }
  var seedLocations: [String: SourceLocation] { locatedSeed.locations }

  private var locatedNumerics: Located<NumericsFields> {
    read(numericsMemo, "numerics") { section in
      let numerics = Self.numerics(&section)
      return Located(value: numerics, locations: section.locations)
    }
  }

  var numerics: NumericsFields { locatedNumerics.value }
  var numericsLocations: [String: SourceLocation] { locatedNumerics.locations }

  private func checkFit() {
    fitMemo.value(at: space.state) {
      if hasData, let dataset { networkSpec?.check(fits: dataset, faults: faults) }
    }
  }

  var quantizers: QuantizersSpec? {
    read(quantizersMemo, "quantizers") { section in
      guard let network = architecture, var child = section.section("quantizers") else {
        return nil
      }
      return QuantizersSpec(&child, for: network)
    }
  }

  var search: SearchSpec? {
    read(searchMemo, "search") { section in
      guard let network = architecture, var child = section.section("search") else { return nil }
      return SearchSpec(&child, for: network) { quantizers?.map }
    }
  }

  /// What a search chooses among, which is most of its fields.
  var choices: FieldPart? {
    choicesMemo.value(at: space.state) { search.map { FieldPart($0.fields.choices) } }
  }

  // MARK: Parts

  private func read<Value>(
    _ memo: Memo<Value>, _ key: String, _ body: (inout Section) -> Value
  ) -> Value {
    memo.value(at: space.state) {
      var section = Section(space.root(of: [key]), in: "the experiment", faults: faults)
      return body(&section)
    }
  }

  /// `auto` is this machine's; naming what it lacks is a fault.
  private static func numerics(_ parent: inout Section) -> NumericsFields {
    var numerics = NumericsFields(threads: Processor.cores, isa: Processor.instructionSet)
    guard var section = parent.section("numerics") else { return numerics }
    if let node = section.node("threads"), !node.isAuto {
      numerics.threads = section.int("threads", in: 1...256)
    }
    if let node = section.node("isa"), !node.isAuto {
      let isa = section.choice("isa", of: NumericsFields.InstructionSet.self)
      if isa > numerics.isa {
        section.faults.add(
          node.diagnostic("this processor has no \(isa.rawValue), only \(numerics.isa.rawValue)"))
      }
      numerics.isa = isa
    }
    section.rejectUnknownKeys()
    parent.adopt(section, at: "numerics")
    return numerics
  }
}

extension Node {
  fileprivate var isAuto: Bool { if case .string("auto") = value { true } else { false } }
}
