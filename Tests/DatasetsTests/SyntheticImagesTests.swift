//! Made images: the same on every machine, different from set to set.

import Datasets
import Testing

@Suite struct SyntheticImagesTests {
  /// FNV-1a, to pin the bytes without storing them.
  private func hash(_ bytes: [UInt8]) -> UInt64 {
    bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
  }

  @Test func aSeedFixesEveryByte() {
    let set = SyntheticImages.make(count: 40, seed: 42, stream: .training)
    #expect((set.height, set.width, set.channels, set.count) == (32, 32, 3, 40))
    #expect(set.labels[..<10] == [7, 6, 0, 5, 6, 9, 6, 5, 7, 7])
    #expect(hash(set.pixels) == 7_448_213_843_287_522_026)
  }

  @Test func aLongerSetBeginsWithTheShorter() {
    let short = SyntheticImages.make(count: 5, seed: 1, stream: .test)
    let long = SyntheticImages.make(count: 9, seed: 1, stream: .test)
    #expect(long.selecting(Array(0..<5)).pixels == short.pixels)
  }

  @Test func streamsAndSeedsShareNothing() {
    let training = SyntheticImages.make(count: 8, seed: 1, stream: .training)
    #expect(SyntheticImages.make(count: 8, seed: 1, stream: .test).pixels != training.pixels)
    #expect(SyntheticImages.make(count: 8, seed: 2, stream: .training).pixels != training.pixels)
  }

  @Test func classesAreAboutEquallyFrequent() {
    let set = SyntheticImages.make(count: 3000, height: 4, width: 4, seed: 7, stream: .training)
    for label in 0..<10 {
      let share = set.labels.filter { $0 == Int32(label) }.count
      #expect((230...370).contains(share), "class \(label)")
    }
  }

  /// The mean picture tells nothing: the nearest class mean is right little more often than chance.
  @Test func classMeansDoNotTellTheClass() {
    let training = SyntheticImages.make(count: 2000, seed: 3, stream: .training)
    let test = SyntheticImages.make(count: 500, seed: 3, stream: .test)
    let size = training.imageSize
    var means = [[Float]](repeating: [Float](repeating: 0, count: size), count: 10)
    var counts = [Float](repeating: 0, count: 10)
    for index in 0..<training.count {
      let label = Int(training.labels[index])
      counts[label] += 1
      for pixel in 0..<size { means[label][pixel] += Float(training.pixels[index * size + pixel]) }
    }
    for label in 0..<10 { for pixel in 0..<size { means[label][pixel] /= counts[label] } }
    var right = 0
    for index in 0..<test.count {
      let distances = means.map { mean in
        var sum: Float = 0
        for pixel in 0..<size {
          let difference = Float(test.pixels[index * size + pixel]) - mean[pixel]
          sum += difference * difference
        }
        return sum
      }
      let nearest = distances.indices.min { distances[$0] < distances[$1] } ?? 0
      if nearest == Int(test.labels[index]) { right += 1 }
    }
    #expect(right < 125)
  }
}
