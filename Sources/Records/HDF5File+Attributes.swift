//! Attributes of an HDF5 file's objects: strings, lists of strings, numbers.

import CHDF5
import Diagnostics
import Glibc

extension HDF5File {
  /// Whether `object` has the attribute.
  package func hasAttribute(_ name: String, of object: String = "/") throws -> Bool {
    try HDF5Library.alone {
      let holder = try open(object)
      return !name.utf8.contains(0) && H5Aexists(holder.id, name) > 0
    }
  }

  /// A string attribute of fixed or variable length, nil where there is none of this name.
  package func string(_ name: String, of object: String = "/") throws -> String? {
    guard let all = try strings(name, of: object) else { return nil }
    guard let first = all.first, all.count == 1 else {
      throw HDF5Error.unsuitableObject(
        path: path, object: shown(name, object), why: "is not one string but \(all.count)")
    }
    return first
  }

  /// An attribute that is a list of strings (or one string), nil where there is none of this name.
  package func strings(_ name: String, of object: String = "/") throws -> [String]? {
    try HDF5Library.alone {
      let holder = try open(object)
      guard let attribute = try openAttribute(name, of: holder, shownAs: object) else { return nil }
      let shown = shown(name, object)
      let type = try HDF5Handle(
        H5Aget_type(attribute.id), "H5Aget_type", path: path, object: shown)
      let width = H5Tget_size(type.id)
      let count = try elementCount(of: attribute, bytesPerElement: width, shownAs: shown)
      // h5py gives an empty list of strings a type of numbers.
      guard count > 0 else { return [] }
      guard H5Tget_class(type.id) == H5T_STRING else {
        // h5py, and so Keras, writes an empty list as no numbers.
        if try elementCount(of: attribute, bytesPerElement: 8, shownAs: shown) == 0 { return [] }
        throw HDF5Error.unsuitableObject(path: path, object: shown, why: "does not hold strings")
      }
      let isVariable = H5Tis_variable_str(type.id) > 0
      return isVariable
        ? try variableStrings(attribute, type: type, count: count, shownAs: shown)
        : try fixedStrings(attribute, type: type, count: count, width: width, shownAs: shown)
    }
  }

  /// A number attribute, nil where there is none of this name.
  package func number(_ name: String, of object: String = "/") throws -> Double? {
    try HDF5Library.alone {
      let holder = try open(object)
      guard let attribute = try openAttribute(name, of: holder, shownAs: object) else { return nil }
      let shown = shown(name, object)
      let type = try HDF5Handle(
        H5Aget_type(attribute.id), "H5Aget_type", path: path, object: shown)
      let isNumber = [H5T_FLOAT, H5T_INTEGER].contains(H5Tget_class(type.id))
      guard isNumber, try elementCount(of: attribute, bytesPerElement: 8, shownAs: shown) == 1
      else {
        throw HDF5Error.unsuitableObject(path: path, object: shown, why: "is not one number")
      }
      var value = 0.0
      try check(
        H5Aread(attribute.id, shim_h5_native_double(), &value), "H5Aread", path: path,
        object: shown)
      return value
    }
  }

  private func shown(_ name: String, _ object: String) -> String { "\(object)@\(name)" }

  private func openAttribute(
    _ name: String, of holder: borrowing HDF5Handle, shownAs object: String
  ) throws -> HDF5Handle? {
    guard !name.utf8.contains(0), H5Aexists(holder.id, name) > 0 else { return nil }
    return try HDF5Handle(
      H5Aopen(holder.id, name, shim_h5_default()), "H5Aopen", path: path,
      object: shown(name, object))
  }

  private func elementCount(
    of attribute: borrowing HDF5Handle, bytesPerElement: Int, shownAs shown: String
  ) throws -> Int {
    let space = try HDF5Handle(
      H5Aget_space(attribute.id), "H5Aget_space", path: path, object: shown)
    var (count, bytes) = (1, bytesPerElement)
    for extent in try extents(of: space, shownAs: shown) {
      let (product, overflow) = bytes.multipliedReportingOverflow(by: extent)
      guard !overflow, product <= Self.attributeLimitBytes else {
        throw HDF5Error.unsuitableObject(
          path: path, object: shown, why: "is larger than \(Self.attributeLimitBytes) bytes")
      }
      // No overflow: the product of bytes has none, and bytes are at least one an element.
      (count, bytes) = (count * extent, product)
    }
    guard bytes <= Self.attributeLimitBytes else {
      throw HDF5Error.unsuitableObject(
        path: path, object: shown, why: "is larger than \(Self.attributeLimitBytes) bytes")
    }
    return count
  }

  private func fixedStrings(
    _ attribute: borrowing HDF5Handle, type: borrowing HDF5Handle, count: Int, width: Int,
    shownAs shown: String
  ) throws -> [String] {
    var bytes = [UInt8](repeating: 0, count: count * width)
    try check(H5Aread(attribute.id, type.id, &bytes), "H5Aread", path: path, object: shown)
    let isSpacePadded = H5Tget_strpad(type.id) == H5T_STR_SPACEPAD
    return try (0..<count).map { index in
      var text = bytes[index * width..<(index + 1) * width]
      if isSpacePadded {
        while text.last == UInt8(ascii: " ") { text.removeLast() }
      } else if let end = text.firstIndex(of: 0) {
        text = text[..<end]
      }
      return try decoded(text, shownAs: shown)
    }
  }

  private func variableStrings(
    _ attribute: borrowing HDF5Handle, type: borrowing HDF5Handle, count: Int,
    shownAs shown: String
  ) throws -> [String] {
    let space = try HDF5Handle(
      H5Aget_space(attribute.id), "H5Aget_space", path: path, object: shown)
    var pointers = [UnsafeMutablePointer<CChar>?](repeating: nil, count: count)
    try check(H5Aread(attribute.id, type.id, &pointers), "H5Aread", path: path, object: shown)
    // H5Dvlen_reclaim nulls the pointers that it frees, and the array's buffer is what it walks.
    defer { H5Dvlen_reclaim(type.id, space.id, shim_h5_default(), &pointers) }
    return try pointers.map { pointer in
      guard let pointer else { return "" }
      let text = UnsafeRawBufferPointer(start: pointer, count: strlen(pointer))
      return try decoded(text, shownAs: shown)
    }
  }

  private func decoded(_ bytes: some Collection<UInt8>, shownAs shown: String) throws -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw HDF5Error.unsuitableObject(path: path, object: shown, why: "is not UTF-8")
    }
    return text
  }
}
