//! Paths as text. Knows no file system.

enum PathText {
  static func join(_ folder: String, _ name: String) -> String {
    folder.isEmpty || folder.hasSuffix("/") ? folder + name : folder + "/" + name
  }

  /// "" for a path without a folder.
  static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "" }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The folder above the folder of `path`.
  static func sibling(of path: String, folder name: String) -> String {
    let folder = folder(of: path)
    switch folder {
    case "": return "../" + name
    case ".": return "../" + name
    default: return join(self.folder(of: folder), name)
    }
  }

  /// The file's name without its extension.
  static func stem(of path: String) -> String {
    let name = path.split(separator: "/").last ?? ""
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return String(name) }
    return String(name[..<dot])
  }
}
