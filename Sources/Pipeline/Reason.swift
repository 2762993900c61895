//! Why a stage has to run, as facts and as a sentence; finds nothing out itself.

package import Diagnostics
package import Files

/// One field that is not what it was.
package struct FieldChange: Hashable, Sendable, CustomStringConvertible {
  package var path: String
  /// Nil where the field is new.
  package var old: JSONValue?
  /// Nil where the field is gone.
  package var new: JSONValue?
  /// Where the user wrote the new value, or what holds it.
  package var location: SourceLocation?

  package init(path: String, old: JSONValue?, new: JSONValue?, location: SourceLocation?) {
    self.path = path
    self.old = old
    self.new = new
    self.location = location
  }

  /// `fine_tune.epochs: 70 -> 20 (pipelines/cifar10.yaml:12:15)`.
  package var description: String {
    let before = old.map(ScalarSpelling.text(of:)) ?? "unset"
    let after = new.map(ScalarSpelling.text(of:)) ?? "unset"
    let place = location.map { " (\($0))" } ?? ""
    return "\(path): \(before) -> \(after)\(place)"
  }
}

/// Why a stage has to run.
package enum Reason: Hashable, Sendable, CustomStringConvertible {
  case neverRan
  case fieldsChanged([FieldChange])
  /// The code behind the stage's kind has another version.
  case codeChanged(old: Int, new: Int)
  /// An input has other bytes, or is new or gone; `source` is a stage's name or a path.
  case inputChanged(role: String, source: String)
  case outputMissing(path: String)
  case outputDamaged(path: String)
  case forced

  package var description: String {
    switch self {
    case .neverRan: "never ran"
    case .fieldsChanged(let changes): changes.map(\.description).joined(separator: ", ")
    case .codeChanged(let old, let new): "code version \(old) -> \(new)"
    case .inputChanged(let role, let source): "input \(role) (\(source)) changed"
    case .outputMissing(let path): "output \(path) is missing"
    case .outputDamaged(let path): "output \(path) was changed"
    case .forced: "forced"
    }
  }
}

extension Reason {
  init(_ damage: Record.Damage) {
    switch damage {
    case .missing(let path): self = .outputMissing(path: path)
    case .changed(let path): self = .outputDamaged(path: path)
    }
  }
}

/// What sets a stage apart from an earlier run.
struct ManifestDifference {
  var code: (old: Int, new: Int)?
  var fields: [FieldChange] = []
  /// Roles whose input is not known to be what it was.
  var roles: [String] = []

  var count: Int { fields.count + roles.count + (code == nil ? 0 : 1) }

  /// `isOpen` says which roles have inputs that are not known yet: they are not compared.
  init(from old: JSONValue, to new: JSONValue, stage: Stage, isOpen: (String) -> Bool) {
    guard case .object(let before) = old, case .object(let after) = new else { return }
    for path in Set(before.keys).union(after.keys).sorted() {
      let (one, other) = (before[path], after[path])
      if Self.isSame(one, other) { continue }
      if path == Manifest.versionPath {
        if case .int(let past)? = one, case .int(let present)? = other { code = (past, present) }
      } else if let role = Self.role(in: path) {
        if !isOpen(role) { roles.append(role) }
      } else {
        fields.append(
          FieldChange(path: path, old: one, new: other, location: stage.location(of: path)))
      }
    }
  }

  /// How many differences there would be; cheap, to choose among many.
  static func count(from old: JSONValue, to new: JSONValue, isOpen: (String) -> Bool) -> Int {
    guard case .object(let before) = old, case .object(let after) = new else { return .max }
    var count = 0
    for (path, value) in after where !isSame(before[path], value) {
      if let role = role(in: path), isOpen(role) { continue }
      count += 1
    }
    for path in before.keys where after[path] == nil { count += 1 }
    return count
  }

  private static func isSame(_ one: JSONValue?, _ other: JSONValue?) -> Bool {
    // JSON reads the double 1 back as an integer: only the spelling tells.
    one == other || one.map(ScalarSpelling.text(of:)) == other.map(ScalarSpelling.text(of:))
  }

  private static func role(in path: String) -> String? {
    guard path.hasPrefix(Manifest.inputPrefix) else { return nil }
    let role = path.dropFirst(Manifest.inputPrefix.count)
    // A role with a slash stands in quotes.
    return role.first == "\"" ? String(role.dropFirst().dropLast()) : String(role)
  }

  func reasons(for stage: Stage) -> [Reason] {
    var reasons: [Reason] = []
    if let code { reasons.append(.codeChanged(old: code.old, new: code.new)) }
    if !fields.isEmpty { reasons.append(.fieldsChanged(fields)) }
    for role in roles {
      let source =
        switch stage.inputs.first(where: { $0.role == role })?.source {
        case .stage(let name, _): name
        case .file(let path, _): path
        case nil: "no longer an input"
        }
      reasons.append(.inputChanged(role: role, source: source))
    }
    return reasons
  }
}
