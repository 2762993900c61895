//! Event files: read back by TensorBoard's own reader, the same bytes each time, known checksums.

import Foundation
import Records
import TestSupport
import Testing

@Suite struct EventFileTests {
  let workspace: Workspace

  init() throws { workspace = try Workspace() }

  private func write(to folder: String) throws -> EventFile {
    let file = try EventFile(folder: workspace.path(folder))
    for epoch in 0..<3 {
      try file.append(
        epoch: epoch, scalars: ["epoch_loss": 1 / Double(epoch + 1), "epoch_auc": .nan],
        histograms: epoch == 1
          ? [
            ("dense/kernel_0/histogram", hashed(1000, stream: 5)),
            ("dense/bias_0/histogram", [0, 0, 0]), ("empty", [.nan, .infinity]),
          ] : [])
    }
    return file
  }

  @Test(.enabled("needs python3-venv, pip and a network") { TensorBoardReader.shared != nil })
  func tensorBoardReadsThem() throws {
    _ = try write(to: "train")
    let run = try #require(TensorBoardReader.shared).read(workspace.path("train"))
    let losses = try #require(run.scalars["epoch_loss"])
    #expect(losses.map(\.step) == [0, 1, 2])
    #expect(losses.map(\.wall_time) == [0, 1, 2])
    #expect(losses.map(\.value) == [1, 0.5, Float(1.0 / 3)])
    #expect(run.scalars["epoch_auc"]?.map(\.value) == [nil, nil, nil])
    #expect(Set(run.histograms.keys) == ["dense/kernel_0/histogram", "dense/bias_0/histogram"])

    let values = hashed(1000, stream: 5).map(Double.init)
    let histogram = try #require(run.histograms["dense/kernel_0/histogram"]?.first)
    #expect(histogram.step == 1 && histogram.num == 1000)
    #expect(histogram.min == values.min() && histogram.max == values.max())
    #expect(histogram.sum == values.reduce(0, +))
    #expect(histogram.sum_squares == values.reduce(0) { $0 + $1 * $1 })
    // Each bucket holds what lies below its limit and not below the one before.
    #expect(histogram.bucket.count == 30 && histogram.bucket.reduce(0, +) == 1000)
    for (index, limit) in histogram.bucket_limit.dropLast().enumerated() {
      let below = Double(values.count { $0 < limit })
      #expect(histogram.bucket[...index].reduce(0, +) == below, "bucket \(index)")
    }
    let constant = try #require(run.histograms["dense/bias_0/histogram"]?.first)
    #expect(constant.bucket == [0, 3] && constant.bucket_limit == [-0.5, 0.5])
  }

  @Test func theSameLogHasTheSameBytes() throws {
    let files = try ["one", "two"].map { folder in
      try Data(contentsOf: URL(fileURLWithPath: write(to: folder).path))
    }
    #expect(files[0] == files[1])
    // The first record as TensorBoard's RecordWriter writes it: length, the length's masked CRC-32C,
    // the event, its masked CRC-32C.
    let first = files[0].prefix(31).map { String(format: "%02x", $0) }.joined()
    #expect(
      first == "0f00000000000000" + "6d532b09" + "1a0d627261696e2e4576656e743a32" + "fc985129")
  }
}
