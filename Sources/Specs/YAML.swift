//! YAML texts to nodes: the checks before libyaml, and the entry points. Knows no schema.

package import Diagnostics
import Glibc

/// Reads YAML 1.2 (core schema), one document a text.
package enum YAML {
  /// A spec is written by people.
  static let sizeLimit = 10 << 20

  /// The document in `text`.
  package static func parse(_ text: [UInt8], file: String) throws(InvalidSpec) -> Node {
    // Some editors begin a text with a byte order mark that nobody sees.
    let text = text.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(text.dropFirst(3)) : text
    return try parse(text, source: SourceText(file: file, bytes: text), columnOffset: 0)
  }

  /// The document in the file at `path`, which messages call `shownAs`.
  ///
  /// - Parameter seen: is called with the text, whatever becomes of it.
  package static func load(
    path: String, shownAs: String, seen: ([UInt8]) -> Void = { _ in }
  ) throws(InvalidSpec) -> Node {
    let text = try bytes(of: path, shownAs: shownAs)
    seen(text)
    return try parse(text, file: shownAs)
  }

  /// - Parameter columnOffset: characters of `source`'s first line before the text.
  static func parse(
    _ text: [UInt8], source: SourceText, columnOffset: Int
  ) throws(InvalidSpec) -> Node {
    if text.count > sizeLimit {
      throw InvalidSpec([
        Diagnostic(
          "the text is larger than the \(sizeLimit >> 20) MB that a spec may have",
          at: SourceLocation(file: source.file, line: 1, column: 1 + columnOffset))
      ])
    }
    if let offset = invalidUTF8(text) {
      var place = source.place(ofByte: offset)
      if place.line == 1 { place.column += columnOffset }
      throw InvalidSpec([
        Diagnostic(
          "the text is not UTF-8: byte 0x\(String(text[offset], radix: 16)) at offset \(offset)",
          at: place, sourceLine: source.line(place.line))
      ])
    }
    let builder = NodeBuilder(source: source, columnOffset: columnOffset)
    return try builder.document(text)
  }

  private static func bytes(of path: String, shownAs: String) throws(InvalidSpec) -> [UInt8] {
    func fault(_ reason: String) -> InvalidSpec {
      InvalidSpec([Diagnostic("cannot read \(shownAs): \(reason)")])
    }
    // Not a pipe that somebody might never write to.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw fault(String(cString: strerror(errno))) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw fault("it is no regular file")
    }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count <= sizeLimit {
      let got = read(descriptor, &block, block.count)
      if got < 0 && errno == EINTR { continue }
      guard got >= 0 else { throw fault(String(cString: strerror(errno))) }
      if got == 0 { break }
      bytes += block[..<got]
    }
    return bytes
  }

  /// The first byte that is no UTF-8.
  private static func invalidUTF8(_ text: [UInt8]) -> Int? {
    if String(validating: text, as: UTF8.self) != nil { return nil }
    var offset = 0
    while offset < text.count {
      let width = text[offset] < 0x80 ? 1 : text[offset] < 0xE0 ? 2 : text[offset] < 0xF0 ? 3 : 4
      let end = min(text.count, offset + width)
      guard String(validating: text[offset..<end], as: UTF8.self) != nil else { return offset }
      offset = end
    }
    return max(0, text.count - 1)
  }
}
