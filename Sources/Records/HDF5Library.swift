//! libhdf5's identifiers, errors and its one lock. Knows nothing of weights.

import CHDF5
import Diagnostics
import Synchronization

/// What is wrong with an HDF5 file, or with what was asked of it, where libhdf5 itself would not
/// complain.
package enum HDF5Error: Error, Hashable, Sendable, CustomStringConvertible {
  case unsuitableFile(path: String, why: String)
  case notFound(path: String, object: String)
  case unsuitableObject(path: String, object: String, why: String)

  package var description: String {
    switch self {
    case .unsuitableFile(let path, let why): "\(path): \(why)"
    case .notFound(let path, let object): "\(path): there is no `\(object)` in the file"
    case .unsuitableObject(let path, let object, let why): "\(path): `\(object)` \(why)"
    }
  }
}

/// Calls into libhdf5. The serial library keeps global state, so one call runs at a time in the
/// whole process.
enum HDF5Library {
  private static let isReady = Mutex(false)

  /// Runs `body` alone. Never nested: the lock is not recursive.
  static func alone<Result>(_ body: () throws -> Result) rethrows -> Result {
    try isReady.withLock { isReady in
      if !isReady {
        shim_h5_quiet()
        isReady = true
      }
      return try body()
    }
  }
}

/// One identifier of libhdf5 (file, group, type, ...), given back when it goes out of scope.
struct HDF5Handle: ~Copyable {
  let id: hid_t

  /// Takes over `id`, the result of `call`; throws where the call failed.
  init(_ id: hid_t, _ call: String, path: String, object: String? = nil) throws(LibraryError) {
    guard id >= 0 else { throw libraryError(call, code: Int(id), path: path, object: object) }
    self.id = id
  }

  deinit { H5Idec_ref(id) }
}

/// The error of a call that returned `code`, with what libhdf5's error stack says.
func libraryError(_ call: String, code: Int, path: String, object: String?) -> LibraryError {
  let message = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
    guard let start = buffer.baseAddress else { return "" }
    shim_h5_error(start)
    return String(cString: start)
  }
  let place = object.map { " (at `\($0)`)" } ?? ""
  return LibraryError(
    library: "libhdf5", call: call, code: code, path: path,
    detail: message.isEmpty && place.isEmpty ? nil : message + place)
}

/// Throws where a call's result is negative.
@discardableResult
func check<Code: BinaryInteger>(
  _ code: Code, _ call: String, path: String, object: String? = nil
) throws(LibraryError) -> Code {
  guard code >= 0 else { throw libraryError(call, code: Int(code), path: path, object: object) }
  return code
}
