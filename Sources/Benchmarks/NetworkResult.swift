//! What was measured of one network in all rounds, and its row of the table. Measures nothing.

/// All measurements of a network.
struct NetworkResult: Sendable {
  let network: String
  let threads: Int
  private(set) var measurements: [(measurement: Measurement, round: Int, figures: Figures)] = []
  /// Seconds that QKeras's last process took.
  private var lastQKerasSeconds: Double?

  init(network: String, threads: Int) {
    self.network = network
    self.threads = threads
  }

  mutating func add(_ figures: Figures, of measurement: Measurement, round: Int) {
    measurements.append((measurement, round, figures))
    if case .qkeras = measurement { lastQKerasSeconds = figures["process_s"] }
  }

  func has(_ measurement: Measurement) -> Bool {
    measurements.contains { $0.measurement == measurement }
  }

  /// Two minutes are enough for one number.
  var wantsQKerasAgain: Bool { lastQKerasSeconds.map { $0 < 120 } ?? true }

  /// The median over the rounds.
  private func median(_ name: String, of measurement: Measurement) -> Double? {
    let values = measurements.filter { $0.measurement == measurement }
      .compactMap { $0.figures[name] }
    return values.isEmpty ? nil : values.median
  }

  var row: BenchRow {
    let step = Measurement.step(threads: threads)
    let qkeras = Measurement.qkeras(threads: threads)
    var row = BenchRow(network: network)
    row["batch"] = median("batch", of: step)
    row["threads"] = Double(threads)
    row["step_ms"] = median("step_ms", of: step)
    row["samples_per_s"] = median("samples_per_s", of: step)
    row["first_step_s"] = median("first_step_s", of: step)
    row["peak_mb"] = median("peak_mb", of: step)
    row["roofline_ms"] = median("roofline_ms", of: .roofline(threads: threads))
    row["inference_ms"] = median("inference_ms", of: .inference(threads: threads))
    row["qkeras_step_ms"] = median("step_ms", of: qkeras)
    row["qkeras_first_step_s"] = median("first_step_s", of: qkeras)
    row["qkeras_peak_mb"] = median("peak_mb", of: qkeras)
    row["handover_ns"] = median("handover_ns", of: step)
    row["qkeras_handover_ns"] = median("handover_ns", of: qkeras)
    row["one_thread_step_ms"] = median("step_ms", of: .step(threads: 1))
    row.fillRatio("roofline_ratio", "roofline_ms", over: "step_ms")
    row.fillRatio("speedup", "qkeras_step_ms", over: "step_ms")
    row.fillRatio("first_step_ratio", "qkeras_first_step_s", over: "first_step_s")
    row.fillRatio("memory_ratio", "qkeras_peak_mb", over: "peak_mb")
    return row
  }

  /// Where the time of a step went, largest first; nil where nobody asked.
  var profile: String? {
    guard
      let figures = measurements.first(where: { $0.measurement == .profile(threads: threads) })?
        .figures
    else { return nil }
    let total = figures.values.reduce(0) { $0 + $1.value }
    let rows = figures.values.sorted { $0.value > $1.value }.map { name, milliseconds in
      [
        name, BenchTable.number(milliseconds) + " ms",
        BenchTable.number(milliseconds / total * 100) + " %",
      ]
    }
    return ([network] + BenchTable.aligned(rows)).joined(separator: "\n  ")
  }
}

extension [Double] {
  /// Of at least one number.
  var median: Double {
    let sorted = self.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}
