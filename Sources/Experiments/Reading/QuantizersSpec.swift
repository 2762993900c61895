//! The `quantizers` section of an experiment: a map of its network, from a listing, from defaults by
//! role, and from exceptions. Knows no tensor.

import Diagnostics
import Files
import Networks
import Specs

/// The experiment's quantizers, attached to the slots of its network.
struct QuantizersSpec {
  var map = QuantizerMap()
  /// From `kernels.conv2d` to where its string was written.
  var locations: [String: SourceLocation] = [:]

  private struct Exception {
    var pattern: SlotPattern
    var choices: [Choice]
  }

  /// An exception wins over the listing, the listing over a default.
  init(_ section: inout Section, for network: Network) {
    let faults = section.faults
    section.takesText("file")
    let listing = section.node("file").flatMap { Self.listing($0, for: network, faults: faults) }
    var flat: [Choice] = []
    for role in [Slot.Role.kernel, .bias, .activation] {
      guard let node = section.node(role.rawValue),
        let choice = QuantizerChoice(node, role: role, faults: faults)
      else { continue }
      flat.append((role, choice, node.location))
    }
    let exceptions = section.node("layers").map {
      Self.exceptions($0, for: network, faults: faults)
    }
    section.rejectUnknownKeys()

    let ranked = (exceptions ?? []).enumerated().sorted {
      ($0.element.pattern.rank, $0.offset) < ($1.element.pattern.rank, $1.offset)
    }
    func exception(_ slot: Slot) -> Choice? {
      ranked.lazy
        .filter { $0.element.pattern.matches(slot) }
        .compactMap { $0.element.choices.first { $0.role == slot.role } }
        .first
    }
    var isListed = true
    for slot in network.slots {
      let key = "\(slot.role.mapKey).\(slot.name)"
      let exception = exception(slot)
      if exception == nil, let entry = listing?.entries[slot] {
        map[slot] = entry.quantizer
        locations[key] = entry.location
        continue
      }
      isListed = false
      guard let chosen = exception ?? flat.first(where: { $0.role == slot.role }) else { continue }
      map[slot] = chosen.choice.spec
      locations[key] = chosen.location
    }
    guard let listing else { return }
    let gaps = listing.missing(in: network) { slot in
      exception(slot) != nil || flat.contains { $0.role == slot.role }
    }
    for gap in gaps { faults.add(gap) }
    guard !faults.hasErrors else { return }
    for warning in listing.contradictions(of: network, under: map, isWhole: isListed) {
      faults.add(warning)
    }
  }

  private typealias Choice = (
    role: Slot.Role, choice: QuantizerChoice, location: SourceLocation
  )

  /// What the file says that a node names, with its faults; nil where it cannot be read.
  private static func listing(
    _ node: Node, for network: Network, faults: FaultCollector
  ) -> QuantizerListing? {
    guard case .string(let name) = node.value else {
      faults.add(node.diagnostic("file is the path of a listing, from the folder of this file"))
      return nil
    }
    let path = node.resolving(name)
    guard faults.lookups.exists(path) else {
      let folder = PathText.folder(of: path)
      let names = (try? Files.list(folder.isEmpty ? "." : folder)) ?? []
      let nearest = closest(to: String(path.split(separator: "/").last ?? ""), among: names)
      faults.add(
        node.diagnostic(
          "there is no file \(path)", suggestion: nearest.map { "did you mean `\($0)`?" }))
      return nil
    }
    do {
      let bytes = try Files.read(path, limit: 4 << 20)
      faults.lookups.note(bytes, at: path)
      guard let text = String(validating: bytes, as: UTF8.self) else {
        faults.add(node.diagnostic("\(path) is no UTF-8 text"))
        return nil
      }
      let listing = QuantizerListing(reading: text, from: path, for: network)
      for diagnostic in listing.diagnostics { faults.add(diagnostic) }
      return listing
    } catch {
      faults.add(node.diagnostic("\(error)"))
      return nil
    }
  }

  private static func exceptions(
    _ node: Node, for network: Network, faults: FaultCollector
  ) -> [Exception] {
    guard case .mapping(let entries) = node.value else {
      faults.add(node.diagnostic("layers maps names, classes or regexes to quantizers"))
      return []
    }
    return entries.compactMap { entry in
      guard case .string(let text) = entry.key.value,
        let pattern = SlotPattern(text, at: entry.key, for: network, faults: faults)
      else { return nil }
      var choices: [Choice] = []
      func add(_ node: Node, for role: Slot.Role) {
        guard network.slots.contains(where: { $0.role == role && pattern.matches($0) }) else {
          faults.add(
            node.diagnostic("`\(text)` matches nothing that has the role \(role.rawValue)"))
          return
        }
        if let choice = QuantizerChoice(node, role: role, faults: faults) {
          choices.append((role, choice, node.location))
        }
      }
      if case .string = entry.value.value {
        // An activation has one quantizer, so its name is enough.
        add(entry.value, for: .activation)
      } else if var section = Section.mapping(entry.value, in: "layers.\(text)", faults: faults) {
        for role in [Slot.Role.kernel, .bias, .activation] {
          if let node = section.node(role.rawValue) { add(node, for: role) }
        }
        section.rejectUnknownKeys()
      }
      return Exception(pattern: pattern, choices: choices)
    }
  }
}

extension Slot.Role {
  /// The role's key in a `QuantizerMap`'s JSON.
  var mapKey: String {
    switch self {
    case .kernel: "kernels"
    case .bias: "biases"
    case .activation: "activations"
    }
  }
}

extension Node {
  /// A path that was written here: from the folder of the file, on a command line from where the
  /// user is.
  func resolving(_ path: String) -> String {
    guard !path.hasPrefix("/"), !location.file.hasPrefix("--") else { return path }
    return PathText.join(PathText.folder(of: location.file), path)
  }
}
