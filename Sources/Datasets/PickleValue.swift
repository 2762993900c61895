//! What a restricted pickle can hold, as plain values over one arena; knows no file format.

/// A byte string, in the file itself or in the pickle's buffer of decoded bytes: a reference, so
/// that 30 MB of pixels are never copied while the pickle is read.
struct PickleBytes: Hashable, Sendable {
  var isDecoded: Bool
  var range: Range<Int>

  var count: Int { range.count }
}

/// A function or class that a pickle may name; the machine imitates them, none is ever called.
enum PickleGlobal: Sendable {
  /// numpy.core.multiarray._reconstruct: an array without contents.
  case reconstruct
  /// numpy.ndarray
  case ndarray
  /// numpy.dtype
  case dtype
  /// _codecs.encode: how Python 3 writes bytes in protocol 2.
  case encode
}

/// One value. Containers are indices into `Pickle.objects`: a deep or cyclic pickle is then
/// neither a deep recursion nor a leak.
enum PickleValue: Sendable {
  case none
  case bool(Bool)
  case int(Int)
  /// Python 2's `str`, Python 3's `bytes`.
  case bytes(PickleBytes)
  /// Unicode text, in UTF-8 that nobody has checked yet.
  case text(PickleBytes)
  case global(PickleGlobal)
  case object(Int)
}

/// A container or a numpy object.
struct PickleObject: Sendable {
  enum Kind: Sendable {
    case list
    case tuple
    /// `items` are key, value, key, value.
    case dictionary
    /// `items` are empty until BUILD, then shape, dtype, Fortran order, bytes.
    case array
    /// `items` are the type's code ("u1"), after BUILD also its byte order.
    case dtype
  }

  var kind: Kind
  var items: [PickleValue]
  /// 1 for a container of plain values.
  var depth: Int
  /// Where in the file it was made.
  var offset: Int
}

/// A whole pickle, read.
struct Pickle: Sendable {
  var file: [UInt8]
  /// Bytes that the file holds escaped or encoded.
  var decoded: [UInt8] = []
  var objects: [PickleObject] = []
  var root: PickleValue = .none

  /// The bytes of a string.
  func slice(_ bytes: PickleBytes) -> ArraySlice<UInt8> {
    bytes.isDecoded ? decoded[bytes.range] : file[bytes.range]
  }

  /// The value as text, nil unless it is a string of either kind.
  func string(_ value: PickleValue) -> String? {
    switch value {
    case .bytes(let bytes), .text(let bytes): String(decoding: slice(bytes), as: UTF8.self)
    default: nil
    }
  }

  /// The object behind the value, nil unless it is one of that kind.
  func object(_ value: PickleValue, _ kind: PickleObject.Kind) -> PickleObject? {
    guard case .object(let index) = value, objects[index].kind == kind else { return nil }
    return objects[index]
  }

  /// The value's type in Python's words.
  func typeName(_ value: PickleValue) -> String {
    switch value {
    case .none: "None"
    case .bool: "a bool"
    case .int: "an int"
    case .bytes: "a byte string"
    case .text: "a text"
    case .global: "a function or class"
    case .object(let index):
      switch objects[index].kind {
      case .list: "a list"
      case .tuple: "a tuple"
      case .dictionary: "a dictionary"
      case .array: "an array"
      case .dtype: "a dtype"
      }
    }
  }
}
