//! From the path that a user gives to stages that can be planned: both files, `set` and `--set`, and
//! every point of a sweep. Every fault of all of them is reported at once.

import Diagnostics
import Files
import Pipeline
import Specs

/// One reading of a pipeline and its experiment.
struct PipelineLoader {
  /// Stages that one graph may have.
  private static let stageLimit = 1_000_000

  let request: PipelineRequest
  let faults = FaultCollector()
  private let composer: Composer
  private let overrides: [Override]

  init(_ request: PipelineRequest) {
    self.request = request
    composer = Composer(faults: faults)
    var overrides: [Override] = []
    for text in request.overrides {
      do {
        overrides.append(try Override(parsing: text))
      } catch {
        for diagnostic in error.diagnostics { faults.add(diagnostic) }
      }
    }
    self.overrides = overrides
  }

  var warnings: [Diagnostic] { faults.diagnostics.filter { $0.severity == .warning } }
  var errors: [Diagnostic] { faults.diagnostics.filter { $0.severity == .error } }

  /// Reads all points; nil after faults.
  func check() -> CheckedPipeline? {
    guard let (path, written) = pipelineNode() else { return nil }
    let root = written.applying(overrides.filter(\.isOfPipeline).map(\.ofSweep))
    var variables = scope(of: [root])
    let names = FieldSpace(pipeline: root, experiment: nil, variables: variables, faults: faults)
    let pipeline = PipelineSpec(root, faults: faults) { names.expanded($0) }
    let changes = pipeline.overrides + overrides.filter { !$0.isOfPipeline }
    var experiment: Node?
    if pipeline.needsExperiment {
      guard let node = experimentNode(of: pipeline, at: path) else {
        // What the pipeline itself says can be told.
        StageTemplates(pipeline, of: nil, in: names).read()
        return nil
      }
      variables.declare(in: node, faults: faults)
      experiment = node.applying(changes.filter { !$0.isOfVariables })
    } else {
      refuse(changes.filter { !$0.isOfVariables })
    }
    variables.apply(changes.filter(\.isOfVariables), faults: faults)
    let space = FieldSpace(
      pipeline: root, experiment: experiment, variables: variables, faults: faults)
    let sweep = pipeline.sweep.flatMap { read($0, of: pipeline, in: space, variables) }
    let spec = experiment.map { _ in ExperimentSpec(space) }
    let templates = StageTemplates(pipeline, of: spec, in: space)
    let points = points(of: sweep, in: space) { () -> [StageTemplate] in
      templates.read()
      spec?.read()
      let stages = templates.current()
      let graphFaults = templates.check(stages)
      if !graphFaults.isEmpty {
        var lines = SourceLines()
        lines.add(root)
        for fault in graphFaults { faults.add(lines.showing(fault)) }
      }
      return stages
    }
    if !faults.hasErrors {
      MissingFiles(of: templates.all, areFaults: request.requiresFiles).report(to: faults)
    }
    if faults.hasErrors { return nil }
    return CheckedPipeline(name: pipeline.name, experiment: spec?.name, points: points)
  }

  /// The stages of all points; nil after faults.
  func graph(of pipeline: CheckedPipeline) -> StageGraph? {
    guard pipeline.stageCount <= Self.stageLimit else {
      faults.add(
        Diagnostic("the sweep has \(pipeline.stageCount) stages, more than \(Self.stageLimit)"))
      return nil
    }
    var stages: [Stage] = []
    stages.reserveCapacity(pipeline.stageCount)
    for point in pipeline.points {
      for template in point.stages {
        stages.append(point.name.map { template.stage.at($0, point.label) } ?? template.stage)
      }
    }
    do {
      return try StageGraph(stages)
    } catch {
      for diagnostic in error.diagnostics { faults.add(diagnostic) }
      return nil
    }
  }

  /// The experiment that a path names, or that its pipeline is over, with all overrides, whose data
  /// do not matter; `change` is applied last. Nil after faults.
  func experiment(changing change: (Node) -> Node) -> ExperimentSpec? {
    guard let node = composer.load(request.path) else { return nil }
    var variables = scope(of: [node])
    var experiment = node
    var changes = overrides
    if !Self.isExperiment(node) {
      let root = node.applying(overrides.filter(\.isOfPipeline).map(\.ofSweep))
      let names = FieldSpace(pipeline: root, experiment: nil, variables: variables, faults: faults)
      let pipeline = PipelineSpec(root, faults: faults) { names.expanded($0) }
      guard let named = experimentNode(of: pipeline, at: request.path) else { return nil }
      variables.declare(in: named, faults: faults)
      experiment = named
      changes = pipeline.overrides + overrides.filter { !$0.isOfPipeline }
    }
    variables.apply(changes.filter(\.isOfVariables), faults: faults)
    let space = FieldSpace(
      pipeline: nil, experiment: change(experiment.applying(changes.filter { !$0.isOfVariables })),
      variables: variables, faults: faults)
    let spec = ExperimentSpec(space, hasData: false)
    spec.read()
    return faults.hasErrors ? nil : spec
  }

  /// Checks an experiment that no pipeline of its name belongs to; false for other files.
  func checkExperimentAlone() -> Bool {
    guard let experiment = composer.load(request.path), Self.isExperiment(experiment),
      !faults.lookups.exists(defaultPipeline)
    else { return false }
    var variables = scope(of: [experiment])
    variables.apply(overrides.filter(\.isOfVariables), faults: faults)
    let space = FieldSpace(
      pipeline: nil, experiment: experiment.applying(overrides.filter { !$0.isOfVariables }),
      variables: variables, faults: faults)
    ExperimentSpec(space).read()
    return true
  }

  // MARK: Files

  private func pipelineNode() -> (String, Node)? {
    guard let node = composer.load(request.path) else { return nil }
    guard Self.isExperiment(node) else { return (request.path, node) }
    let path = defaultPipeline
    guard faults.lookups.exists(path) else {
      faults.add(
        node.diagnostic(
          "\(request.path) is an experiment, and there is no pipeline of its name",
          suggestion: "write \(path), or name another pipeline"))
      return nil
    }
    return composer.load(path).map { (path, $0) }
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
    if text.contains("/") || text.hasSuffix(".yaml") { return composer.load(text) }
    let folder = PathText.sibling(of: path, folder: "experiments")
    let candidates = [folder, "experiments"].map { PathText.join($0, text + ".yaml") }
    if let found = candidates.first(where: { faults.lookups.exists($0) }) {
      return composer.load(found)
    }
    let names = ((try? Files.list(folder)) ?? []).filter { $0.hasSuffix(".yaml") }
      .map { PathText.stem(of: $0) }
    faults.add(
      place.diagnostic(
        "there is no experiment `\(text)`: no file \(candidates[0])",
        suggestion: closest(to: text, among: names).map { "did you mean `\($0)`?" }))
    return nil
  }

  // MARK: Parts

  private func scope(of roots: [Node]) -> VariableScope {
    var scope = VariableScope(data: request.data, variable: request.variable)
    for root in roots { scope.declare(in: root, faults: faults) }
    return scope
  }

  private func refuse(_ changes: [Override]) {
    for override in changes {
      faults.add(
        override.node.diagnostic(
          "there is no experiment whose `\(override.path.joined(separator: "."))` could change",
          suggestion: "name a field of a stage: `stages.NAME.FIELD`"))
    }
  }

  private func read(
    _ node: Node, of pipeline: PipelineSpec, in space: FieldSpace, _ variables: VariableScope
  ) -> Sweep? {
    if case .null = node.value { return nil }
    let check = SweptPaths(pipeline: pipeline, space: space, variables: variables)
    var reader = SweepReader(
      faults: faults, expand: { space.expanded($0) }, check: { check.fault(of: $0) })
    guard let sweep = reader.read(node) else { return nil }
    for override in overrides where !override.isOfSweep {
      guard let field = sweep.fields.first(where: { override.path.starts(with: $0.path) }) else {
        continue
      }
      let path = field.path.joined(separator: ".")
      faults.add(
        (override.key ?? override.node).diagnostic(
          "the sweep varies `\(path)`, whatever it is set to",
          suggestion: "write `--set 'sweep.product.\(path)=[...]'`"))
    }
    space.vary(sweep.fields)
    return sweep
  }

  /// Every point with its stages; points that come out equal are one.
  private func points(
    of sweep: Sweep?, in space: FieldSpace, read: () -> [StageTemplate]
  ) -> [CheckedPipeline.Point] {
    guard let sweep else { return [CheckedPipeline.Point(stages: read())] }
    var identities = PointIdentities(of: sweep)
    var points: [CheckedPipeline.Point] = []
    let (names, json) = (sweep.names, sweep.json)
    for (index, point) in sweep.points.enumerated() {
      space.state.point = point
      let stages = read()
      // Faults are enough to know then.
      if faults.hasErrors { continue }
      guard let id = identities.add(stages, named: names[index]) else { continue }
      let label: JSONValue = .object([
        "name": .string(names[index]), "id": .string(id), "values": sweep.values(of: point, json),
      ])
      points.append(CheckedPipeline.Point(name: names[index], label: label, stages: stages))
    }
    if let warning = identities.warning { faults.add(warning) }
    return points
  }
}

extension Override {
  fileprivate var isOfSweep: Bool { path.first == "sweep" }
  fileprivate var isOfPipeline: Bool { path.first == "stages" || isOfSweep }
  fileprivate var isOfVariables: Bool { path.first == "variables" }

  /// `sweep.product.fine_tune.epochs` names one field after `product`.
  fileprivate var ofSweep: Override {
    guard isOfSweep else { return self }
    let start = path.indices.dropFirst().first { ["product", "zip"].contains(path[$0]) }
    guard let start, start + 1 < path.count else { return self }
    var result = self
    result.path = Array(path[...start]) + [path[(start + 1)...].joined(separator: ".")]
    return result
  }
}

extension Stage {
  /// The stage at a point, which needs other stages of the same point.
  fileprivate func at(_ point: String, _ label: JSONValue?) -> Stage {
    var stage = self
    stage.name = "\(point)/\(name)"
    stage.inputs = inputs.map { role, source in
      guard case .stage(let needed, let location) = source else { return (role, source) }
      return (role, .stage("\(point)/\(needed)", location: location))
    }
    if case .object(var members) = unkeyed {
      members["point"] = label
      stage.unkeyed = .object(members)
    }
    return stage
  }
}
