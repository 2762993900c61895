//! From the path that a user gives to stages that can be planned: both files, `set` and `--set`.
//! Every fault of all of them is reported at once.

package import Diagnostics
import Files
package import Pipeline
import Specs

/// What a command line says about which pipeline to work on.
package struct PipelineRequest: Sendable {
  /// A pipeline's file, or an experiment's: then the pipeline of its name is meant.
  package var path: String
  /// `a.b=VALUE`, in the order given.
  package var overrides: [String]
  /// What `${data}` stands for.
  package var data: String
  /// Whether a missing source file is a fault, or only a warning.
  package var requiresFiles: Bool

  package init(
    path: String, overrides: [String] = [], data: String = "data", requiresFiles: Bool = true
  ) {
    self.path = path
    self.overrides = overrides
    self.data = data
    self.requiresFiles = requiresFiles
  }
}

/// A pipeline whose every field is known.
package struct ResolvedPipeline: Sendable {
  package var name: String
  /// Nil where every stage is a command.
  package var experiment: String?
  package var graph: StageGraph
  package var warnings: [Diagnostic]

  package init(_ request: PipelineRequest) throws(InvalidSpec) {
    let loader = PipelineLoader(request)
    guard let resolved = loader.resolve() else { throw InvalidSpec(loader.errors) }
    self = resolved
  }

  /// The warnings of an experiment that no pipeline of its name belongs to; nil for other files.
  static func checkExperimentAlone(
    _ request: PipelineRequest
  ) throws(InvalidSpec) -> [Diagnostic]? {
    let loader = PipelineLoader(request)
    guard let warnings = loader.checkExperimentAlone() else { return nil }
    if !loader.errors.isEmpty { throw InvalidSpec(loader.errors) }
    return warnings
  }

  fileprivate init(
    name: String, experiment: String?, graph: StageGraph, warnings: [Diagnostic]
  ) {
    self.name = name
    self.experiment = experiment
    self.graph = graph
    self.warnings = warnings
  }
}

/// One reading of a pipeline and its experiment.
struct PipelineLoader {
  let request: PipelineRequest
  let faults = FaultCollector()

  init(_ request: PipelineRequest) { self.request = request }

  var warnings: [Diagnostic] { faults.diagnostics.filter { $0.severity == .warning } }

  /// Without warnings, each fault once.
  var errors: [Diagnostic] {
    var seen: Set<Diagnostic> = []
    return faults.diagnostics.filter { $0.severity == .error && seen.insert($0).inserted }
  }

  func resolve() -> ResolvedPipeline? {
    let overrides = request.overrides.compactMap { text in
      collect { () throws(InvalidSpec) in try Override(parsing: text) }
    }
    guard let (path, node) = pipelineNode() else { return nil }
    var sources = SourceLines()
    sources.add(node)
    let root = expandedPipeline(node.applying(overrides.filter { $0.path.first == "stages" }))
    let pipeline = PipelineSpec(root, faults: faults)
    let ours = pipeline.overrides + overrides.filter { $0.path.first != "stages" }
    let spec: ExperimentSpec
    if pipeline.needsExperiment {
      guard let experiment = experimentNode(of: pipeline, at: path) else { return nil }
      sources.add(experiment)
      spec = ExperimentSpec(expanded(experiment.applying(ours)), faults: faults)
    } else {
      spec = ExperimentSpec(absentFrom: root)
      for override in ours {
        faults.add(
          override.node.diagnostic(
            "there is no experiment whose `\(override.path.joined(separator: "."))` could change",
            suggestion: "name a field of a stage: `stages.NAME.FIELD`"))
      }
    }

    let stages = StageResolver(pipeline: pipeline, spec: spec, faults: faults).stages()
    checkNeeds(pipeline)
    if !hasErrors { checkFiles(of: stages, spec: spec, pipeline: pipeline) }
    // With other faults the graph of names alone is checked, so that its faults are told as well.
    let graph = graph(of: hasErrors ? pipeline.outline : stages, sources: sources)
    guard !hasErrors, let graph else { return nil }
    return ResolvedPipeline(
      name: pipeline.name, experiment: pipeline.needsExperiment ? spec.name : nil, graph: graph,
      warnings: warnings)
  }

  /// The experiment that a path names, or that its pipeline is over, with all overrides, whose data
  /// do not matter; `change` is applied last. Nil after faults.
  func experiment(changing change: (Node) -> Node) -> ExperimentSpec? {
    let overrides = request.overrides.compactMap { text in
      collect { () throws(InvalidSpec) in try Override(parsing: text) }
    }
    guard let node = load(request.path) else { return nil }
    var experiment = node
    var ours = overrides
    if !Self.isExperiment(node) {
      ours = overrides.filter { $0.path.first != "stages" }
      let root = expandedPipeline(node.applying(overrides.filter { $0.path.first == "stages" }))
      let pipeline = PipelineSpec(root, faults: faults)
      guard let named = experimentNode(of: pipeline, at: request.path) else { return nil }
      experiment = named.applying(pipeline.overrides)
    }
    let spec = ExperimentSpec(
      change(expanded(experiment.applying(ours))), hasData: false, faults: faults)
    return hasErrors ? nil : spec
  }

  func checkExperimentAlone() -> [Diagnostic]? {
    guard let node = try? YAML.load(path: request.path, shownAs: request.path),
      Self.isExperiment(node), !Files.exists(defaultPipeline)
    else { return nil }
    let overrides = request.overrides.compactMap { text in
      collect { () throws(InvalidSpec) in try Override(parsing: text) }
    }
    _ = ExperimentSpec(expanded(node.applying(overrides)), faults: faults)
    return warnings
  }

  private var hasErrors: Bool { faults.diagnostics.contains { $0.severity == .error } }

  // MARK: Files

  private func pipelineNode() -> (String, Node)? {
    guard let node = load(request.path) else { return nil }
    guard Self.isExperiment(node) else { return (request.path, node) }
    let path = defaultPipeline
    guard Files.exists(path) else {
      faults.add(
        node.diagnostic(
          "\(request.path) is an experiment, and there is no pipeline of its name",
          suggestion: "write \(path), or name another pipeline"))
      return nil
    }
    return load(path).map { (path, $0) }
  }

  private static func isExperiment(_ node: Node) -> Bool {
    node["pipeline"] == nil && node["experiment"] != nil && node["stages"] == nil
  }

  /// Of an experiment's name, where pipelines are.
  private var defaultPipeline: String {
    PathText.join(
      PathText.sibling(of: request.path, folder: "pipelines"),
      PathText.stem(of: request.path) + ".yaml")
  }

  private func experimentNode(of pipeline: PipelineSpec, at path: String) -> Node? {
    let (text, place) = pipeline.experiment
    guard !text.isEmpty, let place else { return nil }
    if text.contains("/") || text.hasSuffix(".yaml") { return load(text) }
    let folder = PathText.sibling(of: path, folder: "experiments")
    let candidates = [folder, "experiments"].map { PathText.join($0, text + ".yaml") }
    if let found = candidates.first(where: Files.exists) { return load(found) }
    let names = ((try? Files.list(folder)) ?? []).filter { $0.hasSuffix(".yaml") }
      .map { PathText.stem(of: $0) }
    faults.add(
      place.diagnostic(
        "there is no experiment `\(text)`: no file \(candidates[0])",
        suggestion: closest(to: text, among: names).map { "did you mean `\($0)`?" }))
    return nil
  }

  private func load(_ path: String) -> Node? {
    collect { () throws(InvalidSpec) in try YAML.load(path: path, shownAs: path) }
  }

  private func expanded(_ node: Node) -> Node {
    Interpolation.expand(node, variables: ["data": request.data], faults: faults)
  }

  /// What stands in `run` is for the stage to fill in.
  private func expandedPipeline(_ node: Node) -> Node {
    var result = node
    guard case .mapping(var entries) = node.value else { return expanded(node) }
    for index in entries.indices {
      guard entries[index].name == "stages", case .mapping(var stages) = entries[index].value.value
      else {
        entries[index].value = expanded(entries[index].value)
        continue
      }
      for stage in stages.indices {
        guard case .mapping(var fields) = stages[stage].value.value else { continue }
        for field in fields.indices where fields[field].name != "run" {
          fields[field].value = expanded(fields[field].value)
        }
        stages[stage].value.value = .mapping(fields)
      }
      entries[index].value.value = .mapping(stages)
    }
    result.value = .mapping(entries)
    return result
  }

  private func collect<Value>(_ body: () throws(InvalidSpec) -> Value) -> Value? {
    do {
      return try body()
    } catch {
      for diagnostic in error.diagnostics { faults.add(diagnostic) }
      return nil
    }
  }

  // MARK: Checks between stages

  /// Needing a stage that makes no network.
  private func checkNeeds(_ pipeline: PipelineSpec) {
    for entry in pipeline.stages {
      guard let needs = entry.needs,
        let producer = pipeline.stages.first(where: { $0.name == needs.name }),
        !producer.kind.makesModel
      else { continue }
      let does = producer.kind == .command ? "runs a program" : "only measures"
      faults.add(
        needs.node.diagnostic(
          "`\(needs.name)` \(does): there is no network of its own to work on",
          suggestion: producer.needs.map { "did you mean `\($0.name)`?" }))
    }
  }

  private func graph(of stages: [Stage], sources: SourceLines) -> StageGraph? {
    do {
      return try StageGraph(stages)
    } catch {
      for diagnostic in error.diagnostics { faults.add(sources.showing(diagnostic)) }
      return nil
    }
  }

  private func checkFiles(of stages: [Stage], spec: ExperimentSpec, pipeline: PipelineSpec) {
    for input in pipeline.stages.flatMap({ $0.command?.inputs ?? [] })
    where !Files.exists(input.path) {
      report(
        input.node.diagnostic("there is no file or folder \(input.path)"))
    }

    var missing: [String] = []
    var folders: [String] = []
    var lacksPretrained = false
    for stage in stages where stage.command == nil {
      for (role, source) in stage.inputs {
        guard case .file(let path, _) = source, !Files.exists(path) else { continue }
        if role == InputRole.pretrained {
          lacksPretrained = true
        } else if stage.kind == StageKind.prepareData.rawValue {
          folders.append(path)
        } else if let name = path.split(separator: "/").last.map(String.init),
          !missing.contains(name)
        {
          missing.append(name)
        }
      }
    }
    if let dataset = spec.dataset, let root = dataset.root, !missing.isEmpty {
      report(dataset.missing(missing.sorted(), at: root))
    }
    for diagnostic in spec.dataset?.missing(folders) ?? [] { report(diagnostic) }
    if lacksPretrained, let (path, node) = spec.pretrained {
      report(
        node.diagnostic(
          "the pretrained weights are missing: no file \(path)",
          suggestion: "name them with `--set pretrained.path=FILE` or their folder with "
            + "`--data DIR`; pipelines/quickstart.yaml trains a network of its own instead"))
    }
  }

  private func report(_ diagnostic: Diagnostic) {
    var diagnostic = diagnostic
    if !request.requiresFiles { diagnostic.severity = .warning }
    faults.add(diagnostic)
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
