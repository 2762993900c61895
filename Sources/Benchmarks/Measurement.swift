//! What one process measures, and the line that it says it in. Starts nothing.

/// One measurement of a network.
enum Measurement: Hashable, Sendable {
  /// Our quantization-aware training step, and the way to the first one.
  case step(threads: Int)
  case inference(threads: Int)
  /// The bare primitives of a step.
  case roofline(threads: Int)
  /// Where the time of a step goes.
  case profile(threads: Int)
  /// QKeras's training step.
  case qkeras(threads: Int)

  var threads: Int {
    switch self {
    case .step(let threads), .inference(let threads), .roofline(let threads),
      .profile(let threads), .qkeras(let threads):
      threads
    }
  }

  /// For messages.
  var title: String { "\(name) on \(threads) threads" }

  var name: String {
    switch self {
    case .step: "step"
    case .inference: "inference"
    case .roofline: "roofline"
    case .profile: "profile"
    case .qkeras: "qkeras"
    }
  }
}

/// Numbers with names, as a line: `step step_ms=24.5 peak_mb=101.2`.
struct Figures: Sendable {
  private(set) var values: [(name: String, value: Double)] = []

  init(_ values: [(name: String, value: Double)]) { self.values = values }

  /// nil where the line does not start with `title` or holds no number.
  init?(line: some StringProtocol, title: String) {
    let words = line.split(separator: " ")
    guard let first = words.first, first == title else { return nil }
    for word in words.dropFirst() {
      let parts = word.split(separator: "=", maxSplits: 1)
      guard parts.count == 2, let value = Double(parts[1]), value.isFinite else { return nil }
      values.append((String(parts[0]), value))
    }
    guard !values.isEmpty else { return nil }
  }

  mutating func add(_ name: String, _ value: Double) { values.append((name, value)) }

  subscript(name: String) -> Double? { values.first { $0.name == name }?.value }

  func line(_ title: String) -> String {
    ([title] + values.map { "\($0.name)=\($0.value)" }).joined(separator: " ")
  }
}
