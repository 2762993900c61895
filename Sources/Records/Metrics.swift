//! metrics.json: the numbers of a stage, for people and for later stages.

package import Files

/// Writes metrics files.
package enum Metrics {
  /// Writes `values` with sorted keys, indented. Numbers that JSON cannot spell (a loss that has
  /// run off to NaN) become the strings "nan", "inf", "-inf".
  package static func write(_ values: JSONValue, to path: String) throws {
    try Files.writeAtomically(spellable(values).prettyText + "\n", to: path)
  }

  /// `value` with every number that JSON cannot spell as a string.
  package static func spellable(_ value: JSONValue) -> JSONValue {
    switch value {
    case .double(let number) where !number.isFinite: .string(CSVLog.spelling(number))
    case .array(let elements): .array(elements.map(spellable))
    case .object(let members): .object(members.mapValues(spellable))
    default: value
    }
  }
}
