//! Faults of one reading, gathered until all are known. Knows not what they are about.

package import Diagnostics

/// Gathers faults.
package final class FaultCollector {
  /// Nobody mends more at once, and a text from outside may have a fault in every word.
  private static let limit = 1000

  package private(set) var diagnostics: [Diagnostic] = []
  package private(set) var hasErrors = false

  package init() {}

  /// Whether further faults are dropped.
  package var isFull: Bool { hasErrors && diagnostics.count >= Self.limit }

  package func add(_ diagnostic: Diagnostic) {
    let isError = diagnostic.severity == .error
    // The first error is kept whatever came before it: a wrong spec must not pass.
    guard diagnostics.count < Self.limit || (isError && !hasErrors) else { return }
    diagnostics.append(diagnostic)
    hasErrors = hasErrors || isError
  }

  /// Takes back a fault that another one tells better.
  func withdraw(_ diagnostic: Diagnostic) {
    guard let index = diagnostics.lastIndex(of: diagnostic) else { return }
    diagnostics.remove(at: index)
    hasErrors = diagnostics.contains { $0.severity == .error }
  }
}
