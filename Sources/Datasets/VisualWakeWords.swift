//! Visual wake words' folders: which images there are, of which class, and which of them test. Knows
//! no batch.

import Files
import Tensors

/// person/ and non_person/ of 96x96 JPEGs, as MLPerf Tiny trains on them.
package struct VisualWakeWords: Sendable {
  /// In Keras's order of the folders' names; the label is the index.
  package static let classNames = ["non_person", "person"]
  package static let side = 96

  package struct Image: Hashable, Sendable {
    /// Below the data set's folder.
    package var file: String
    package var label: Int32

    package init(file: String, label: Int32) {
      self.file = file
      self.label = label
    }
  }

  /// Which images test.
  package enum TestSplit: Hashable, Sendable {
    /// So many images that the training set contains, as the thesis tests: the numbers flatter.
    case thesisOverlap(images: Int, seed: UInt64)
    /// So many images that are taken out of the training set.
    case clean(images: Int, seed: UInt64)
  }

  /// By class, and by name within a class.
  package let images: [Image]

  /// Lists what lies below `root`.
  ///
  /// - Throws: `FileError`; `ImageFolderError` where a class has no folder or no image.
  package init(listing root: String) throws {
    var images: [Image] = []
    for (label, name) in Self.classNames.enumerated() {
      let folder = root + "/" + name
      guard Files.isDirectory(folder) else {
        throw ImageFolderError.noClassFolder(
          root: root, name: name, found: (try? Files.list(root)) ?? [])
      }
      let files = try Files.list(folder).filter {
        !$0.hasPrefix(".") && Self.isJPEG($0)
      }
      guard !files.isEmpty else { throw ImageFolderError.noImages(folder: folder) }
      images += files.map { Image(file: "\(name)/\($0)", label: Int32(label)) }
    }
    self.images = images
  }

  private static func isJPEG(_ name: String) -> Bool {
    let name = name.lowercased()
    return name.hasSuffix(".jpg") || name.hasSuffix(".jpeg")
  }

  /// The images that test, in the folder's order.
  package func test(_ split: TestSplit) throws -> [Image] {
    let chosen = try drawn(split)
    return images.indices.filter { chosen.contains($0) }.map { images[$0] }
  }

  /// The images that train and validate, in the folder's order.
  package func training(_ split: TestSplit) throws -> [Image] {
    guard case .clean = split else { return images }
    let held = try drawn(split)
    return images.indices.filter { !held.contains($0) }.map { images[$0] }
  }

  /// Images in an order that is drawn once and for all, so that the first ones are of both classes.
  package static func mixed(_ images: [Image]) -> [Image] {
    var mixed = images
    var random = SeededGenerator(seed: 0, RandomPurpose.order)
    random.shuffle(&mixed)
    return mixed
  }

  /// Of each class as many as its share of all images, drawn by seed.
  private func drawn(_ split: TestSplit) throws -> Set<Int> {
    let (count, seed, most) =
      switch split {
      case .thesisOverlap(let count, let seed): (count, seed, images.count)
      // Something must be left to train on.
      case .clean(let count, let seed): (count, seed, images.count - 1)
      }
    guard count <= most else {
      throw ImageFolderError.tooFew(images: images.count, test: count)
    }
    var chosen: Set<Int> = []
    var left = count
    for label in Self.classNames.indices {
      var rows = images.indices.filter { images[$0].label == Int32(label) }
      let isLast = label == Self.classNames.count - 1
      let share =
        isLast
        ? left : Int((Double(count) * Double(rows.count) / Double(images.count)).rounded())
      var random = SeededGenerator(seed: seed, RandomPurpose.split, UInt64(label) + 1)
      random.shuffle(&rows)
      chosen.formUnion(rows.prefix(min(share, rows.count)))
      left -= share
    }
    return chosen
  }

  /// One image's pixels, (96, 96, 3); grey ones have three equal channels.
  ///
  /// - Throws: what `JPEG` throws; `ImageFolderError.size` for an image of another size: to shrink
  ///   it here would hide that it was not made as the data set's others.
  package static func pixels(reading path: String) throws -> [UInt8] {
    let image = try JPEG(reading: path)
    guard image.height == side, image.width == side else {
      throw ImageFolderError.size(
        file: path, width: image.width, height: image.height, side: side)
    }
    return image.pixels
  }
}

/// What is wrong with a folder of images.
package enum ImageFolderError: Error, Hashable, Sendable, CustomStringConvertible {
  case noClassFolder(root: String, name: String, found: [String])
  case noImages(folder: String)
  case tooFew(images: Int, test: Int)
  case size(file: String, width: Int, height: Int, side: Int)

  package var description: String {
    switch self {
    case .noClassFolder(let root, let name, let found):
      "\(root): no folder `\(name)`; there "
        + (found.isEmpty
          ? "is nothing" : "are " + found.prefix(8).map { "`\($0)`" }.joined(separator: ", "))
    case .noImages(let folder): "\(folder): no .jpg files"
    case .tooFew(let images, let test):
      "\(images) images in all are too few for a test set of \(test)"
    case .size(let file, let width, let height, let side):
      "\(file): is \(width)x\(height), expected \(side)x\(side); `shiftwork data build-vww` makes "
        + "such images from COCO's"
    }
  }
}
