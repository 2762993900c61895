//! The same seed and the same number of threads give the same bytes, process after process.

import TestSupport
import Testing

@Suite(.serialized) struct DeterminismTests {
  /// The networks that take fifty steps in a second or two; they have every kind of layer but gates.
  @Test(arguments: ["fc_autoencoder", "ds_cnn", "resnet"])
  func twoProcessesAgreeAfterFiftySteps(network: String) throws {
    try expectAgreement(network, steps: 50)
  }

  @Test(arguments: ["mobilenet_v1", "mobilenet_v2", "efficientnet_b0"])
  func twoProcessesAgreeAfterSomeSteps(network: String) throws {
    try expectAgreement(network, steps: 3)
  }

  private func expectAgreement(_ network: String, steps: Int) throws {
    let workspace = try Workspace()
    let lines = try (0..<2).map { _ in
      let outcome = try workspace.run(
        "Benchmarks", ["measure", "digest", network, "--threads", "2", "--steps", "\(steps)"],
        // Other tests want the processors, too.
        environment: ["OMP_WAIT_POLICY": "passive"])
      #expect(outcome.code == 0, "\(outcome.error)")
      return outcome.out
    }
    #expect(lines[0].hasPrefix("digest \(network) steps=\(steps) "))
    #expect(lines[0] == lines[1])
  }
}
