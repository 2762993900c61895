//! COCO's annotations: the rule, and what is said about files that are not COCO's.

import Datasets
import TestSupport
import Testing

@Suite struct COCOAnnotationsTests {
  private let workspace: Workspace

  init() throws { workspace = try Workspace() }

  private static let image =
    #"{"id": 7, "file_name": "7.jpg", "width": 100, "height": 50, "extra": [1, {"a": null}]}"#
  private static let categories = #"[{"id": 3, "name": "dog"}, {"name": "person", "id": 1}]"#

  private static func text(
    images: String = "[\(image)]", annotations: String = "[]", categories: String = categories
  ) -> String {
    #"{"info": {"x": "\u00e9\""}, "annotations": \#(annotations), "images": \#(images), "#
      + #""categories": \#(categories)}"#
  }

  private static func box(
    _ width: Double, _ height: Double, category: Int = 1, crowd: Int = 0, image: Int = 7
  ) -> String {
    #"{"image_id": \#(image), "bbox": [1, 2.5, \#(width), \#(height)], "iscrowd": \#(crowd), "#
      + #""category_id": \#(category), "segmentation": [[1.5, -2e1]]}"#
  }

  private func read(_ text: String) throws -> COCOAnnotations {
    try workspace.write(text, to: "instances.json")
    return try COCOAnnotations(reading: workspace.path("instances.json"))
  }

  /// 0.025 of 100 x 50 are 125 pixels; the share must exceed them.
  private static let rule: [([String], VisualWakeWordsBuilder.Label, Double?)] = [
    ([], .nonPerson, nil),
    ([box(90, 40, category: 3)], .nonPerson, nil),
    ([box(90, 40, crowd: 1)], .nonPerson, nil),
    ([box(12.5, 10)], .skipped, 0.025),
    ([box(12.51, 10)], .person, 0.02502),
    ([box(5, 5), box(50, 25), box(90, 40, crowd: 1)], .person, 0.25),
    ([box(5, 5), box(90, 40, crowd: 1)], .skipped, 0.005),
    ([box(0, 5)], .skipped, 0),
  ]

  @Test(arguments: rule)
  func theRuleIsTheScripts(
    _ boxes: [String], _ label: VisualWakeWordsBuilder.Label, _ share: Double?
  ) throws {
    let found = try read(Self.text(annotations: "[" + boxes.joined(separator: ",") + "]"))
    let image = try #require(found.images.first)
    #expect(image.id == 7 && image.fileName == "7.jpg" && image.width == 100)
    #expect(image.largestPerson == share)
    #expect(VisualWakeWordsBuilder.label(of: image, threshold: 0.025) == label)
  }

  private static let wrong: [(String, String)] = [
    ("", "offset 0: the file ends inside a value"),
    ("[]", "offset 0: expected an object"),
    ("{}", "offset 2: the file has no `images`: COCO's instances_*.json is expected"),
    ("{\"images\": [}", "offset 12: expected an object"),
    (String(text().dropLast()), "the file ends inside a value"),
    (text() + "x", "text after the end of the value"),
    (text(categories: "[]"), "0 categories are called `person`, expected one"),
    (text(images: "[\(image), \(image)]"), "two images have the id 7"),
    (text(annotations: "[\(box(1, 1, image: 8))]"), "a box is in image 8, which is not listed"),
    (text(annotations: "[{\"bbox\": [1, 2, 3]}]"), "a box is x, y, width and height"),
    (text(annotations: "[{\"bbox\": [1, 2, -3, 4]}]"), "a box is x, y, width and height"),
    (text(annotations: "[{\"bbox\": [1, 2, 3, 4, 5]}]"), "a box has more than four numbers"),
    (text(annotations: "[{\"bbox\": [1, 2, 3, 1e999]}]"), "expected a number"),
    (text(annotations: "[{\"image_id\": 7}]"), "a box needs `image_id`, `category_id` and `bbox`"),
    (text(annotations: "[{\"image_id\": -7}]"), "expected a whole number of at least 0"),
    (
      text(images: #"[{"id": 1, "file_name": "../../x.jpg", "width": 1, "height": 1}]"#),
      "image 1 has no `file_name` that ends in .jpg"
    ),
    (
      text(images: #"[{"id": 1, "file_name": "x.jpg", "width": 0, "height": 1}]"#),
      "image 1 is 0x1, expected 1 to 65535 a side"
    ),
    (
      "{\"info\": " + String(repeating: "[", count: 100_000),
      "more than 64 values inside each other"
    ),
    ("{\"info\": \"" + String(repeating: "x", count: 200_000), "the file ends inside a value"),
    ("{\"" + String(repeating: "x", count: 200_000), "a string of more than 65536 bytes"),
    ("{\"info\": \"\u{1}\"", "the file ends inside a value"),
    ("{\"images\": 5}", "expected an array"),
    ("{\"info\": nul}", "expected `null`"),
  ]

  @Test(arguments: wrong)
  func whatIsNotCOCOIsNamed(_ text: String, _ words: String) throws {
    #expect {
      try read(text)
    } throws: { error in
      "\(error)".hasPrefix(workspace.path("instances.json") + ": offset ")
        && "\(error)".hasSuffix(words)
    }
  }
}
