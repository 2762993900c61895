//! A listing of quantizers, read: what its lines give to a network's slots, and where. Knows no file:
//! its text and the name to show are handed in.

package import Diagnostics

/// What a text in the form of AutoQKeras's listing says about a network.
package struct QuantizerListing: Sendable {
  /// A slot's quantizer as it is written.
  package struct Entry: Hashable, Sendable {
    /// Nil: the slot stays in float32.
    package var quantizer: QuantizerSpec?
    package var location: SourceLocation
  }

  /// A number of the stats block.
  struct Figure {
    /// `trial_size`, `a_bits`, ...
    var name: String
    var value: Double
    /// What stands behind the slash.
    var reference: Double?
    var place: ListingPlace
  }

  package internal(set) var entries: [Slot: Entry] = [:]
  /// Faults and warnings, in the order of the lines.
  package internal(set) var diagnostics: [Diagnostic] = []
  /// Where a layer's line stands.
  var places: [String: ListingPlace] = [:]
  var figures: [Figure] = []
  /// Layers whose names are probably misspelt in the listing: that is then a fault of its own.
  private var suspects: Set<String> = []
  private let file: String

  /// Reads `text` line by line; layers are found by their names, in any order.
  ///
  /// Accepted besides AutoQKeras's own form: `#` comments, lines of code fences, missing sizes
  /// (`f=64`), a blank within `quantized_bits featuremap`, `a bits` and `p bits`, the letters f, u
  /// and p for a size, and `float` for a slot without a quantizer.
  ///
  /// - Parameter file: what locations name.
  package init(reading text: String, from file: String, for network: Network) {
    self.file = file
    var reader = ListingReader(file: file, network: network)
    let text =
      text.unicodeScalars.first == "\u{FEFF}"
      ? text.unicodeScalars.dropFirst() : text.unicodeScalars[...]
    for line in text.split(omittingEmptySubsequences: false, whereSeparator: { $0 == "\n" }) {
      reader.read(line.last == "\r" ? line.dropLast() : line)
      if reader.isFull { break }
    }
    entries = reader.entries
    diagnostics = reader.diagnostics
    places = reader.places
    figures = reader.figures
    suspects = reader.suspects
  }

  /// Faults for slots that the listing leaves out, one for each run of layers.
  ///
  /// - Parameter isGiven: whether something else gives the slot its quantizer.
  package func missing(in network: Network, unless isGiven: (Slot) -> Bool) -> [Diagnostic] {
    var gaps: [(after: String?, layers: [String])] = []
    var faults: [Diagnostic] = []
    var last: String?
    for slot in network.slots {
      if entries[slot] != nil {
        last = slot.name
      } else if suspects.contains(slot.name) || isGiven(slot) {
        continue
      } else if let place = places[slot.name] {
        // The line stands there and has too few quantizers.
        faults.append(
          place.diagnostic(
            "the \(slot.role.rawValue) of \(slot.name) has no quantizer",
            suggestion: "write it at the end of the line, or `float`"))
      } else if let index = gaps.indices.last, gaps[index].after == last {
        if gaps[index].layers.last != slot.name { gaps[index].layers.append(slot.name) }
      } else {
        gaps.append((last, [slot.name]))
      }
    }
    return faults + gaps.map { gap(after: $0.after, $0.layers) }
  }

  private func gap(after name: String?, _ layers: [String]) -> Diagnostic {
    let names =
      layers.count <= 3
      ? layers.map { "`\($0)`" }.joined(separator: ", ")
      : "`\(layers[0])` ... `\(layers[layers.count - 1])`, \(layers.count) layers"
    let message = "the listing leaves out \(names)"
    let suggestion =
      "or give them a default: `kernel`, `bias` or `activation` beside `file`"
    if let name, let place = places[name] {
      return place.diagnostic("after this line " + message, suggestion: suggestion)
    }
    return Diagnostic(
      message, at: SourceLocation(file: file, line: 1, column: 1), suggestion: suggestion)
  }

  /// Warnings where the stats block says something else than the lines.
  ///
  /// - Parameters:
  ///   - map: what the network has in the end.
  ///   - isWhole: whether all of it comes from the listing, so that its trial can be compared.
  package func contradictions(
    of network: Network, under map: QuantizerMap, isWhole: Bool
  ) -> [Diagnostic] {
    let trial = BitCost(of: network, under: map)
    let reference = BitCost.reference(of: network)
    var warnings: [Diagnostic] = []
    func compare(_ figure: Figure, _ said: Double, _ bits: Int, _ whose: String) {
      guard said != Double(bits) else { return }
      warnings.append(
        figure.place.diagnostic(
          "the stats block says \(figure.name) \(ListingReader.shown(said)), \(whose) \(bits)",
          severity: .warning, suggestion: "the lines count, not the block"))
    }
    for figure in figures {
      let bits: KeyPath<BitCost, Int>
      switch figure.name {
      case "a_bits": bits = \.activationBits
      case "p_bits": bits = \.parameterBits
      case "total", "trial_size": bits = \.totalBits
      default: continue
      }
      // A network in float32 has its reference alone.
      let isReference = figure.reference == nil && figure.name != "trial_size"
      if let said = isReference ? figure.value : figure.reference {
        compare(
          figure, said, reference[keyPath: bits], "the reference of \(network.name) has")
      }
      if !isReference, isWhole {
        compare(figure, figure.value, trial[keyPath: bits], "the lines come to")
      }
    }
    return warnings + wrongDelta
  }

  /// The block's `delta` against its own sizes.
  private var wrongDelta: [Diagnostic] {
    func value(_ name: String) -> Double? { figures.first { $0.name == name }?.value }
    guard let delta = figures.first(where: { $0.name == "delta" }), let rate = value("rate"),
      let deltaP = value("delta_p"), let deltaN = value("delta_n"), rate > 1,
      let trial = value("trial_size"), let reference = value("reference_size"), trial > 0,
      reference > 0
    else { return [] }
    let factor = ForgivingFactor(deltaP: 100 * deltaP, deltaN: 100 * deltaN, rate: rate, stress: 1)
    let expected = 100 * factor.delta(allowed: reference, size: trial)
    guard abs(expected - delta.value) > 0.00501 else { return [] }
    return [
      delta.place.diagnostic(
        "the stats block says delta \(ListingReader.shown(delta.value)) %, its own sizes give "
          + BitStatistics.percent(expected) + " %", severity: .warning)
    ]
  }
}
