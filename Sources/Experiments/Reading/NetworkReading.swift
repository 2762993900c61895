//! The `network` section of an experiment: a kind that the program knows, or layers. Checks that the
//! data's examples are inputs of the network.

import Diagnostics
import Networks
import Specs

/// The experiment's network, and where it was written.
struct NetworkSpec {
  var network: Network
  /// As stages get it.
  var fields: NetworkFields
  /// What names the kind, or the input's shape.
  private var input: Node
  /// What names the kind, or the last layer.
  private(set) var output: Node

  /// Nil after faults.
  init?(_ parent: inout Section, _ root: Node) {
    let faults = parent.faults
    guard var section = parent.section("network") else {
      if !parent.has("network"), !root.hasMisspelt("network") {
        faults.add(
          root.diagnostic(
            "the experiment needs `network`",
            suggestion: "write `network: {kind: resnet}`"))
      }
      return nil
    }
    defer { parent.adopt(section, at: "network") }
    guard section.has("layers") else {
      guard let (network, node) = Self.known(&section) else { return nil }
      self.network = network
      fields = .kind(network.name)
      (input, output) = (node, node)
      return
    }
    if let node = section.node("kind") {
      faults.add(node.diagnostic("a network has a kind, or layers of its own, not both"))
    }
    guard let (network, nodes) = OwnNetworkReader.read(&section), let output = nodes.last else {
      return nil
    }
    self.network = network
    fields = NetworkFields(network)
    input = section.node["input"] ?? section.node
    self.output = output
    for (index, node) in nodes.enumerated() {
      section.note("layers[\(index)]", at: node.location)
    }
  }

  private static func known(_ section: inout Section) -> (Network, Node)? {
    if !section.has("kind"), section.has("input") || section.has("defaults") {
      section.faults.add(section.node.diagnostic("a network without a kind needs `layers`"))
      return nil
    }
    let kind = section.string("kind")
    let place = section.node["kind"]
    section.rejectUnknownKeys()
    guard let place, case .string = place.value else { return nil }
    if let network = Network.named(kind) { return (network, place) }
    let known = "known: " + Network.kinds.joined(separator: ", ")
    section.faults.add(
      place.diagnostic(
        "there is no network `\(kind)`",
        suggestion: closest(to: kind, among: Network.kinds).map { "did you mean `\($0)`?" }
          ?? known))
    return nil
  }

  /// Adds a fault where the data's examples are no inputs of the network.
  func check(fits data: DatasetSpec, faults: FaultCollector) {
    guard network.inputShape != data.exampleShape else { return }
    faults.add(
      input.diagnostic(
        "\(network.name) reads \(Shape.text(network.inputShape)), and "
          + "\(data.fields.kind.rawValue) has \(Shape.text(data.exampleShape))"))
  }
}
