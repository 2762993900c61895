//! CSV logs and metrics files: columns, spelling, resuming.

import Files
import Foundation
import Records
import Testing

@Suite struct LogTests {
  private func temporaryPath(_ name: String) -> String {
    NSTemporaryDirectory() + "/shiftwork-\(UUID().uuidString)-\(name)"
  }

  @Test func columnsAndResuming() throws {
    let path = temporaryPath("log.csv")
    defer { try? FileManager.default.removeItem(atPath: path) }
    let names = ["loss", "accuracy", "val_loss", "lr", "val_accuracy"]
    var log = try CSVLog(path: path, metrics: names)
    for epoch in 0..<2 {
      try log.append(
        epoch: epoch, ["loss": 0.1, "accuracy": 1, "lr": 1e-5, "val_loss": .nan])
    }
    log = try CSVLog(path: path, metrics: names)
    try log.append(epoch: 2, ["loss": 0.5])
    #expect(
      try String(contentsOfFile: path, encoding: .utf8) == """
        epoch,accuracy,loss,lr,val_accuracy,val_loss
        0,1.0,0.1,1e-05,NA,nan
        1,1.0,0.1,1e-05,NA,nan
        2,NA,0.5,NA,NA,NA

        """)
  }

  @Test(arguments: [
    (0.1, "0.1"), (1, "1.0"), (1e-4, "0.0001"), (1e-5, "1e-05"), (1e15, "1000000000000000.0"),
    (1e16, "1e+16"), (-1.2345678901234568e16, "-1.2345678901234568e+16"), (1.5e300, "1.5e+300"),
    (1.25e-7, "1.25e-07"), (Double(Float(0.1)), "0.10000000149011612"), (-0.0, "-0.0"),
    (.infinity, "inf"), (-.infinity, "-inf"), (.nan, "nan"),
  ])
  func numbersAreSpelledAsPythonDoes(value: Double, spelling: String) {
    #expect(CSVLog.spelling(value) == spelling)
  }

  @Test func metricsAreSortedAndAlwaysJSON() throws {
    let path = temporaryPath("metrics.json")
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Metrics.write(
      .object(["loss": .double(.nan), "accuracy": .double(0.5), "epochs": .int(3)]), to: path)
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text.hasSuffix("}\n"))
    #expect(
      try JSONValue(parsing: Array(text.utf8))
        == .object(["loss": .string("nan"), "accuracy": .double(0.5), "epochs": .int(3)]))
  }
}
