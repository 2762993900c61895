//! Everything that decides a stage's result, and its one spelling; knows no file and no stage graph.

package import Files

/// What an input of a stage is, by identity and never by path.
package enum InputReference: Hashable, Sendable {
  /// The output of a stage with this plan key, whatever its bytes will be.
  case stage(Digest)
  /// The output of a stage, by the digest of its bytes.
  case artifact(Digest)
  /// A source file or folder, by the digest of its bytes.
  case file(Digest)

  /// "stage 12ab…": the spelling that manifests hold.
  package var spelling: String {
    switch self {
    case .stage(let key): "stage \(key.hex)"
    case .artifact(let digest): "artifact \(digest.hex)"
    case .file(let digest): "file \(digest.hex)"
    }
  }
}

/// The values that decide a stage's result; its digest is the stage's key.
package struct Manifest: Sendable, Hashable {
  package var kind: String
  /// The version of the code behind `kind`.
  package var version: Int
  /// The resolved fields that change the result.
  package var fields: JSONValue
  package var inputs: [String: InputReference]

  package init(
    kind: String, version: Int, fields: JSONValue, inputs: [String: InputReference] = [:]
  ) {
    self.kind = kind
    self.version = version
    self.fields = fields
    self.inputs = inputs
  }

  /// The key: SHA-256 of the canonical lines.
  package var digest: Digest {
    var sink = TextSink()
    write(to: &sink)
    return SHA256.digest(of: sink.bytes)
  }

  /// The canonical lines, such as `training.batch_size = 32`, for people.
  package var lines: [String] {
    var sink = TextSink()
    write(to: &sink)
    return String(decoding: sink.bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// One flat object from path to value: what records keep and later runs compare with.
  package var json: JSONValue {
    var sink = StoredSink()
    write(to: &sink)
    return .object(sink.members)
  }
}

/// What receives a manifest, one path and value at a time, always in the same order.
package protocol ManifestSink {
  mutating func add(path: String, value: JSONValue)
}

extension Manifest {
  /// The path of the stage's kind; `@` sets what is no field apart.
  static let kindPath = "@kind"
  static let versionPath = "@version"
  static let inputPrefix = "@inputs."

  /// The one writer: the hash, `explain` and the stored manifest cannot drift apart.
  package func write(to sink: inout some ManifestSink) {
    writeHead(to: &sink)
    Self.write(inputs, to: &sink)
  }

  /// The inputs, after all else.
  static func write(_ inputs: [String: InputReference], to sink: inout some ManifestSink) {
    for (role, input) in inputs.sorted(by: { $0.key < $1.key }) {
      sink.add(path: inputPrefix + quoted(role), value: .string(input.spelling))
    }
  }

  /// All but the inputs, which are the only difference between the keys of one stage.
  func writeHead(to sink: inout some ManifestSink) {
    sink.add(path: Self.kindPath, value: .string(kind))
    sink.add(path: Self.versionPath, value: .int(version))
    Self.flatten(fields, at: "", to: &sink)
  }

  private static func flatten(_ value: JSONValue, at path: String, to sink: inout some ManifestSink)
  {
    switch value {
    case .object(let members) where !members.isEmpty:
      for (key, member) in members.sorted(by: { $0.key < $1.key }) {
        flatten(member, at: path.isEmpty ? quoted(key) : path + "." + quoted(key), to: &sink)
      }
    case .array(let elements) where !elements.isEmpty:
      for (index, element) in elements.enumerated() {
        flatten(element, at: "\(path)[\(index)]", to: &sink)
      }
    case .object where path.isEmpty: break
    default: sink.add(path: path, value: value)
    }
  }

  /// `key`, in quotes where it could be taken for two keys, an index or a sign of our own.
  private static func quoted(_ key: String) -> String {
    let isPlain =
      !key.isEmpty
      && key.utf8.allSatisfy {
        (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
          || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
      }
    return isPlain ? key : ScalarSpelling.quoted(key)
  }
}

/// The lines as bytes, for the hash and for people.
struct TextSink: ManifestSink {
  var bytes: [UInt8] = []

  mutating func add(path: String, value: JSONValue) {
    bytes.append(contentsOf: path.utf8)
    bytes.append(contentsOf: " = ".utf8)
    bytes.append(contentsOf: ScalarSpelling.text(of: value).utf8)
    bytes.append(UInt8(ascii: "\n"))
  }
}

/// The members of the object that a record keeps.
private struct StoredSink: ManifestSink {
  var members: [String: JSONValue] = [:]

  mutating func add(path: String, value: JSONValue) {
    if case .double(let number) = value, !number.isFinite {
      // JSON has no spelling for it.
      members[path] = .string(ScalarSpelling.text(of: value))
    } else {
      members[path] = value
    }
  }
}

/// How manifests spell a leaf value: one spelling for equal values.
enum ScalarSpelling {
  static func text(of value: JSONValue) -> String {
    switch value {
    case .null: "null"
    case .bool(let flag): flag ? "true" : "false"
    case .int(let number): String(number)
    case .double(let number): text(of: number)
    case .string(let string): quoted(string)
    case .array: "[]"
    case .object: "{}"
    }
  }

  /// A whole number is spelt as an integer, since JSON reads `1.0` back as 1.
  private static func text(of number: Double) -> String {
    if let whole = Int(exactly: number), number.magnitude < 9e15,
      !(whole == 0 && number.sign == .minus)
    {
      return String(whole)
    }
    return number.description
  }

  /// JSON's quoting, on one line.
  static func quoted(_ string: String) -> String {
    // Most are plain, and keys are made of many.
    if string.utf8.allSatisfy({ $0 >= 32 && $0 < 127 && $0 != 34 && $0 != 92 }) {
      return "\"\(string)\""
    }
    var text = "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case "\r": text += "\\r"
      case "\u{0}"..<"\u{20}", "\u{7f}", "\u{85}", "\u{2028}", "\u{2029}":
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }
}
