//! Where a training step's time goes, layer by layer, beside the bare primitives. Knows no command.

import Networks
import Tensors
import Training

/// A line for each layer: its convolutions and what runs with them, the chain behind it, and the bare
/// primitives of the same layer.
struct LayerProfile {
  private struct Line {
    var name: String
    var kind: String
    var forward = 0.0
    var backward = 0.0
    var chainForward = 0.0
    var chainBackward = 0.0
    var bareForward = 0.0
    var bareBackward = 0.0

    var time: Double { forward + backward + chainForward + chainBackward }
    var bare: Double { bareForward + bareBackward }
  }

  /// As CSV, milliseconds.
  let lines: [String]

  init(_ network: Network, seconds: Double, on oneDNN: OneDNN) throws {
    var training = try TrainingBench(network, on: oneDNN)
    let timings = training.timings(seconds: seconds)
    let roofline = try Roofline(network, batch: training.batch, on: oneDNN)
    var table: [Line] = []
    for timing in timings {
      // A chain behind a folded layer bears that layer's name, another one that of its own first layer.
      let place = table.firstIndex { $0.name == timing.layer } ?? table.count
      if place == table.count { table.append(Line(name: timing.layer, kind: timing.kind)) }
      switch (timing.kind == "chain", timing.isBackward) {
      case (false, false): table[place].forward += timing.seconds
      case (false, true): table[place].backward += timing.seconds
      case (true, false): table[place].chainForward += timing.seconds
      case (true, true): table[place].chainBackward += timing.seconds
      }
    }
    for layer in roofline.layers {
      guard let place = table.firstIndex(where: { $0.name == layer.name }) else { continue }
      table[place].bareForward = layer.forward
      table[place].bareBackward = layer.backward
    }
    var total = Line(name: "total", kind: "")
    for line in table {
      total.forward += line.forward
      total.backward += line.backward
      total.chainForward += line.chainForward
      total.chainBackward += line.chainBackward
      total.bareForward += line.bareForward
      total.bareBackward += line.bareBackward
    }
    let header =
      "layer,kind,forward_ms,backward_ms,chain_forward_ms,chain_backward_ms,"
      + "bare_forward_ms,bare_backward_ms,ratio"
    lines =
      [header]
      + (table + [total]).map { line in
        let times = [
          line.forward, line.backward, line.chainForward, line.chainBackward, line.bareForward,
          line.bareBackward,
        ].map { Self.rounded($0 * 1e3) }
        let ratio = line.time > 0 ? Self.rounded(line.bare / line.time) : ""
        return ([line.name, line.kind] + times + [ratio]).joined(separator: ",")
      }
  }

  private static func rounded(_ value: Double) -> String { "\((value * 1000).rounded() / 1000)" }
}
