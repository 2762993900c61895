//! What a network costs under an experiment's quantizers: AutoQKeras's stats block and listing. Runs
//! nothing and reads no data.

package import Diagnostics
package import Files
import Networks
import Specs

/// What a command line says about which network to count.
package struct StatisticsRequest: Sendable {
  /// An experiment's file, a pipeline's, or a network's kind.
  package var target: String
  /// A listing that stands in for the experiment's quantizers.
  package var quantizers: String?
  /// `a.b=VALUE`, in the order given.
  package var overrides: [String]
  /// What `${data}` stands for.
  package var data: String
  /// A variable of the environment, for files that declare it.
  package var variable: @Sendable (String) -> String?

  package init(
    target: String, quantizers: String? = nil, overrides: [String] = [], data: String = "data",
    variable: @escaping @Sendable (String) -> String? = { _ in nil }
  ) {
    self.target = target
    self.quantizers = quantizers
    self.overrides = overrides
    self.data = data
    self.variable = variable
  }
}

/// A network's bits with its quantizers, and what a search's goal makes of them.
package struct NetworkStatistics: Sendable {
  private let experiment: String?
  private let network: Network
  /// The network as stages would get it.
  package let architecture: NetworkFields
  private let map: QuantizerMap
  private let factor: ForgivingFactor
  package let warnings: [Diagnostic]

  package init(_ request: StatisticsRequest) throws(InvalidSpec) {
    let loader = PipelineLoader(
      PipelineRequest(
        path: request.target, overrides: request.overrides, data: request.data,
        requiresFiles: false, variable: request.variable))
    func listing(_ node: Node) -> Node { node.taking(listing: request.quantizers) }
    let isKind = Network.kinds.contains(request.target) && !Files.exists(request.target)
    if !isKind { try Self.checkKind(request.target) }
    let spec =
      isKind
      ? try Self.alone(request, changing: listing, faults: loader.faults)
      : loader.experiment(changing: listing)
    guard let spec, let network = spec.architecture, let architecture = spec.network,
      loader.errors.isEmpty
    else {
      throw InvalidSpec(loader.errors)
    }
    experiment = isKind ? nil : spec.name
    self.network = network
    self.architecture = architecture
    map = spec.quantizers?.map ?? .float
    factor = ForgivingFactor(spec.search?.fields.goal ?? .autoQKeras)
    warnings = loader.warnings
  }

  /// A word that is neither a file nor a network.
  private static func checkKind(_ target: String) throws(InvalidSpec) {
    guard !target.contains("/"), !target.contains("."), !Files.exists(target) else { return }
    throw InvalidSpec([
      Diagnostic(
        "`\(target)` is neither a file nor a network",
        suggestion: closest(to: target, among: Network.kinds).map { "did you mean `\($0)`?" }
          ?? "the networks are \(Network.kinds.joined(separator: ", "))")
    ])
  }

  private static func alone(
    _ request: StatisticsRequest, changing change: (Node) -> Node, faults: FaultCollector
  ) throws(InvalidSpec) -> ExperimentSpec {
    if let override = request.overrides.first {
      throw InvalidSpec([
        Diagnostic(
          "a network alone has no fields that `--set \(override)` could change",
          suggestion: "name an experiment")
      ])
    }
    let source = SourceText(file: request.target, bytes: Array(request.target.utf8))
    let place = SourceLocation(file: request.target, line: 1, column: 1)
    let name = Node(.string(request.target), at: place, text: request.target, source: source)
    let root = Node(.mapping([]), at: place, source: source).applying([
      Override(path: ["experiment"], node: name), Override(path: ["network", "kind"], node: name),
    ])
    let space = FieldSpace(
      pipeline: nil, experiment: change(root),
      variables: VariableScope(data: request.data, variable: { _ in nil }), faults: faults)
    let spec = ExperimentSpec(space, hasData: false)
    spec.read()
    return spec
  }

  /// The stats block, and a line for every layer with slots. A network in float32 has its reference
  /// alone in the block.
  package var text: String {
    QuantizerListing.text(of: network, under: map, factor: factor)
  }

  /// The same as one object; `trial` and `delta` are null for a network in float32, `network` for
  /// one of the user's own.
  package var json: JSONValue {
    let kind: JSONValue = if case .kind(let kind) = architecture { .string(kind) } else { .null }
    let statistics = BitStatistics(of: network, under: map, factor: factor)
    return .object([
      "experiment": experiment.map { .string($0) } ?? .null,
      "network": kind,
      "delta_p": .double(factor.deltaP / 100), "delta_n": .double(factor.deltaN / 100),
      "rate": .double(factor.rate), "stress": .double(factor.stress),
      "reference_size": .int(statistics.stressedReference),
      "reference": Self.object(statistics.reference),
      "trial": statistics.trial.map(Self.object) ?? .null,
      "delta": statistics.delta.map { .double($0) } ?? .null,
      "slots": .array(network.slots.map(object)),
    ])
  }

  private static func object(_ cost: BitCost) -> JSONValue {
    .object([
      "activation_bits": .int(cost.activationBits), "parameter_bits": .int(cost.parameterBits),
      "total_bits": .int(cost.totalBits),
    ])
  }

  private func object(_ slot: Slot) -> JSONValue {
    .object([
      "name": .string(slot.name), "role": .string(slot.role.rawValue),
      "class": .string(slot.layerClass), "elements": .int(slot.elements),
      "bits": .int(map[slot]?.bits ?? 32),
      "quantizer": map[slot].map { .string($0.description) } ?? .null,
    ])
  }
}

extension ForgivingFactor {
  package init(_ goal: GoalFields) {
    self.init(deltaP: goal.deltaP, deltaN: goal.deltaN, rate: goal.rate, stress: goal.stress)
  }
}

extension GoalFields {
  /// The thesis's settings of AutoQKeras, where an experiment says nothing.
  static let autoQKeras = GoalFields(kind: .bits, deltaP: 5, deltaN: 5, rate: 2, stress: 1)
}

extension Node {
  /// This experiment with a listing from the command line in place of its own and of its exceptions;
  /// its defaults by role stay, for what the listing leaves out.
  fileprivate func taking(listing path: String?) -> Node {
    guard let path else { return self }
    let argument = "--quantizers \(path)"
    let source = SourceText(file: argument, bytes: Array(path.utf8))
    let node = Node(
      .string(path.replacing("$", with: "$$")),
      at: SourceLocation(file: argument, line: 1, column: 1),
      length: path.unicodeScalars.count, text: path, source: source)
    var result = self
    if case .mapping(var entries) = value,
      let index = entries.firstIndex(where: { $0.name == "quantizers" }),
      case .mapping(let kept) = entries[index].value.value
    {
      entries[index].value.value = .mapping(kept.filter { $0.name != "layers" })
      result.value = .mapping(entries)
    }
    return result.applying([Override(path: ["quantizers", "file"], node: node)])
  }
}
