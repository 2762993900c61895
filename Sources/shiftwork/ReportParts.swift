//! What a report is made of, and whether it would be another one than before. Writes nothing.

import Files
import Pipeline

/// The rows of a report that is made when somebody wants it: that reads every stage's metrics.
struct ReportParts {
  var pipeline: String
  /// Nil for commands alone.
  var experiment: String?
  var rows: [ReportRow]

  func report() -> Report { Report(pipeline: pipeline, experiment: experiment, rows: rows) }

  /// All that the report's files depend on, the program that writes them included.
  var identity: Digest {
    var text = "\(RunIdentity.program)\n\(pipeline)\n\(experiment ?? "")\n"
    for row in rows {
      text += "\(row.stage)\t\(row.kind)\t"
      if let record = row.record { text += "\(record.artifact.hex)\t\(record.seconds)\t" }
      text += "\(row.key?.hex ?? "")\t\(row.point?.id ?? "")\n"
    }
    return SHA256.digest(of: text)
  }
}
