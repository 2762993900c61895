//! The `dataset` section of kind visual_wake_words: folder, test set, augmentation.

import Diagnostics
import Specs

extension DatasetSpec {
  private static let wakeWordShape = [96, 96, 3]

  mutating func readWakeWords(_ section: inout Section) {
    let folder = Self.folder("root", &section)
    (root, rootPath) = (folder?.node, folder?.path)
    // The reference divides by 255.
    fields.scale = section.double("scale", in: 1e-9...1e9, default: 1.0 / 255)
    readImageSplit(&section)
    readAugment(&section)
    let testSet = Self.testSet(&section)
    fields.synthetic = Self.synthetic(
      &section, of: "images", training: 4_000, test: 1_000, isUsed: fields.source == .synthetic)
    (exampleShape, classes) = (Self.wakeWordShape, 2)

    var training = DataPreparation.Part(fields: preparing(.training))
    var test = DataPreparation.Part(fields: preparing(.test))
    if fields.source == .real {
      // A test set that overlaps leaves the training set as it is.
      training.fields.test = testSet.kind == .clean ? testSet : nil
      test.fields.test = testSet
      if let folder {
        training.folders = [.init(role: "images", path: folder.path, node: folder.node)]
        test.folders = training.folders
      } else {
        training.lack = noFolder(section, "root", example: "vw_coco2014_96")
        test.lack = training.lack
      }
    }
    preparation = DataPreparation(training: training, test: test)
  }

  private static func testSet(_ section: inout Section) -> TestSetFields {
    var test = TestSetFields(kind: .clean, images: 1_000, seed: 42)
    guard var child = section.section("test", in: "dataset.test") else { return test }
    test.kind = child.choice("kind", of: TestSetFields.Kind.self, default: .clean)
    test.images = child.int("images", in: 1...1_000_000, default: 1_000)
    test.seed = child.int("seed", in: 0...Int.max, default: 42)
    child.rejectUnknownKeys()
    section.adopt(child, at: "test")
    return test
  }
}
