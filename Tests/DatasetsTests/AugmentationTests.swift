//! The affine map against scipy's, and what is drawn for it.

import Datasets
import Tensors
import TestSupport
import Testing

import class Foundation.FileManager

@Suite struct AugmentationTests {
  private func apply(
    _ map: AffineMap, to pixels: [UInt8], height: Int, width: Int, channels: Int, scale: Float = 1
  ) -> [Float] {
    [Float](unsafeUninitializedCapacity: pixels.count) { output, count in
      pixels.withUnsafeBufferPointer { input in
        if let from = input.baseAddress, let to = output.baseAddress {
          map.apply(
            to: from, height: height, width: width, channels: channels, output: to, scale: scale)
        }
      }
      count = pixels.count
    }
  }

  /// `Tests/Fixtures/datasets/affine.txt`; make_affine.py beside it says what stands there.
  @Test func mapsEqualScipys() throws {
    let path = TestPaths.fixtures + "/datasets/affine.txt"
    let text = String(
      decoding: try #require(FileManager.default.contents(atPath: path)), as: UTF8.self)
    var cases = 0
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: "|").map {
        $0.split(separator: " ").compactMap { Double($0) }
      }
      let numbers = try #require(parts.first)
      try #require(parts.count == 3 && numbers.count == 8)
      let (height, width, channels) = (Int(numbers[0]), Int(numbers[1]), Int(numbers[2]))
      var map = AffineMap()
      map.rotationDegrees = numbers[3]
      map.rowShift = numbers[4]
      map.columnShift = numbers[5]
      map.rowZoom = numbers[6]
      map.columnZoom = numbers[7]
      let pixels = parts[1].map { UInt8($0) }
      let found = apply(map, to: pixels, height: height, width: width, channels: channels)
      for (index, expected) in parts[2].enumerated() {
        #expect(abs(Double(found[index]) - expected) < 1e-4, "case \(cases), value \(index)")
      }
      // A mirrored picture is the same picture mirrored; the scale is a plain factor.
      map.isFlipped = true
      let flipped = apply(
        map, to: pixels, height: height, width: width, channels: channels, scale: 0.5)
      for row in 0..<height {
        for column in 0..<width {
          for channel in 0..<channels {
            let here = (row * width + column) * channels + channel
            let there = (row * width + width - 1 - column) * channels + channel
            #expect(flipped[here] == found[there] * 0.5)
          }
        }
      }
      cases += 1
    }
    #expect(cases == 10)
  }

  @Test func theIdentityIsExact() {
    let pixels = (0..<300).map { UInt8($0 % 256) }
    let found = apply(AffineMap(), to: pixels, height: 10, width: 10, channels: 3)
    #expect(found == pixels.map { Float($0) })
  }

  @Test func drawsFillTheirRanges() {
    let augmentation = Augmentation(
      rotationDegrees: 15, heightShift: 0.1, widthShift: 0.2, zoom: 0.1, horizontalFlip: true)
    var random = SeededGenerator(seed: 3)
    let maps = (0..<4000).map { _ in augmentation.draw(height: 32, width: 96, using: &random) }
    func expectRange(_ values: [Double], _ low: Double, _ high: Double) {
      let slack = (high - low) * 0.01
      #expect(values.allSatisfy { low <= $0 && $0 <= high })
      #expect((values.min() ?? 9) < low + slack && (values.max() ?? -9) > high - slack)
      let mean = values.reduce(0, +) / Double(values.count)
      #expect(abs(mean - (low + high) / 2) < 0.02 * (high - low))
    }
    expectRange(maps.map(\.rotationDegrees), -15, 15)
    expectRange(maps.map(\.rowShift), -3.2, 3.2)
    expectRange(maps.map(\.columnShift), -19.2, 19.2)
    expectRange(maps.map(\.rowZoom), 0.9, 1.1)
    expectRange(maps.map(\.columnZoom), 0.9, 1.1)
    #expect(maps.contains { abs($0.rowZoom - $0.columnZoom) > 0.1 })
    let flips = maps.filter(\.isFlipped).count
    #expect((1900...2100).contains(flips))
  }

  /// Switching one movement off must not change the others.
  @Test func movementsAreDrawnApart() {
    var first = SeededGenerator(seed: 5)
    var second = SeededGenerator(seed: 5)
    let all = Augmentation(rotationDegrees: 15, heightShift: 0.1, widthShift: 0.1, zoom: 0.1)
    let some = Augmentation(rotationDegrees: 15, zoom: 0.1)
    let a = all.draw(height: 32, width: 32, using: &first)
    let b = some.draw(height: 32, width: 32, using: &second)
    #expect(a.rotationDegrees == b.rotationDegrees && a.columnZoom == b.columnZoom)
    #expect(b.rowShift == 0 && a.rowShift != 0)
    #expect(first == second)
  }
}
