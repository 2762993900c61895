//! The points of a sweep, written out: what each field takes at each point, and what points are
//! called. Knows neither YAML's forms of a sweep nor stages.

import Diagnostics
import Files
import Specs

/// All points of a sweep.
struct Sweep {
  /// Points that one sweep may have.
  static let pointLimit = 100_000
  /// Bytes of a point's name: it is a folder's, and longer ones are cut.
  private static let nameLimit = 100

  /// What the points vary.
  var fields: [SweptField]
  /// Which of the fields are axes; the others are set for some points alone.
  var axes: Set<Int>
  /// By point and field: 0 where the point leaves the field alone, else the number of its value.
  var points: [[Int32]]
  /// Where it was written.
  var node: Node

  /// What each point sets, by path.
  func values(of point: [Int32], _ values: [[JSONValue]]) -> JSONValue {
    var members: [String: JSONValue] = [:]
    for (slot, value) in point.enumerated() where value > 0 {
      members[fields[slot].path.joined(separator: ".")] = values[slot][Int(value) - 1]
    }
    return .object(members)
  }

  /// The values of all fields as JSON.
  var json: [[JSONValue]] { fields.map { $0.values.map { JSONValue($0) } } }

  /// A name for each point, which can be a folder's: `seed=1,fine_tune.learning_rate=0.001`.
  var names: [String] {
    let shown = shownSlots
    let parts = fields.map { field in
      field.values.map { Part(path: field.path.joined(separator: "."), value: $0) }
    }
    var taken: Set<String> = []
    return points.map { point in
      let own = shown.compactMap { slot in
        point[slot] > 0 ? parts[slot][Int(point[slot]) - 1] : nil
      }
      let name = own.isEmpty ? "base" : own.map(\.text).joined(separator: ",")
      if name.utf8.count <= Self.nameLimit, own.allSatisfy(\.isWhole), taken.insert(name).inserted {
        return name
      }
      // The hash is of all that sets the point apart, also of what cannot be shown.
      let all = point.enumerated().compactMap { slot, value in
        value > 0
          ? fields[slot].path.joined(separator: ".") + "="
            + JSONValue(fields[slot].values[Int(value) - 1]).canonicalText : nil
      }
      let hash = SHA256.digest(of: Array(all.joined(separator: "\n").utf8)).hex.prefix(8)
      let long = "\(name.prefix(Self.nameLimit - 9))-\(hash)"
      taken.insert(long)
      return long
    }
  }

  /// The axes that differ between points; all of them where none does.
  private var shownSlots: [Int] {
    let slots = fields.indices.filter { axes.contains($0) }
    let differing = slots.filter { slot in points.contains { $0[slot] != points[0][slot] } }
    return differing.isEmpty ? slots : differing
  }
}

/// One value of one field, in a point's name.
private struct Part {
  /// Characters of a value that are shown.
  private static let valueLimit = 40

  var text: String
  /// Whether the text says all.
  var isWhole: Bool

  init(path: String, value: Node) {
    let json = JSONValue(value)
    let plain: String =
      switch json {
      case .string(let string): string
      case .int(let number): "\(number)"
      case .double(let number): Int(exactly: number).map { "\($0)" } ?? "\(number)"
      default: json.canonicalText
      }
    let written = "\(path)=\(plain)"
    let safe = Self.safe(path) + "=" + String(Self.safe(plain).prefix(Self.valueLimit))
    text = safe.first == "." || safe.first == "-" ? "_" + safe : safe
    isWhole = text == written
  }

  /// What every file system and shell takes as it is.
  private static func safe(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "a"..."z", "A"..."Z", "0"..."9", "_", ".", "+", "-": result.unicodeScalars.append(scalar)
      default: if result.last != "-" { result.append("-") }
      }
    }
    return result
  }
}
