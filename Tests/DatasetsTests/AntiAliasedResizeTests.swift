//! The resize against scikit-image's own images, and on pictures whose result is known.

import Datasets
import Foundation
import TestSupport
import Testing

@Suite struct AntiAliasedResizeTests {
  @Test func aFlatPictureStaysFlat() {
    for value in [UInt8(0), 1, 77, 254, 255] {
      for (height, width) in [(480, 640), (96, 96), (33, 41), (1, 1), (97, 500)] {
        let resize = AntiAliasedResize(height: height, width: width, toHeight: 96, toWidth: 96)
        let output = resize([UInt8](repeating: value, count: height * width * 3))
        #expect(output.allSatisfy { $0 == value })
      }
    }
  }

  @Test func theSameSizeIsTheSamePicture() {
    let pixels = (0..<96 * 96 * 3).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    #expect(AntiAliasedResize(height: 96, width: 96, toHeight: 96, toWidth: 96)(pixels) == pixels)
  }

  /// Twice as large: bilinear at pixel centres, edges mirrored without the edge itself.
  @Test func aSmallPictureIsInterpolated() {
    let pixels: [UInt8] = [0, 0, 0, 100, 100, 100]
    let output = AntiAliasedResize(height: 1, width: 2, toHeight: 1, toWidth: 4)(pixels)
    #expect(stride(from: 0, to: 12, by: 3).map { output[$0] } == [25, 25, 75, 75])
  }

  @Test(.enabled(if: TestPaths.sharedData != nil, "needs COCO's images"))
  func scikitImagesPicturesAreReproduced() throws {
    let folder = try #require(TestPaths.sharedData) + "/vww/coco_mini"
    let names = try FileManager.default.contentsOfDirectory(
      atPath: folder + "/expected_96x96_skimage"
    ).filter { $0.hasSuffix(".png") }
    #expect(names.count == 16)
    let workspace = try Workspace()
    try Python.run(
      TestPaths.fixtures + "/data/png_to_rgb.py",
      [workspace.root] + names.map { folder + "/expected_96x96_skimage/" + $0 })
    for name in names {
      let stem = String(name.dropLast(4))
      let file = stem.split(separator: "_").last.map { $0 + ".jpg" } ?? ""
      let path = try #require(
        ["train2017", "val2017"].map { "\(folder)/\($0)/\(file)" }.first {
          FileManager.default.fileExists(atPath: $0)
        })
      let ours = try VisualWakeWordsBuilder.pixels(reading: path)
      let theirs = try Data(contentsOf: URL(fileURLWithPath: workspace.path(stem + ".rgb")))
      try #require(ours.count == theirs.count)
      // What is left is the rounding of a few pixels and the decoders' differences.
      #expect(Self.meanDifference(ours, [UInt8](theirs)) < 0.05, "\(name)")
      // What `build-vww` writes where no other quality is asked for.
      let encoded = try JPEG.encode(ours, height: 96, width: 96, quality: 99)
      try Data(encoded).write(to: URL(fileURLWithPath: workspace.path("written.jpg")))
      let written = try JPEG(reading: workspace.path("written.jpg")).pixels
      #expect(Self.meanDifference(written, [UInt8](theirs)) < 1, "\(name)")
    }
  }

  private static func meanDifference(_ one: [UInt8], _ other: [UInt8]) -> Double {
    let differences = zip(one, other).map { abs(Int($0) - Int($1)) }
    return Double(differences.reduce(0, +)) / Double(differences.count)
  }
}
