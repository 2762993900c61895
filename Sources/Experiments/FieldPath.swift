//! A field's path in a stage as its user would address it in the experiment. Knows no value.

/// Paths as users write them.
package enum FieldPath {
  /// `training.epochs` of a stage of kind `fine_tune` is `fine_tune.epochs` to its user.
  package static func shown(_ path: String, kind: String) -> String {
    for part in ["training.", "search."] where path.hasPrefix(part) {
      return "\(kind).\(path.dropFirst(part.count))"
    }
    if path == "batch_size" { return "\(kind).batch_size" }
    return path
  }
}
