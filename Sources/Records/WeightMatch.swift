//! Whether a file's weights are a network's: names and shapes, all differences at once.

package import Tensors

/// How the arrays found differ from those expected.
package struct WeightMatch: Hashable, Sendable, CustomStringConvertible {
  package struct Reshaped: Hashable, Sendable {
    package var name: String
    package var expected: [Int]
    package var found: [Int]
  }

  package var file: String
  package var missing: [String] = []
  package var reshaped: [Reshaped] = []
  package var leftOver: [String] = []

  package var isExact: Bool { missing.isEmpty && reshaped.isEmpty && leftOver.isEmpty }

  package var description: String {
    var lines = ["\(file): the weights are not this network's"]
    func list(_ title: String, _ items: [String]) {
      guard !items.isEmpty else { return }
      lines.append("  \(title):")
      lines += items.prefix(8).map { "    \($0)" }
      if items.count > 8 { lines.append("    and \(items.count - 8) more") }
    }
    list("missing", missing)
    list(
      "another shape", reshaped.map { "\($0.name) is \($0.found), \($0.expected) is expected" })
    list("left over", leftOver)
    return lines.joined(separator: "\n")
  }

  /// Throws one `WeightsError.mismatch` that lists what is missing, what has another shape and
  /// what is left over. QKeras's step counters ("iteration") are no weights and may be there.
  package static func check(
    expected: [(name: String, shape: [Int])], found: [String: Tensor], file: String
  ) throws {
    var match = WeightMatch(file: file)
    var leftOver = Set(found.keys)
    for (name, shape) in expected {
      leftOver.remove(name)
      guard let tensor = found[name] else {
        match.missing.append(name)
        continue
      }
      if tensor.shape != shape {
        match.reshaped.append(Reshaped(name: name, expected: shape, found: tensor.shape))
      }
    }
    match.leftOver = leftOver.filter {
      !($0.hasSuffix("/iteration") && found[$0]?.values.count == 1)
    }.sorted()
    guard match.isExact else { throw WeightsError.mismatch(match) }
  }
}
