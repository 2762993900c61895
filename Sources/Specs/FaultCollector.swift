//! Faults of one reading, gathered until all are known. Knows not what they are about.

package import Diagnostics

/// Gathers faults.
package final class FaultCollector {
  /// Nobody mends more at once, and a text from outside may have a fault in every word.
  private static let limit = 1000

  package private(set) var diagnostics: [Diagnostic] = []
  package private(set) var hasErrors = false
  private var told: Set<Told> = []
  private var silent: Set<SourceLocation> = []

  /// What the file system was asked meanwhile.
  package var lookups = Lookups()

  /// What notes what is asked, where that is wanted.
  package let recorder: SchemaRecorder?

  package init(recorder: SchemaRecorder? = nil) { self.recorder = recorder }

  /// Whether further faults are dropped.
  package var isFull: Bool { hasErrors && diagnostics.count >= Self.limit }

  package func add(_ diagnostic: Diagnostic) {
    let isError = diagnostic.severity == .error
    if let place = diagnostic.location, silent.contains(place) { return }
    // The first error is kept whatever came before it: a wrong spec must not pass.
    guard diagnostics.count < Self.limit || (isError && !hasErrors) else { return }
    // What is read again, at another point of a sweep, has the same faults.
    guard told.insert(Told(diagnostic)).inserted else { return }
    diagnostics.append(diagnostic)
    hasErrors = hasErrors || isError
  }

  /// Further faults at the value's place would only follow from one that is known.
  func silence(_ node: Node) { silent.insert(node.location) }

  /// Takes back a fault that another one tells better.
  func withdraw(_ diagnostic: Diagnostic) {
    guard let index = diagnostics.lastIndex(of: diagnostic) else { return }
    diagnostics.remove(at: index)
    told.remove(Told(diagnostic))
    hasErrors = diagnostics.contains { $0.severity == .error }
  }
}

/// What a fault is told by. Its source line may have megabytes, and follows from its place.
private struct Told: Hashable {
  private let severity: Diagnostic.Severity
  private let message: String
  private let location: SourceLocation?

  init(_ diagnostic: Diagnostic) {
    (severity, message, location) =
      (diagnostic.severity, diagnostic.message, diagnostic.location)
  }
}
