//! Where tests find fixtures, the shared golden values and the shared data.

import Foundation

/// Folders that tests read from.
package enum TestPaths {
  /// The checkout's top folder.
  package static let root = String(#filePath.dropLast("/Tests/TestSupport/TestPaths.swift".count))

  /// Small files of the project's own.
  package static let fixtures = root + "/Tests/Fixtures"

  /// `$SHIFTWORK_GOLDEN`, else the small copies among the fixtures.
  package static let golden =
    ProcessInfo.processInfo.environment["SHIFTWORK_GOLDEN"] ?? fixtures + "/golden"

  /// Real data beside the checkout, nil where it is absent (the tests that need it are skipped).
  package static let sharedData: String? = {
    let path = root + "/../shared/data"
    return FileManager.default.fileExists(atPath: path) ? path : nil
  }()
}
