//! The lines of a listing, one by one: stats, layers with their quantizers, and what is wrong in them.

import Diagnostics

/// One reading of a listing.
struct ListingReader {
  /// Nobody mends more at once.
  private static let faultLimit = 200

  private let file: String
  private let network: Network
  private let layers: [String: Layer]
  private let slots: [String: [Slot]]
  private var number = 0
  private(set) var entries: [Slot: QuantizerListing.Entry] = [:]
  private(set) var places: [String: ListingPlace] = [:]
  private(set) var figures: [QuantizerListing.Figure] = []
  private(set) var suspects: Set<String> = []
  private(set) var diagnostics: [Diagnostic] = []

  init(file: String, network: Network) {
    self.file = file
    self.network = network
    layers = Dictionary(network.layers.map { ($0.name, $0) }, uniquingKeysWith: { one, _ in one })
    slots = Dictionary(grouping: network.slots, by: \.name)
  }

  var isFull: Bool { diagnostics.count >= Self.faultLimit }

  mutating func read(_ line: Substring.UnicodeScalarView) {
    number += 1
    var cursor = ListingCursor(line, file: file, number: number)
    cursor.skipBlanks()
    if cursor.isAtEnd || cursor.starts(with: "#") || cursor.starts(with: "```") { return }
    if isStats(cursor) { return readStats(&cursor) }
    readLayer(&cursor)
  }

  // MARK: Stats

  private static let figureNames = [
    "delta_p", "delta_n", "rate", "trial_size", "reference_size", "delta", "a_bits", "p_bits",
    "total",
  ]

  private func isStats(_ cursor: ListingCursor) -> Bool {
    var cursor = cursor
    return cursor.starts(with: "stats:") || cursor.attempt(Self.figureName) != nil
  }

  /// A figure's name with its `=`.
  private static func figureName(_ cursor: inout ListingCursor) -> String? {
    var name = cursor.text(cursor.name())
    cursor.skipBlanks()
    if name == "a" || name == "p" {
      name += "_" + cursor.text(cursor.name())
      cursor.skipBlanks()
    }
    guard cursor.next == "=", figureNames.contains(name) else { return nil }
    cursor.advance()
    return name
  }

  private mutating func readStats(_ cursor: inout ListingCursor) {
    if cursor.starts(with: "stats:") { cursor.advance(by: 6) }
    while true {
      cursor.skipBlanks()
      if cursor.isAtEnd { return }
      if cursor.next == "(" {
        // The change in per cent follows from the numbers before it.
        _ = cursor.take { $0 != ")" }
        cursor.advance()
        continue
      }
      let start = cursor
      guard let name = cursor.attempt(Self.figureName) else {
        var word = start
        let range = word.word()
        diagnostics.append(
          start.place(range).diagnostic(
            "`\(start.text(range))` is no figure of a stats block",
            suggestion: "its figures are \(Self.figureNames.joined(separator: ", "))"))
        return
      }
      cursor.skipBlanks()
      let range = cursor.take { !ListingCursor.isBlank($0) && $0 != "(" }
      let place = cursor.place(range)
      guard let (value, reference) = Self.numbers(cursor.text(range)) else {
        diagnostics.append(place.diagnostic("\(name) is a number, not `\(cursor.text(range))`"))
        continue
      }
      figures.append(
        QuantizerListing.Figure(name: name, value: value, reference: reference, place: place))
    }
  }

  /// `12`, `0.05`, `8.89%` or `26752/42112`.
  private static func numbers(_ text: String) -> (Double, Double?)? {
    let text = text.last == "%" ? text.dropLast() : text[...]
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Double($0) }.filter { $0.isFinite }
    guard numbers.count == parts.count, let first = numbers.first, numbers.count <= 2 else {
      return nil
    }
    return (first, numbers.count == 2 ? numbers[1] : nil)
  }

  /// A count without a fraction where it is one.
  static func shown(_ value: Double) -> String {
    Int(exactly: value).map { "\($0)" } ?? "\(value)"
  }

  // MARK: Layers

  private mutating func readLayer(_ cursor: inout ListingCursor) {
    let range = cursor.word()
    let name = cursor.text(range)
    let place = cursor.place(range)
    cursor.skipBlanks()
    // QKeras's summary has a line for these, too.
    if cursor.starts(with: "is normal keras bn layer") { return }
    guard let layer = layers[name], let slots = slots[name] else {
      diagnostics.append(unknown(name, at: place))
      return
    }
    if let first = places[name] {
      diagnostics.append(
        place.diagnostic(
          "`\(name)` is listed twice",
          notes: [Diagnostic.Note("the first line is here", at: first.location)]))
      return
    }
    places[name] = place
    readSize(&cursor, of: layer)
    for slot in slots {
      cursor.skipBlanks()
      if cursor.isAtEnd { return }
      if read(&cursor, for: slot) { continue }
      // One fault of a line is enough: what follows it is not missing besides.
      for rest in slots where entries[rest] == nil {
        entries[rest] = QuantizerListing.Entry(quantizer: nil, location: place.location)
      }
      return
    }
    cursor.skipBlanks()
    guard !cursor.isAtEnd else { return }
    let wanted = slots.count == 1 ? "one quantizer" : "a kernel's and a bias's quantizer"
    diagnostics.append(
      cursor.place(cursor.position..<cursor.scalars.count).diagnostic(
        "`\(name)` has \(wanted), nothing may follow"))
  }

  private mutating func unknown(_ name: String, at place: ListingPlace) -> Diagnostic {
    if layers[name] != nil { return place.diagnostic("the layer `\(name)` has no quantizer") }
    let nearest = closest(to: name, among: network.slots.map(\.name))
    if let nearest { suspects.insert(nearest) }
    return place.diagnostic(
      "\(network.name) has no layer `\(name)`",
      suggestion: nearest.map { "did you mean `\($0)`?" })
  }

  /// `f=64`, `u=128`, `f=None`: where it stands, it must be the layer's.
  private mutating func readSize(_ cursor: inout ListingCursor, of layer: Layer) {
    let start = cursor.position
    let value = cursor.attempt { cursor -> Range<Int>? in
      guard ["f", "u", "p"].contains(cursor.text(cursor.name())) else { return nil }
      cursor.skipBlanks()
      guard cursor.next == "=" else { return nil }
      cursor.advance()
      cursor.skipBlanks()
      return cursor.word()
    }
    guard let value else { return }
    let place = cursor.place(start..<cursor.position)
    let text = cursor.text(value)
    guard case .weighted(let weighted) = layer.operation else {
      diagnostics.append(place.diagnostic("`\(layer.name)` is an activation and has no size"))
      return
    }
    let isRight = weighted.listedSize.hasSuffix("=\(text)") || text == "\(weighted.filters)"
    if !isRight {
      let what = weighted.kind == .dense ? "units" : "filters"
      diagnostics.append(
        place.diagnostic(
          "`\(layer.name)` of \(network.name) has \(weighted.filters) \(what)",
          suggestion: "is this the listing of another network?"))
    }
  }

  /// One quantizer; false where nothing behind it can be read.
  private mutating func read(_ cursor: inout ListingCursor, for slot: Slot) -> Bool {
    let (text, parenthesis, range) = Self.quantizer(&cursor)
    let place = cursor.place(range)
    if text == "float" || text == "None" {
      entries[slot] = QuantizerListing.Entry(quantizer: nil, location: place.location)
      return true
    }
    do {
      let spec = try QuantizerSpec(parsing: text)
      if let reason = spec.refusal(as: slot.role) {
        diagnostics.append(place.diagnostic(reason))
      } else if let (remark, suggestion) = spec.remark(as: slot.role) {
        diagnostics.append(
          place.diagnostic(remark, severity: .warning, suggestion: suggestion))
      }
      entries[slot] = QuantizerListing.Entry(quantizer: spec, location: place.location)
      return true
    } catch {
      // Offsets count characters of the name as it should be, then of what stands behind it.
      let name = text.prefix { $0 != "(" }.count
      let offset = text.prefix(error.offset).unicodeScalars.count
      let wanted = error.offset < name ? range.lowerBound + offset : parenthesis + offset - name
      let start = min(wanted, range.upperBound)
      let end = max(start, min(start + error.length, range.upperBound))
      diagnostics.append(cursor.place(start..<end).diagnostic(error.message))
      entries[slot] = QuantizerListing.Entry(quantizer: nil, location: place.location)
      return text.hasSuffix(")")
    }
  }

  /// The quantizer at the cursor as it should be written, where its parenthesis stands, and its
  /// characters in the line.
  private static func quantizer(
    _ cursor: inout ListingCursor
  ) -> (text: String, parenthesis: Int, range: Range<Int>) {
    let start = cursor.position
    var name = cursor.text(cursor.name())
    if name == QuantizerSpec.Kind.quantizedBits.rawValue {
      let isFeatureMap: Void? = cursor.attempt { cursor in
        cursor.skipBlanks()
        return cursor.text(cursor.name()) == "featuremap" ? () : nil
      }
      if isFeatureMap != nil { name = QuantizerSpec.Kind.featureMap.rawValue }
    }
    if name.isEmpty {
      let word = cursor.word()
      return (cursor.text(word), word.upperBound, word)
    }
    let end = cursor.position
    cursor.skipBlanks()
    guard cursor.next == "(" else { return (name, end, start..<end) }
    let parenthesis = cursor.position
    var quote: Unicode.Scalar?
    while let next = cursor.next {
      cursor.advance()
      if let open = quote {
        if next == open { quote = nil }
      } else if next == "'" || next == "\"" {
        quote = next
      } else if next == ")" {
        break
      }
    }
    let range = start..<cursor.position
    return (name + cursor.text(parenthesis..<cursor.position), parenthesis, range)
  }
}
