//! What points of a sweep are told by: the hash of their resolved fields. Knows no file.

import Diagnostics
import Files
import Specs

/// Points by what they come out as.
struct PointIdentities {
  private let sweep: Sweep
  private var names: [Digest: String] = [:]
  private var equal: (count: Int, first: (String, String)?) = (0, nil)

  init(of sweep: Sweep) { self.sweep = sweep }

  /// The point's identity; nil where an earlier point is the same.
  mutating func add(_ stages: [StageTemplate], named name: String) -> String? {
    var bytes: [UInt8] = []
    var sources: [UInt8] = []
    for stage in stages {
      bytes += stage.identity
      sources += stage.sources
    }
    let id = SHA256.digest(of: bytes)
    // Files of other names may hold other bytes, and their names are in no field.
    let whole = sources.isEmpty ? id : SHA256.digest(of: bytes + sources)
    if let first = names[whole] {
      equal.count += 1
      if equal.first == nil { equal.first = (name, first) }
      return nil
    }
    names[whole] = name
    return id.hex
  }

  /// That points were left out.
  var warning: Diagnostic? {
    guard let (name, first) = equal.first else { return nil }
    let others = equal.count == 1 ? "" : ", and \(equal.count - 1) more like it"
    return sweep.node.diagnostic(
      "the point \(name) comes out as \(first) and is left out\(others)", severity: .warning)
  }
}
