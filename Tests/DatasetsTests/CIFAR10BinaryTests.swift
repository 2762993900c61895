//! The binary batches: pixel order, and what is said about files that are none.

import Datasets
import Foundation
import TestSupport
import Testing

@Suite struct CIFAR10BinaryTests {
  private let workspace: Workspace

  init() throws { workspace = try Workspace() }

  private func load(_ bytes: [UInt8]) throws -> ImageSet {
    let path = workspace.path("test_batch.bin")
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return try CIFAR10Binary.load(files: [path])
  }

  @Test func planesBecomePixels() throws {
    let planes = [UInt8(10), 20, 30].flatMap { [UInt8](repeating: $0, count: 1024) }
    let set = try load([7] + planes + [2] + planes.reversed())
    #expect(set.labels == [7, 2])
    #expect(set.pixels[..<6] == [10, 20, 30, 10, 20, 30])
    #expect(set.pixels[3072..<3075] == [30, 20, 10])
    #expect(set.height == 32 && set.channels == 3)
  }

  @Test func wrongFilesAreNamed() throws {
    let path = workspace.path("test_batch.bin")
    #expect(throws: DatasetError.noRows(file: path)) { try load([]) }
    #expect(throws: DatasetError.binaryBatch(file: path, bytes: 3072, rowBytes: 3073)) {
      try load([UInt8](repeating: 0, count: 3072))
    }
    #expect(throws: DatasetError.labelRange(file: path, row: 1, label: 10, classes: 10)) {
      try load([UInt8](repeating: 0, count: 3073) + [10] + [UInt8](repeating: 0, count: 3072))
    }
  }

  @Test(.enabled(if: TestPaths.sharedData != nil, "needs the real CIFAR-10 files"))
  func theSameImagesAsThePickles() throws {
    let pickle = try CIFAR10.load(
      files: [try #require(TestPaths.sharedData) + "/cifar10/cifar-10-batches-py/test_batch"])
    var bytes: [UInt8] = []
    for row in 0..<pickle.count {
      bytes.append(UInt8(pickle.labels[row]))
      for channel in 0..<3 {
        for pixel in 0..<1024 { bytes.append(pickle.pixels[row * 3072 + pixel * 3 + channel]) }
      }
    }
    let binary = try load(bytes)
    #expect(binary.labels == pickle.labels && binary.pixels == pickle.pixels)
  }
}
