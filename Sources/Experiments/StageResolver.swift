//! Stages of a pipeline with the fields that an experiment gives them. Knows neither keys nor what
//! has run.

import Diagnostics
import Files
import Networks
import Pipeline
import Specs

/// Joins a pipeline's entries with an experiment's sections; faults are collected.
struct StageResolver {
  let pipeline: String
  let spec: ExperimentSpec
  let faults: FaultCollector

  private typealias Inputs = [(role: String, source: Source)]

  /// Stands where `complete` will put the seed.
  private static let noSeed = 0

  /// Gives a stage that trains its seed, and a search what it chooses among.
  ///
  /// - Returns: what of its fields other stages share, and the fields without it.
  func complete(
    _ stage: inout Stage, of kind: StageKind
  ) -> (own: JSONValue, shared: FieldPart?) {
    guard kind.trains, case .object(var fields) = stage.fields else { return (stage.fields, nil) }
    fields["seed"] = .int(spec.seed)
    stage.locations["seed"] = spec.seedLocations["seed"]
    stage.fields = .object(fields)
    let own = stage.fields
    guard kind == .search, let choices = spec.choices, case .object(var search)? = fields["search"]
    else { return (own, nil) }
    search["choices"] = choices.json
    fields["search"] = .object(search)
    stage.fields = .object(fields)
    return (own, choices)
  }

  /// The stage of an entry, one that trains without its seed and a search without its choices, which
  /// other fields of a sweep leave as they are; nil after faults.
  func stage(_ entry: StageEntry) -> Stage? {
    switch entry.kind {
    case .prepareData, .command: nil
    case .loadPretrained: loadPretrained(entry)
    case .pretrain: pretrain(entry)
    case .quantize: quantize(entry)
    case .search: search(entry)
    case .switchAlpha: switchAlpha(entry)
    case .fineTune: fineTune(entry)
    case .evaluate: evaluate(entry)
    }
  }

  // MARK: Kinds

  private func loadPretrained(_ entry: StageEntry) -> Stage? {
    guard let network = spec.network,
      let pretrained = present(spec.pretrained, "pretrained", for: entry)
    else { return nil }
    let file = Source.file(path: pretrained.path, location: pretrained.node.location)
    return make(
      entry, LoadPretrainedFields(network: network), inputs: [(InputRole.pretrained, file)])
  }

  private func pretrain(_ entry: StageEntry) -> Stage? {
    let section = entry.training.overriding(spec.pretrain).overriding(spec.training)
    guard let network = spec.network, let dataset = spec.dataset,
      let training = training(section, of: entry)
    else { return nil }
    let fields = PretrainFields(
      network: network, dataset: dataset.training(section, training), training: training,
      seed: Self.noSeed, numerics: spec.numerics)
    return make(
      entry, fields, locations: trainingLocations(section), inputs: files(of: training),
      computes: true)
  }

  private func quantize(_ entry: StageEntry) -> Stage? {
    guard let network = spec.network,
      let quantizers = present(spec.quantizers, "quantizers", for: entry)
    else { return nil }
    return make(
      entry, QuantizeFields(network: network, quantizers: quantizers.map),
      locations: quantizers.locations.nested(under: "quantizers"))
  }

  private func search(_ entry: StageEntry) -> Stage? {
    guard let network = spec.network, let dataset = spec.dataset,
      let search = present(spec.search, "search", for: entry)
    else { return nil }
    let section = entry.training.overriding(search.training).overriding(spec.training)
    guard var training = training(section, of: entry) else { return nil }
    if training.loss == .meanSquaredError, training.scoreMetric != .autoQKeras {
      // What AutoQKeras scores a regression by.
      training.metrics.append(.autoQKeras)
    }
    guard let score = training.scoreMetric else {
      faults.add(entry.key.diagnostic("stage `\(entry.name)` scores by a metric: list one"))
      return nil
    }
    if training.callbacks.modelCheckpoint == nil {
      // A trial's score is its best epoch's, so the weights that it hands on are too.
      training.callbacks.modelCheckpoint = ModelCheckpointFields(
        monitor: MonitorKind(validating: score), mode: .max)
    }
    if training.callbacks.earlyStopping == nil {
      // AutoQKeras's, for trials whose user asks for none.
      training.callbacks.earlyStopping = EarlyStoppingFields(
        monitor: .valLoss, mode: .min, patience: min(20, training.epochs / 5), minDelta: 0,
        startFromEpoch: 0, restoreBestWeights: false)
    }
    if let stopping = search.fields.stopping, stopping.afterEpochs >= training.epochs,
      let node = search.stopping
    {
      faults.add(
        node.diagnostic(
          "trials have \(training.epochs) epochs: none can be stopped after "
            + "\(stopping.afterEpochs)"))
    }
    var shortened = search.fields
    shortened.choices = []
    let fields = SearchStageFields(
      network: network, dataset: dataset.training(section, training), training: training,
      search: shortened, seed: Self.noSeed,
      numerics: NumericsFields(threads: search.threads, isa: spec.numerics.isa))
    var locations = trainingLocations(section)
    locations.merge(search.locations.nested(under: "search")) { mine, _ in mine }
    var stage = make(
      entry, fields, locations: locations, inputs: files(of: training), computes: true)
    // How many of the batch run at once is for the run to say.
    stage.resources.cores = search.fields.batch * search.threads
    stage.locations["numerics.threads"] = search.threadsLocation
    return stage
  }

  private func switchAlpha(_ entry: StageEntry) -> Stage? {
    guard let network = spec.network, let to = entry.to else { return nil }
    let fields = SwitchAlphaFields(network: network, to: to, layers: layers(of: entry))
    return make(entry, fields, locations: entry.locations)
  }

  private func fineTune(_ entry: StageEntry) -> Stage? {
    let section = entry.training.overriding(spec.fineTune).overriding(spec.training)
    guard let network = spec.network, let dataset = spec.dataset,
      let training = training(section, of: entry)
    else { return nil }
    let fields = FineTuneFields(
      network: network, dataset: dataset.training(section, training), training: training,
      seed: Self.noSeed, numerics: spec.numerics)
    return make(
      entry, fields, locations: trainingLocations(section), inputs: files(of: training),
      computes: true)
  }

  private func evaluate(_ entry: StageEntry) -> Stage? {
    guard let network = spec.network, let dataset = spec.dataset else { return nil }
    let training = spec.training.fields(epochs: 1)
    check(spec.training, of: entry).check(training.loss, training.metrics)
    let fields = EvaluateFields(
      network: network, dataset: dataset.test, loss: training.loss, metrics: training.metrics,
      l2: training.l2, batchSize: spec.evaluateBatchSize, numerics: spec.numerics)
    var locations = dataset.locations.nested(under: "dataset")
    for key in ["loss", "metrics", "l2"] { locations[key] = spec.training.locations[key] }
    locations["batch_size"] = spec.evaluateLocations["batch_size"]
    return make(
      entry, fields, locations: locations, inputs: files(training: false), computes: true)
  }

  // MARK: Parts

  private func present<Section>(
    _ section: Section?, _ key: String, for entry: StageEntry
  ) -> Section? {
    if section == nil, !spec.mentions(key) {
      faults.add(
        spec.node.diagnostic(
          "the experiment needs `\(key)` for stage `\(entry.name)`", suggestion: nil,
          notes: [Diagnostic.Note("the stage is here", at: entry.key.location)]))
    }
    return section
  }

  private func training(_ section: TrainingSection, of entry: StageEntry) -> TrainingFields? {
    guard let epochs = section.epochs else {
      let key = entry.kind.rawValue
      // A misspelt one is told where it stands.
      if ![key, "training"].contains(where: { spec.hasMisspelt("epochs", in: $0) }) {
        faults.add(
          entry.key.diagnostic(
            "stage `\(entry.name)` needs `epochs`",
            suggestion: "write it into the experiment's `\(key)` or `training`"))
      }
      return nil
    }
    let fields = section.fields(epochs: epochs)
    check(section, of: entry).check(
      fields, validates: spec.dataset?.fields.split?.validation != 0)
    return fields
  }

  private func check(_ section: TrainingSection, of entry: StageEntry) -> TrainingCheck {
    TrainingCheck(
      network: spec.networkSpec, data: spec.dataset, entry: entry, faults: faults,
      nodes: section.nodes)
  }

  private func layers(of entry: StageEntry) -> [String]? {
    guard let nodes = entry.layers, let network = spec.architecture else { return nil }
    let patterns: [SlotPattern] = nodes.compactMap { node in
      guard case .string(let text) = node.value else {
        faults.add(node.diagnostic("a layer is a name, a class or a regex"))
        return nil
      }
      return SlotPattern(text, at: node, for: network, faults: faults)
    }
    var all: [String] = []
    var chosen: [String] = []
    for slot in network.slots where all.last != slot.name {
      all.append(slot.name)
      if patterns.contains(where: { $0.matches(slot) }) { chosen.append(slot.name) }
    }
    // Naming every layer is naming none: one spelling, one key.
    return chosen == all ? nil : chosen
  }

  private func files(training: Bool) -> [(role: String, source: Source)] {
    if let dataset = spec.dataset, let preparation = dataset.preparation {
      let part: PrepareDataFields.Part = training ? .training : .test
      if let lack = preparation[part].lack {
        faults.add(lack)
        return []
      }
      return [(InputRole.data(part), .stage(part.stage))]
    }
    guard let dataset = spec.dataset, dataset.fields.source == .real, let root = dataset.rootPath,
      let node = dataset.root
    else { return [] }
    var files = dataset.fields.files(training: training).map { name in
      (
        role: InputRole.dataset(name),
        source: Source.file(path: PathText.join(root, name), location: node.location)
      )
    }
    if !training, let index = dataset.testIndex {
      let source = Source.file(path: index.path, location: index.node.location)
      files.append((InputRole.testIndex, source))
    }
    return files
  }

  private func files(of training: TrainingFields) -> [(role: String, source: Source)] {
    files(training: true) + (training.testMetrics ? files(training: false) : [])
  }

  private func trainingLocations(_ section: TrainingSection) -> [String: SourceLocation] {
    var locations = (spec.dataset?.locations ?? [:]).nested(under: "dataset")
    if section.subset != nil {
      locations = locations.filter { !$0.key.hasPrefix("dataset.subset") }
    }
    for (path, location) in section.locations {
      let isOfData = path == "augment" || path == "subset" || path.hasPrefix("subset.")
      locations[isOfData ? "dataset.\(path)" : "training.\(path)"] = location
    }
    return locations
  }

  private func make(
    _ entry: StageEntry, _ fields: some Encodable, locations: [String: SourceLocation] = [:],
    inputs: [(role: String, source: Source)] = [], computes: Bool = false
  ) -> Stage {
    var inputs = inputs
    if let needs = entry.needs {
      inputs.insert(
        (InputRole.model, .stage(needs.name, location: needs.node.location)), at: 0)
    }
    var places = locations
    places.merge(spec.networkLocations) { $1 }
    // What a stage does not ask for does not make it another at another point of a sweep.
    if computes { places.merge(spec.numericsLocations) { $1 } }
    places["needs"] = entry.needs?.node.location
    return Stage(
      name: entry.name, kind: entry.kind.rawValue, version: entry.kind.version,
      fields: Self.json(fields, of: entry.name), locations: places, inputs: inputs,
      location: entry.key.location,
      resources: Resources(
        cores: computes ? spec.numerics.threads : 1, memoryGB: entry.memoryGB),
      unkeyed: .object([
        "experiment": .string(spec.name), "pipeline": .string(pipeline),
        "stage": .string(entry.name),
      ]),
      environment: computes ? spec.numerics.environment : [:], retries: entry.retries)
  }

  private static func json(_ fields: some Encodable, of name: String) -> JSONValue {
    do {
      return try JSONValue(encoding: fields)
    } catch {
      preconditionFailure("the fields of \(name) have no JSON: \(error)")
    }
  }

  /// The stage that prepares one part of the data. What it makes does not depend on its threads.
  func preparing(_ part: PrepareDataFields.Part) -> Stage? {
    guard let dataset = spec.dataset, let preparation = dataset.preparation?[part] else {
      return nil
    }
    var locations: [String: SourceLocation] = [:]
    for (path, location) in dataset.locations {
      locations[path] = location
      for (name, section) in [
        ("log_mel", "features"), ("mfcc", "features"), ("words", "split"),
      ] where path.hasPrefix(section) {
        locations[name + path.dropFirst(section.count)] = location
      }
    }
    let kind = StageKind.prepareData
    return Stage(
      name: part.stage, kind: kind.rawValue, version: kind.version,
      fields: Self.json(preparation.fields, of: part.stage), locations: locations,
      inputs: preparation.folders.map {
        (InputRole.dataset($0.role), .file(path: $0.path, location: $0.node.location))
      },
      location: dataset.location, resources: Resources(cores: spec.numerics.threads),
      unkeyed: .object([
        "experiment": .string(spec.name), "pipeline": .string(pipeline),
        "stage": .string(part.stage), "threads": .int(spec.numerics.threads),
      ]))
  }
}

extension DatasetSpec {
  fileprivate func training(
    _ section: TrainingSection, _ training: TrainingFields
  ) -> DatasetFields {
    var part = self.training(subset: section.subset, augments: section.augment ?? true)
    if training.testMetrics {
      part.synthetic?.testImages = fields.synthetic?.testImages
      if let test = fields.subset?.test {
        part.subset = part.subset ?? SubsetFields()
        part.subset?.test = test
      }
    }
    return part
  }
}
