//! COCO's instances_*.json as far as persons go: images, and the largest box of a person in each.
//! Knows no pixels.

import Files

/// What the annotations of one COCO split say about persons (Lin et al., "Microsoft COCO: Common
/// Objects in Context", 2014).
package struct COCOAnnotations: Sendable {
  package struct Image: Hashable, Sendable {
    package var id: Int
    package var fileName: String
    package var width: Int
    package var height: Int
    /// Share of the image that the largest box of a person covers, boxes of crowds left out; nil:
    /// nobody is there, or only a crowd.
    package var largestPerson: Double?
  }

  /// In the file's order.
  package let images: [Image]

  private static let person = "person"

  /// One box, before it is known which category is a person's.
  private struct Box {
    var image = -1
    var category = -1
    var area = -1.0
    var isCrowd = false
    var offset = 0
  }

  /// - Throws: `FileError`; a fault with its offset where the file is not JSON or not COCO's.
  package init(reading path: String) throws {
    let stream = try JSONStream(path: path)
    var images: [Image] = []
    var boxes: [Box] = []
    var persons: [Int] = []
    var found: Set<String> = []
    try stream.members { key in
      switch key {
      case "images": try stream.elements { images.append(try Self.image(stream)) }
      case "annotations": try stream.elements { boxes.append(try Self.box(stream)) }
      case "categories":
        try stream.elements {
          if let id = try Self.personCategory(stream) { persons.append(id) }
        }
      default:
        try stream.skip()
        return
      }
      guard found.insert(key).inserted else { throw stream.fault("`\(key)` stands there twice") }
    }
    try stream.finish()
    for key in ["images", "annotations", "categories"] where !found.contains(key) {
      throw stream.fault("the file has no `\(key)`: COCO's instances_*.json is expected")
    }
    guard persons.count == 1 else {
      throw stream.fault("\(persons.count) categories are called `person`, expected one")
    }
    var places: [Int: Int] = [:]
    for (place, image) in images.enumerated() {
      guard places.updateValue(place, forKey: image.id) == nil else {
        throw stream.fault("two images have the id \(image.id)")
      }
    }
    for box in boxes {
      guard let place = places[box.image] else {
        throw stream.fault("a box is in image \(box.image), which is not listed", at: box.offset)
      }
      guard box.category == persons[0], !box.isCrowd else { continue }
      let share = box.area / Double(images[place].width * images[place].height)
      images[place].largestPerson = max(images[place].largestPerson ?? 0, share)
    }
    self.images = images
  }

  private static func image(_ stream: JSONStream) throws -> Image {
    var image = Image(id: -1, fileName: "", width: 0, height: 0)
    let start = stream.offset
    try stream.members { key in
      switch key {
      case "id": image.id = try stream.whole()
      case "file_name": image.fileName = try stream.string()
      case "width": image.width = try stream.whole()
      case "height": image.height = try stream.whole()
      default: try stream.skip()
      }
    }
    guard image.id >= 0 else { throw stream.fault("an image has no id", at: start) }
    guard (1...65535).contains(image.width), (1...65535).contains(image.height) else {
      throw stream.fault(
        "image \(image.id) is \(image.width)x\(image.height), expected 1 to 65535 a side", at: start
      )
    }
    // It becomes part of a path.
    let isPlain = image.fileName.utf8.allSatisfy { $0 > 32 && $0 != 127 && $0 != UInt8(ascii: "/") }
    guard isPlain, !image.fileName.hasPrefix("."), (5...200).contains(image.fileName.utf8.count),
      image.fileName.hasSuffix(".jpg")
    else {
      throw stream.fault("image \(image.id) has no `file_name` that ends in .jpg", at: start)
    }
    return image
  }

  private static func box(_ stream: JSONStream) throws -> Box {
    var box = Box()
    box.offset = stream.offset
    try stream.members { key in
      switch key {
      case "image_id": box.image = try stream.whole()
      case "category_id": box.category = try stream.whole()
      case "iscrowd": box.isCrowd = try stream.whole() != 0
      case "bbox":
        var sides: [Double] = []
        try stream.elements {
          guard sides.count < 4 else { throw stream.fault("a box has more than four numbers") }
          sides.append(try stream.number())
        }
        guard sides.count == 4, sides[2] >= 0, sides[3] >= 0 else {
          throw stream.fault("a box is x, y, width and height")
        }
        box.area = sides[2] * sides[3]
      default: try stream.skip()
      }
    }
    guard box.image >= 0, box.category >= 0, box.area >= 0 else {
      throw stream.fault("a box needs `image_id`, `category_id` and `bbox`", at: box.offset)
    }
    return box
  }

  private static func personCategory(_ stream: JSONStream) throws -> Int? {
    var (id, name) = (-1, "")
    try stream.members { key in
      switch key {
      case "id": id = try stream.whole()
      case "name": name = try stream.string()
      default: try stream.skip()
      }
    }
    return name == person && id >= 0 ? id : nil
  }
}
