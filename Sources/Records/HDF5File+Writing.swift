//! Writing an HDF5 file: built in memory, saved in one go. The same content gives the same bytes.

import CHDF5
import Diagnostics
import Files
package import Tensors

extension HDF5File {
  /// Makes a group and those above it; one that exists is left as it is.
  package func createGroup(_ group: String) throws {
    try HDF5Library.alone { _ = try openOrCreateGroup(group.split(separator: "/")) }
  }

  /// Writes `tensor` as a float32 dataset; the groups above it are made.
  package func write(_ tensor: Tensor, to dataset: String) throws {
    try HDF5Library.alone {
      let components = dataset.split(separator: "/")
      guard let name = components.last, !dataset.utf8.contains(0) else {
        throw HDF5Error.unsuitableObject(path: path, object: dataset, why: "is no dataset's name")
      }
      let group = try openOrCreateGroup(components.dropLast())
      let space = try dataspace(tensor.shape, shownAs: dataset)
      let creation = try HDF5Handle(shim_h5_dataset_creation(), "H5Pcreate", path: path)
      H5Pset_obj_track_times(creation.id, false)
      let object = try HDF5Handle(
        H5Dcreate2(
          group.id, String(name), shim_h5_stored_float(), space.id, shim_h5_default(), creation.id,
          shim_h5_default()), "H5Dcreate2", path: path, object: dataset)
      guard !tensor.values.isEmpty else { return }
      try check(
        H5Dwrite(
          object.id, shim_h5_native_float(), shim_h5_all(), shim_h5_all(), shim_h5_default(),
          tensor.values), "H5Dwrite", path: path, object: dataset)
    }
  }

  /// Writes a string attribute, of fixed length (as variable ones stand in a heap apart).
  package func setString(_ value: String, for name: String, of object: String = "/") throws {
    try writeStrings([value], shape: [], name: name, object: object)
  }

  /// Writes an attribute that is a list of strings, null-padded to the longest.
  package func setStrings(_ values: [String], for name: String, of object: String = "/") throws {
    try writeStrings(values, shape: [values.count], name: name, object: object)
  }

  /// Writes a float64 attribute.
  package func setNumber(_ value: Double, for name: String, of object: String = "/") throws {
    try HDF5Library.alone {
      try writeAttribute(
        name, object, shape: [], stored: shim_h5_stored_double(), native: shim_h5_native_double(),
        [value])
    }
  }

  /// Writes an int64 attribute.
  package func setNumber(_ value: Int, for name: String, of object: String = "/") throws {
    try HDF5Library.alone {
      try writeAttribute(
        name, object, shape: [], stored: shim_h5_stored_int64(), native: shim_h5_native_int64(),
        [Int64(value)])
    }
  }

  /// Puts the file at its path: whole, or not at all.
  package func save() throws { try Files.writeAtomically(try image(), to: path) }

  /// The file's bytes as they would be on disk.
  package func image() throws -> [UInt8] {
    try HDF5Library.alone {
      try check(H5Fflush(file, H5F_SCOPE_LOCAL), "H5Fflush", path: path)
      let size = try check(H5Fget_file_image(file, nil, 0), "H5Fget_file_image", path: path)
      var bytes = [UInt8](repeating: 0, count: Int(size))
      try check(
        H5Fget_file_image(file, &bytes, bytes.count), "H5Fget_file_image", path: path)
      return bytes
    }
  }

  private func openOrCreateGroup(_ components: some Sequence<Substring>) throws -> HDF5Handle {
    var group = try HDF5Handle(
      H5Gopen2(file, "/", shim_h5_default()), "H5Gopen2", path: path, object: "/")
    for component in components {
      let name = String(component)
      guard !name.utf8.contains(0) else {
        throw HDF5Error.unsuitableObject(path: path, object: name, why: "is no group's name")
      }
      if H5Lexists(group.id, name, shim_h5_default()) > 0 {
        group = try HDF5Handle(
          H5Gopen2(group.id, name, shim_h5_default()), "H5Gopen2", path: path, object: name)
      } else {
        let creation = try HDF5Handle(shim_h5_group_creation(), "H5Pcreate", path: path)
        H5Pset_obj_track_times(creation.id, false)
        group = try HDF5Handle(
          H5Gcreate2(group.id, name, shim_h5_default(), creation.id, shim_h5_default()),
          "H5Gcreate2", path: path, object: name)
      }
    }
    return group
  }

  private func dataspace(_ shape: [Int], shownAs shown: String) throws -> HDF5Handle {
    let extents = shape.map { hsize_t($0) }
    return try HDF5Handle(
      H5Screate_simple(Int32(extents.count), extents, nil), "H5Screate_simple", path: path,
      object: shown)
  }

  private func writeStrings(
    _ values: [String], shape: [Int], name: String, object: String
  ) throws {
    let width = max(values.map(\.utf8.count).max() ?? 0, 1)
    var bytes = [UInt8](repeating: 0, count: max(width * values.count, 1))
    for (index, value) in values.enumerated() {
      for (offset, byte) in value.utf8.enumerated() { bytes[index * width + offset] = byte }
    }
    let isASCII = values.allSatisfy { $0.utf8.allSatisfy { $0 < 128 } }
    try HDF5Library.alone {
      let type = try HDF5Handle(H5Tcopy(shim_h5_c_string()), "H5Tcopy", path: path, object: name)
      H5Tset_size(type.id, width)
      H5Tset_strpad(type.id, H5T_STR_NULLPAD)
      H5Tset_cset(type.id, isASCII ? H5T_CSET_ASCII : H5T_CSET_UTF8)
      try writeAttribute(name, object, shape: shape, stored: type.id, native: type.id, bytes)
    }
  }

  private func writeAttribute(
    _ name: String, _ object: String, shape: [Int], stored: hid_t, native: hid_t,
    _ values: UnsafeRawPointer
  ) throws {
    let shown = "\(object)@\(name)"
    guard !name.utf8.contains(0) else {
      throw HDF5Error.unsuitableObject(path: path, object: shown, why: "is no attribute's name")
    }
    let holder = try open(object)
    let space = try dataspace(shape, shownAs: shown)
    let attribute = try HDF5Handle(
      H5Acreate2(holder.id, name, stored, space.id, shim_h5_default(), shim_h5_default()),
      "H5Acreate2", path: path, object: shown)
    try check(H5Awrite(attribute.id, native, values), "H5Awrite", path: path, object: shown)
  }
}
