//! An HDF5 file: opening, walking and reading. Knows no Keras; what it reads may be hostile.

import CHDF5
import Diagnostics
import Glibc
package import Tensors

/// An open HDF5 file.
///
/// Paths inside the file are like `model_weights/conv2d`, the root is `/` or empty. Soft and
/// external links, data in other files and virtual data are refused, so that only the bytes of the
/// one file count.
package final class HDF5File {
  /// No dataset with more bytes (in memory) is read.
  package static let datasetLimitBytes = 1 << 30
  /// No attribute with more bytes is read.
  static let attributeLimitBytes = 64 << 20
  /// No group with more members is listed.
  static let memberLimit = 100_000
  /// Deflate's best ratio: more than this times the file's size cannot honestly be in it.
  private static let inflationLimit = 1_032

  package enum Kind: Hashable, Sendable {
    case group
    case dataset
    /// A named type, or whatever else later versions of HDF5 hold.
    case other
  }

  /// The path on disk.
  package let path: String
  /// Raw, as its end must not meet another thread's call: `deinit` closes it under the lock.
  let file: hid_t
  private let fileBytes: Int

  /// Opens the file at `path` for reading.
  package init(reading path: String) throws {
    var status = stat()
    guard !path.utf8.contains(0), stat(path, &status) == 0 else {
      throw LibraryError(
        library: "libc", call: "stat", code: Int(errno), path: path,
        detail: String(cString: strerror(errno)))
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw HDF5Error.unsuitableFile(path: path, why: "not a file")
    }
    self.path = path
    fileBytes = Int(status.st_size)
    file = try HDF5Library.alone {
      let isHDF5 = H5Fis_hdf5(path)
      guard isHDF5 > 0 else {
        if isHDF5 < 0 { throw libraryError("H5Fis_hdf5", code: -1, path: path, object: nil) }
        throw HDF5Error.unsuitableFile(path: path, why: "not an HDF5 file")
      }
      let access = try HDF5Handle(shim_h5_file_access(), "H5Pcreate", path: path)
      // Locks fail on some network disks, and a reader of finished files needs none.
      H5Pset_file_locking(access.id, false, true)
      H5Pset_fclose_degree(access.id, H5F_CLOSE_STRONG)
      return try check(H5Fopen(path, shim_h5_read_only(), access.id), "H5Fopen", path: path)
    }
  }

  /// An empty file that exists only in memory until `save()`, to stand at `path` then.
  package init(creating path: String) throws {
    self.path = path
    fileBytes = 0
    file = try HDF5Library.alone {
      let access = try HDF5Handle(shim_h5_file_access(), "H5Pcreate", path: path)
      H5Pset_fclose_degree(access.id, H5F_CLOSE_STRONG)
      try check(H5Pset_fapl_core(access.id, 1 << 20, false), "H5Pset_fapl_core", path: path)
      let creation = try HDF5Handle(shim_h5_file_creation(), "H5Pcreate", path: path)
      H5Pset_obj_track_times(creation.id, false)
      // The core driver opens no file of this name: without a backing store nothing is on disk.
      return try check(
        H5Fcreate(path, shim_h5_truncate(), creation.id, access.id), "H5Fcreate", path: path)
    }
  }

  deinit {
    HDF5Library.alone { [file] in _ = H5Fclose(file) }
  }
}

// MARK: walking

extension HDF5File {
  /// The members of a group, sorted by name.
  package func members(of group: String = "/") throws -> [(name: String, kind: Kind)] {
    try HDF5Library.alone {
      let object = try open(group)
      guard H5Iget_type(object.id) == H5I_GROUP else {
        throw HDF5Error.unsuitableObject(path: path, object: group, why: "is not a group")
      }
      let count = Int(
        try check(shim_h5_link_count(object.id), "H5Gget_info", path: path, object: group))
      guard count <= Self.memberLimit else {
        throw HDF5Error.unsuitableObject(
          path: path, object: group, why: "has \(count) members, more than \(Self.memberLimit)")
      }
      var all: [(name: String, kind: Kind)] = []
      for index in 0..<count {
        let name = try linkName(in: object, at: index, group: group)
        let member = try openMember(name, of: object, shownAs: group + "/" + name)
        all.append((name, Self.kind(of: member)))
      }
      return all.sorted { $0.name < $1.name }
    }
  }

  /// What stands at `object`, nil where nothing does.
  package func kind(of object: String) throws -> Kind? {
    try HDF5Library.alone {
      do {
        return Self.kind(of: try open(object))
      } catch HDF5Error.notFound {
        return nil
      }
    }
  }

  private static func kind(of handle: borrowing HDF5Handle) -> Kind {
    switch H5Iget_type(handle.id) {
    case H5I_GROUP: .group
    case H5I_DATASET: .dataset
    default: .other
    }
  }

  private func linkName(
    in group: borrowing HDF5Handle, at index: Int, group shown: String
  ) throws -> String {
    let limit = 4_096
    var bytes = [CChar](repeating: 0, count: limit)
    let length = try check(
      shim_h5_link_name(group.id, UInt64(index), &bytes, limit), "H5Lget_name_by_idx", path: path,
      object: shown)
    let name = bytes.prefix(Int(length)).map { UInt8(bitPattern: $0) }
    guard length < limit, let name = String(validating: name, as: UTF8.self) else {
      throw HDF5Error.unsuitableObject(
        path: path, object: shown, why: "has a member whose name is too long or not UTF-8")
    }
    return name
  }

  /// The object at `object`, reached through hard links only.
  func open(_ object: String) throws -> HDF5Handle {
    var handle = try HDF5Handle(
      H5Gopen2(file, "/", shim_h5_default()), "H5Gopen2", path: path, object: "/")
    for component in object.split(separator: "/") {
      guard H5Iget_type(handle.id) == H5I_GROUP else {
        throw HDF5Error.notFound(path: path, object: object)
      }
      handle = try openMember(String(component), of: handle, shownAs: object)
    }
    return handle
  }

  private func openMember(
    _ name: String, of group: borrowing HDF5Handle, shownAs shown: String
  ) throws -> HDF5Handle {
    guard !name.utf8.contains(0), H5Lexists(group.id, name, shim_h5_default()) > 0 else {
      throw HDF5Error.notFound(path: path, object: shown)
    }
    guard shim_h5_link_is_hard(group.id, name) == 1 else {
      throw HDF5Error.unsuitableObject(
        path: path, object: shown,
        why: "is a soft, external or unknown link, and links out of their place are not followed")
    }
    return try HDF5Handle(
      H5Oopen(group.id, name, shim_h5_default()), "H5Oopen", path: path, object: shown)
  }
}

// MARK: datasets

extension HDF5File {
  /// A dataset of any floating-point or integer type, as float32.
  package func tensor(_ dataset: String) throws -> Tensor {
    try HDF5Library.alone {
      let numbers = try openNumbers(dataset, bytesPerElement: 4)
      let values = try read(numbers, as: shim_h5_native_float(), Float(0), dataset)
      return Tensor(shape: numbers.shape, values: values)
    }
  }

  /// A dataset of any floating-point or integer type, as float64.
  package func doubles(_ dataset: String) throws -> [Double] {
    try HDF5Library.alone {
      let numbers = try openNumbers(dataset, bytesPerElement: 8)
      return try read(numbers, as: shim_h5_native_double(), Double(0), dataset)
    }
  }

  /// The extents of a dataset, outermost first; empty for a single number.
  package func shape(of dataset: String) throws -> [Int] {
    try HDF5Library.alone { try openNumbers(dataset, bytesPerElement: 4).shape }
  }

  private func read<Value: BitwiseCopyable>(
    _ numbers: borrowing Numbers, as type: hid_t, _ zero: Value, _ dataset: String
  ) throws -> [Value] {
    let count = numbers.shape.reduce(1, *)
    guard count > 0 else { return [] }
    var values = [Value](repeating: zero, count: count)
    try check(
      H5Dread(numbers.object.id, type, shim_h5_all(), shim_h5_all(), shim_h5_default(), &values),
      "H5Dread", path: path, object: dataset)
    return values
  }

  /// A dataset of numbers that may be read.
  private struct Numbers: ~Copyable {
    let object: HDF5Handle
    let shape: [Int]
  }

  /// The dataset, after its type, its extents and where its data are have been checked.
  private func openNumbers(
    _ dataset: String, bytesPerElement: Int
  ) throws -> Numbers {
    func unsuitable(_ why: String) -> HDF5Error {
      .unsuitableObject(path: path, object: dataset, why: why)
    }
    let object = try open(dataset)
    guard H5Iget_type(object.id) == H5I_DATASET else { throw unsuitable("is not a dataset") }
    let type = try HDF5Handle(H5Dget_type(object.id), "H5Dget_type", path: path, object: dataset)
    let isNumber = [H5T_FLOAT, H5T_INTEGER].contains(H5Tget_class(type.id))
    guard isNumber else { throw unsuitable("does not hold numbers") }
    let space = try HDF5Handle(
      H5Dget_space(object.id), "H5Dget_space", path: path, object: dataset)
    let shape = try extents(of: space, shownAs: dataset)
    var count = 1
    for extent in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard !overflow else { throw unsuitable("claims more values than there can be: \(shape)") }
      count = product
    }
    let width = max(bytesPerElement, H5Tget_size(type.id))
    let (bytes, overflow) = count.multipliedReportingOverflow(by: width)
    guard !overflow, bytes <= Self.datasetLimitBytes else {
      throw unsuitable("of shape \(shape) is larger than \(Self.datasetLimitBytes) bytes")
    }
    let creation = try HDF5Handle(
      H5Dget_create_plist(object.id), "H5Dget_create_plist", path: path, object: dataset)
    guard shim_h5_data_is_inside(creation.id) == 1 else {
      throw unsuitable("keeps its data outside of the file")
    }
    let stored = count * H5Tget_size(type.id)
    let possible =
      shim_h5_is_chunked(creation.id) == 1
      ? fileBytes.multipliedReportingOverflow(by: Self.inflationLimit)
      : (min(Int(clamping: H5Dget_storage_size(object.id)), fileBytes), false)
    guard possible.1 || stored <= possible.0 else {
      throw unsuitable("of shape \(shape) claims more data than the file has")
    }
    return Numbers(object: object, shape: shape)
  }

  /// The extents of a dataspace.
  func extents(of space: borrowing HDF5Handle, shownAs shown: String) throws -> [Int] {
    let kind = H5Sget_simple_extent_type(space.id)
    guard kind == H5S_SIMPLE || kind == H5S_SCALAR else {
      throw HDF5Error.unsuitableObject(path: path, object: shown, why: "is empty")
    }
    let rank = Int(
      try check(
        H5Sget_simple_extent_ndims(space.id), "H5Sget_simple_extent_ndims", path: path,
        object: shown))
    var extents = [hsize_t](repeating: 0, count: max(rank, 1))
    try check(
      H5Sget_simple_extent_dims(space.id, &extents, nil), "H5Sget_simple_extent_dims", path: path,
      object: shown)
    return extents.prefix(rank).map { Int(clamping: $0) }
  }
}
