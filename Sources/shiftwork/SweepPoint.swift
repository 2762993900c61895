//! The point of a sweep that a stage belongs to. Knows neither YAML nor how points are made.

import Files
import Pipeline

/// Which values a sweep gave the fields that it varies.
struct SweepPoint: Hashable, Sendable {
  /// For people: what the names of its stages begin with.
  var name: String
  /// The hash of the point's resolved fields.
  var id: String
  /// By the field's path: `fine_tune.epochs`.
  var values: [String: JSONValue]

  /// Nil where `stage` belongs to no point.
  init?(of stage: Stage) {
    guard let point = stage.unkeyed["point"], case .string(let name)? = point["name"],
      case .string(let id)? = point["id"], case .object(let values)? = point["values"]
    else { return nil }
    self.name = name
    self.id = id
    self.values = values
  }

  /// The stage's own name: `evaluate` of `seed=1/evaluate`.
  func base(of stage: String) -> String {
    stage.hasPrefix(name + "/") ? String(stage.dropFirst(name.count + 1)) : stage
  }

  /// Whether runs that differ in this field alone are repetitions of one experiment.
  static func isSeed(_ field: String) -> Bool { field.split(separator: ".").last == "seed" }
}
