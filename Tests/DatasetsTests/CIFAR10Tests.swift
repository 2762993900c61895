//! Batches that are right: made ones in every writing, and real ones.

import Datasets
import TestSupport
import Testing

@Suite struct CIFAR10Tests {
  @Test(arguments: TestBatch.Style.allCases)
  func everyWritingReads(style: TestBatch.Style) throws {
    let batch = TestBatch(rows: 3, style: style)
    let images = try CIFAR10.decode(batch.bytes, path: "batch")
    #expect(images.count == 3)
    #expect((images.height, images.width, images.channels) == (32, 32, 3))
    #expect(images.labels == batch.labels.map { Int32($0) })
    #expect(images.classNames[3] == "cat")
    // Planes of 1024 become interleaved channels.
    for place in [(0, 0, 0, 0), (1, 5, 17, 1), (2, 31, 31, 2)] {
      let (row, y, x, channel) = place
      let planar = batch.pixels[row * 3072 + channel * 1024 + y * 32 + x]
      #expect(images.pixels[row * 3072 + (y * 32 + x) * 3 + channel] == planar)
    }
  }

  @Test func selectingKeepsTheOrderAsked() throws {
    let images = try CIFAR10.decode(TestBatch(rows: 3).bytes, path: "batch")
    let chosen = images.selecting([2, 0])
    #expect(chosen.labels == [images.labels[2], images.labels[0]])
    #expect(chosen.pixels[..<3072] == images.pixels[6144...])
  }

  @Test func noFilesIsAFault() {
    #expect(throws: DatasetError.noFiles) { try CIFAR10.load(files: []) }
    #expect(DatasetError.noFiles.description == "no batch files were named")
  }

  @Test(.enabled(if: TestPaths.sharedData != nil, "needs the real CIFAR-10 files"))
  func realFilesRead() throws {
    let folder = try #require(TestPaths.sharedData) + "/cifar10/cifar-10-batches-py/"
    let training = try CIFAR10.load(files: CIFAR10.trainingFiles.map { folder + $0 })
    #expect(training.count == 15_000)
    #expect(training.labels[..<10] == [6, 9, 9, 4, 1, 1, 2, 7, 8, 3])
    let test = try CIFAR10.load(files: [folder + CIFAR10.testFile])
    #expect(test.count == 1_000)
    #expect(test.labels[..<10] == [3, 8, 8, 0, 6, 6, 1, 6, 3, 1])
    // The first three pixels of test image 0, a cat, as published.
    #expect(test.pixels[..<3] == [158, 112, 49])
    // The mean of the 50,000 is 0.491, 0.482, 0.447; 15,000 of them come near.
    for (channel, mean) in [0.491, 0.482, 0.447].enumerated() {
      var sum = 0
      for index in stride(from: channel, to: training.pixels.count, by: 3) {
        sum += Int(training.pixels[index])
      }
      let found = Double(sum) / Double(training.pixels.count / 3) / 255
      #expect(abs(found - mean) < 0.01)
    }
  }

  @Test func aMissingFileIsNamed() {
    let path = TestPaths.fixtures + "/datasets/data_batch_9"
    #expect {
      try CIFAR10.load(files: [path])
    } throws: { error in
      "\(error)" == "\(path): cannot open: No such file or directory"
    }
  }
}
