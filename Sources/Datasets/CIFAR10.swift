//! CIFAR-10's python batches as images; knows what a batch must hold, not how pickle writes it.

import Files

/// The files of cifar-10-batches-py (Krizhevsky, "Learning Multiple Layers of Features from Tiny
/// Images", 2009), as Python 2 wrote them or Python 3 writes them again. A batch may have any
/// number of rows: its labels say how many.
package enum CIFAR10 {
  package static let trainingFiles = (1...5).map { "data_batch_\($0)" }
  package static let testFile = "test_batch"
  package static let classNames = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
  ]

  private static let side = 32
  private static let planes = 3
  private static let columns = side * side * planes
  /// Eight times an original batch.
  private static let fileLimit = 256 << 20

  /// All rows of these files, in their order.
  ///
  /// - Parameter files: paths, each of one batch.
  /// - Returns: images of 32 x 32 x 3.
  /// - Throws: `FileError` where a file cannot be read, `DatasetError` where it is no batch.
  package static func load(files: [String]) throws -> ImageSet {
    guard !files.isEmpty else { throw DatasetError.noFiles }
    var pixels: [UInt8] = []
    var labels: [Int32] = []
    for path in files {
      let batch = try decode(try Files.read(path, limit: fileLimit), path: path)
      pixels += batch.pixels
      labels += batch.labels
    }
    return images(pixels, labels)
  }

  /// One batch from a file's bytes; `path` is for messages.
  package static func decode(_ bytes: [UInt8], path: String) throws(DatasetError) -> ImageSet {
    let pickle = try PickleReader.read(bytes, path: path)
    let batch = try Batch(pickle, path: path)
    let labels = try batch.labels(classes: classNames.count)
    let data = try batch.data(columns: columns)
    guard data.rows == labels.count else {
      throw DatasetError.rowCount(file: path, labels: labels.count, rows: data.rows)
    }
    guard !labels.isEmpty else { throw DatasetError.noRows(file: path) }
    return images(interleaved(pickle.slice(data.bytes), rows: data.rows), labels)
  }

  private static func images(_ pixels: [UInt8], _ labels: [Int32]) -> ImageSet {
    ImageSet(
      height: side, width: side, channels: planes, pixels: pixels, labels: labels,
      classNames: classNames)
  }

  /// Red, green and blue planes (rows,3,32,32) to (rows,32,32,3).
  private static func interleaved(_ planar: ArraySlice<UInt8>, rows: Int) -> [UInt8] {
    let plane = side * side
    return [UInt8](unsafeUninitializedCapacity: rows * columns) { output, count in
      planar.withUnsafeBufferPointer { input in
        for row in 0..<rows {
          let base = row * columns
          for pixel in 0..<plane {
            for channel in 0..<planes {
              output[base + pixel * planes + channel] = input[base + channel * plane + pixel]
            }
          }
        }
      }
      count = rows * columns
    }
  }
}

/// The dictionary of one batch, its entries checked as they are asked for.
private struct Batch {
  let pickle: Pickle
  let path: String
  let items: [PickleValue]

  init(_ pickle: Pickle, path: String) throws(DatasetError) {
    guard let dictionary = pickle.object(pickle.root, .dictionary) else {
      throw .notADictionary(file: path, found: pickle.typeName(pickle.root))
    }
    self.pickle = pickle
    self.path = path
    items = dictionary.items
  }

  /// The last value under a key, as in Python.
  private func value(_ key: String) throws(DatasetError) -> PickleValue {
    let keys = stride(from: 0, to: items.count, by: 2)
    if let place = keys.reversed().first(where: { pickle.string(items[$0]) == key }) {
      return items[place + 1]
    }
    // The names are the file's, so they are shown short and in plain letters.
    let found = keys.prefix(10).map { place in
      pickle.string(items[place]).map { plain($0) } ?? pickle.typeName(items[place])
    }
    throw .missingKey(file: path, key: key, found: found)
  }

  private func plain(_ name: String) -> String {
    String(name.unicodeScalars.prefix(40).map { (" "..."~").contains($0) ? Character($0) : "?" })
  }

  func labels(classes: Int) throws(DatasetError) -> [Int32] {
    let value = try value("labels")
    guard let list = pickle.object(value, .list) else {
      throw .wrongType(
        file: path, key: "labels", row: nil, expected: "a list of ints",
        found: pickle.typeName(value))
    }
    var labels: [Int32] = []
    labels.reserveCapacity(list.items.count)
    for (row, item) in list.items.enumerated() {
      guard case .int(let label) = item else {
        throw .wrongType(
          file: path, key: "labels", row: row, expected: "an int", found: pickle.typeName(item))
      }
      guard (0..<classes).contains(label) else {
        throw .labelRange(file: path, row: row, label: label, classes: classes)
      }
      labels.append(Int32(label))
    }
    return labels
  }

  func data(columns: Int) throws(DatasetError) -> (rows: Int, bytes: PickleBytes) {
    let value = try value("data")
    guard let array = pickle.object(value, .array), array.items.count == 4,
      let shapeTuple = pickle.object(array.items[0], .tuple),
      let type = pickle.object(array.items[1], .dtype)?.items.first.flatMap(pickle.string),
      case .bytes(let bytes) = array.items[3]
    else {
      throw .wrongType(
        file: path, key: "data", row: nil, expected: "a numpy array",
        found: pickle.object(value, .array) == nil
          ? pickle.typeName(value) : "an array without contents")
    }
    let shape = shapeTuple.items.map { item in
      if case .int(let extent) = item { extent } else { -1 }
    }
    // A count of rows beyond 2^31 cannot be true of a file, and its product might overflow.
    guard type == "u1", shape.count == 2, shape[1] == columns, 0...Int(Int32.max) ~= shape[0]
    else {
      throw .wrongPixels(
        file: path, offset: array.offset, columns: columns, type: type,
        shape: Array(shape.prefix(8)))
    }
    guard bytes.count == shape[0] * columns else {
      throw .pixelBytes(
        file: path, offset: array.offset, rows: shape[0], columns: columns, found: bytes.count)
    }
    switch array.items[2] {
    case .bool(true), .int(1): throw .fortranOrder(file: path, offset: array.offset)
    default: return (shape[0], bytes)
    }
  }
}
