//! A field's path in a stage as its user would address it in the experiment. Knows no value.

/// Paths as users write them.
package enum FieldPath {
  /// `training.epochs` of a stage of kind `fine_tune` is `fine_tune.epochs` to its user.
  package static func shown(_ path: String, kind: String) -> String {
    for part in ["training.", "search."] where path.hasPrefix(part) {
      return "\(kind).\(path.dropFirst(part.count))"
    }
    if kind == StageKind.search.rawValue, path == "numerics.threads" { return "search.threads" }
    if path == "batch_size" { return "\(kind).batch_size" }
    if kind == StageKind.prepareData.rawValue { return "dataset." + ofData(path) }
    return path
  }

  /// Of `prepare_data`, whose fields are the data set's under shorter names.
  static func ofData(_ path: String) -> String {
    for (part, section) in [
      ("log_mel.least_frames", "features.window_frames"), ("log_mel", "features"),
      ("mfcc", "features"), ("words", "split"), ("synthetic.training_images", "synthetic"),
      ("synthetic.test_images", "synthetic"),
    ] where path == part || path.hasPrefix(part + ".") {
      return section + path.dropFirst(part.count)
    }
    return path
  }
}
