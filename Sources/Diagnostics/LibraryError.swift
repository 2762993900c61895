//! A failed call into a C library or the operating system, as facts.

/// A call that failed: who, what, with which code, on which path.
package struct LibraryError: Error, Hashable, Sendable, CustomStringConvertible {
  package var library: String
  package var call: String
  package var code: Int
  package var path: String?
  package var detail: String?

  package init(
    library: String, call: String, code: Int, path: String? = nil, detail: String? = nil
  ) {
    self.library = library
    self.call = call
    self.code = code
    self.path = path
    self.detail = detail
  }

  package var description: String {
    let place = path.map { "\($0): " } ?? ""
    let why = detail.map { ": \($0)" } ?? ""
    return "\(place)\(library): \(call) failed with code \(code)\(why)"
  }
}
