//! Folders of visual wake words and their test sets; JPEGs of every kind; the made figures.

import Datasets
import Files
import Foundation
import TestSupport
import Testing

@Suite struct VisualWakeWordsTests {
  private let workspace: Workspace

  init() throws { workspace = try Workspace() }

  private func fill(person: Int, nonPerson: Int) throws -> VisualWakeWords {
    for (name, count) in [("person", person), ("non_person", nonPerson)] {
      for index in 0..<count { try workspace.write("x", to: "vww/\(name)/\(1000 + index).jpg") }
    }
    try workspace.write("x", to: "vww/y_labels.csv")
    try workspace.write("x", to: "vww/person/.partial.jpg")
    return try VisualWakeWords(listing: workspace.path("vww"))
  }

  @Test func imagesAreListedByClassAndName() throws {
    let set = try fill(person: 2, nonPerson: 1)
    #expect(
      set.images == [
        .init(file: "non_person/1000.jpg", label: 0), .init(file: "person/1000.jpg", label: 1),
        .init(file: "person/1001.jpg", label: 1),
      ])
  }

  @Test func aCleanTestSetSharesNothingWithTheTrainingSet() throws {
    let set = try fill(person: 60, nonPerson: 40)
    let clean = VisualWakeWords.TestSplit.clean(images: 10, seed: 3)
    let test = try set.test(clean)
    let training = try set.training(clean)
    #expect(test.count == 10 && test.filter { $0.label == 1 }.count == 6)
    #expect(Set(test).isDisjoint(with: training) && test.count + training.count == 100)
    #expect(try set.test(.clean(images: 10, seed: 4)) != test)
    let overlap = VisualWakeWords.TestSplit.thesisOverlap(images: 10, seed: 3)
    #expect(try set.test(overlap) == test)
    #expect(try set.training(overlap) == set.images)
    #expect(throws: ImageFolderError.tooFew(images: 100, test: 100)) {
      try set.test(.clean(images: 100, seed: 3))
    }
  }

  @Test func aFolderWithoutClassesIsNamed() throws {
    try workspace.write("x", to: "vww/cats/1.jpg")
    let root = workspace.path("vww")
    #expect {
      try VisualWakeWords(listing: root)
    } throws: { error in
      "\(error)" == "\(root): no folder `non_person`; there are `cats`"
    }
    try workspace.write("x", to: "vww/non_person/1.jpg")
    try workspace.write("x", to: "vww/person/1.png")
    #expect(throws: ImageFolderError.noImages(folder: root + "/person")) {
      try VisualWakeWords(listing: root)
    }
  }

  @Test func everyWrongJPEGIsNamed() throws {
    func write(_ bytes: [UInt8]) throws -> String {
      let path = workspace.path("image.jpg")
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      return path
    }
    let pixels = (0..<96 * 96 * 3).map { UInt8($0 / 108 % 256) }
    let good = try JPEG.encode(pixels, height: 96, width: 96, quality: 95)
    let back = try VisualWakeWords.pixels(reading: write(good))
    let differences = zip(back, pixels).map { abs(Int($0) - Int($1)) }
    #expect(Double(differences.reduce(0, +)) / Double(pixels.count) < 2)
    func fault(_ bytes: [UInt8]) throws -> String {
      let path = try write(bytes)
      do {
        _ = try VisualWakeWords.pixels(reading: path)
        return "nothing"
      } catch { return String("\(error)".dropFirst(path.count + 2)) }
    }
    #expect(try fault([]) == "no usable JPEG: the file is empty")
    #expect(try fault(Array("<html>".utf8)).hasPrefix("no usable JPEG: Not a JPEG file"))
    #expect(
      try fault(Array(good.prefix(good.count / 2))).hasPrefix("no usable JPEG: Premature end"))
    let small = try JPEG.encode(
      Array(pixels.prefix(32 * 40 * 3)), height: 32, width: 40, quality: 90)
    #expect(
      try fault(small)
        == "is 40x32, expected 96x96; `shiftwork data build-vww` makes such images from COCO's")
    let fixtures = TestPaths.fixtures + "/data"
    let cmyk = try Files.read(fixtures + "/cmyk.jpg", limit: 1 << 20)
    #expect(
      try fault(cmyk)
        == "no usable JPEG: it has four colour components (CMYK), expected grey or colour")
    let grey = try VisualWakeWords.pixels(reading: fixtures + "/grey.jpg")
    let places = stride(from: 0, to: grey.count, by: 3)
    let isGrey = places.allSatisfy { (place: Int) -> Bool in
      grey[place] == grey[place + 1] && grey[place] == grey[place + 2]
    }
    #expect(isGrey)
  }

  @Test func figuresFollowFromSeedStreamAndIndex() {
    let set = SyntheticFigures.make(count: 40, seed: 1, stream: .training)
    #expect(
      SyntheticFigures.make(count: 10, seed: 1, stream: .training).pixels[...]
        == set.pixels[..<(10 * 27_648)])
    #expect(set.labels.contains(0) && set.labels.contains(1))
    #expect(
      SyntheticFigures.make(count: 2, seed: 1, stream: .test).pixels
        != Array(set.pixels[..<(2 * 27_648)]))
    // The bytes themselves: a seed means the same on every machine.
    #expect(
      SHA256.digest(of: set.pixels).hex
        == "3e27800ab0bc026608766a38681a4091cff74f415cce89f51cda1d7485709e14")
  }
}
