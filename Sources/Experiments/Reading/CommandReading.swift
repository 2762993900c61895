//! A stage of kind `command`: a program of the user's, its parameters, inputs and outputs. Knows
//! nothing of what the program does.

import Diagnostics
import Files
import Glibc
import Pipeline
import Specs

/// What a `command` stage runs, and what its key says of it.
struct CommandSpec {
  /// A file or a folder that the program reads.
  struct Input {
    var role: String
    var path: String
    var node: Node
  }

  /// An artifact that the program reads.
  struct Need {
    var role: String
    var stage: String
    var node: Node
  }

  var fields: CommandFields
  /// As the runner takes it.
  var command: Command
  var inputs: [Input] = []
  var needs: [Need] = []
  var cores = 1
  /// Of parameters, by their path in `fields`.
  var locations: [String: SourceLocation] = [:]

  /// Nil after faults without which nothing can be run.
  init?(_ section: inout Section, of stage: Node, in space: FieldSpace) {
    let faults = section.faults
    needs = Self.needs(&section)
    inputs = Self.inputs(&section, besides: needs)
    var params: [String: JSONValue] = [:]
    if let child = section.section("params"), case .mapping(let entries) = child.node.value {
      for entry in entries {
        params[entry.name] = JSONValue(entry.value)
        Self.note(entry.value, at: "params.\(entry.name)", in: &locations)
      }
    }
    let outputs = Self.outputs(&section)
    guard let run = section.node("run") else {
      faults.add(
        stage.diagnostic(
          "stage `\(stage.text ?? "")` needs `run`, the program to start",
          suggestion: "write `run: python3 train.py ${output}`"))
      return nil
    }
    let isShell = if case .string = run.value { true } else { false }
    let template = CommandTemplate(
      roles: needs.map(\.role) + inputs.map(\.role), params: params, isShell: isShell,
      space: space)
    let directory = Self.currentDirectory
    switch run.value {
    case .string(let text) where !text.isEmpty:
      let word = template.read(run)
      command = Command(shell: word.pieces, directory: directory, outputs: outputs)
      fields = CommandFields(run: .text(word.text), params: params, outputs: outputs)
    case .sequence(let elements) where !elements.isEmpty:
      let words = elements.map { template.read($0) }
      command = Command(
        words: words.map(\.pieces), quotesPaths: false, directory: directory, outputs: outputs)
      fields = CommandFields(run: .words(words.map(\.text)), params: params, outputs: outputs)
    default:
      faults.add(
        run.diagnostic(
          "run is a line for the shell, or a list of a program and its arguments, not \(run.found)")
      )
      return nil
    }
  }

  // MARK: Parts

  private static func needs(_ section: inout Section) -> [Need] {
    let faults = section.faults
    guard let node = section.node("needs") else { return [] }
    var needs: [Need] = []
    func add(_ node: Node, as role: String? = nil) {
      guard case .string(let name) = node.value, !name.isEmpty else {
        faults.add(node.diagnostic("needs names stages, not \(node.found)"))
        return
      }
      if PipelineSpec.prepares(name) {
        faults.add(node.diagnostic("`\(name)` prepares data for networks alone"))
      } else if needs.contains(where: { $0.role == role ?? name }) {
        faults.add(node.diagnostic("`\(name)` is listed twice"))
      } else {
        needs.append(Need(role: role ?? name, stage: name, node: node))
      }
    }
    switch node.value {
    case .sequence(let elements): for element in elements { add(element) }
    case .mapping(let entries): for entry in entries { add(entry.value, as: entry.name) }
    default: add(node)
    }
    return needs
  }

  private static func inputs(_ section: inout Section, besides needs: [Need]) -> [Input] {
    let faults = section.faults
    guard let child = section.section("inputs"), case .mapping(let entries) = child.node.value
    else { return [] }
    return entries.compactMap { entry in
      guard case .string(let path) = entry.value.value, !path.isEmpty else {
        faults.add(
          entry.value.diagnostic(
            "`\(entry.name)` wants the path of a file or folder, not \(entry.value.found)"))
        return nil
      }
      if let need = needs.first(where: { $0.role == entry.name }) {
        faults.add(
          entry.key.diagnostic(
            "`\(entry.name)` is an input already, from stage `\(need.stage)`",
            suggestion: "write `needs: {OTHER_NAME: \(need.stage)}`"))
        return nil
      }
      return Input(role: entry.name, path: path, node: entry.value)
    }
  }

  private static func outputs(_ section: inout Section) -> [String] {
    let paths = section.strings("outputs")
    guard let node = section.node("outputs"), case .sequence(let elements) = node.value else {
      return paths
    }
    for element in elements {
      guard case .string(let path) = element.value else { continue }
      let parts = path.split(separator: "/", omittingEmptySubsequences: false)
      if parts.contains("..") || parts.contains(".") || parts.contains("") {
        section.faults.add(
          element.diagnostic(
            "`\(path)` does not lie below the stage's folder",
            suggestion: "write it relative to `${output}`, as in `x/y.txt`"))
      }
    }
    return paths
  }

  private static func note(
    _ node: Node, at path: String, in locations: inout [String: SourceLocation]
  ) {
    locations[path] = node.location
    switch node.value {
    case .mapping(let entries):
      for entry in entries { note(entry.value, at: "\(path).\(entry.name)", in: &locations) }
    case .sequence(let elements):
      for (index, element) in elements.enumerated() {
        note(element, at: "\(path)[\(index)]", in: &locations)
      }
    default: break
    }
  }

  private static var currentDirectory: String {
    guard let path = getcwd(nil, 0) else { return "." }
    defer { free(path) }
    return String(cString: path)
  }
}

/// The texts of `run`, with what their placeholders may name.
private struct CommandTemplate {
  let roles: [String]
  let params: [String: JSONValue]
  let isShell: Bool
  /// Where variables come from.
  let space: FieldSpace

  private var faults: FaultCollector { space.faults }

  /// A word as the runner takes it, and as the key has it: without any path.
  func read(_ node: Node) -> (pieces: [Command.Piece], text: String) {
    let text: String
    switch node.value {
    case .string(let string): text = string
    case .int, .float, .bool: text = node.text ?? ""
    default:
      faults.add(node.diagnostic("an argument is a text, not \(node.found)"))
      return ([], "")
    }
    var pieces: [Command.Piece] = []
    var key = ""
    for piece in Interpolation.pieces(of: text, in: node, faults: faults) {
      switch piece {
      case .text(let plain):
        pieces.append(.text(plain))
        key += Self.escaped(plain)
      case .variable(let name, let offset):
        if isVariable(name) {
          guard let value = space.lookUp(name, in: node, offset: offset)?.node,
            let plain = Interpolation.text(
              of: value, for: name, in: node, offset: offset, faults: faults)
          else { continue }
          pieces.append(.text(plain))
          key += Self.escaped(plain)
          continue
        }
        key += "${\(name)}"
        if let known = self.piece(name) {
          pieces.append(known)
        } else {
          report(name, offset: offset, in: node)
        }
      }
    }
    return (pieces, key)
  }

  /// As `run` spells it.
  private static func escaped(_ text: String) -> String {
    text.utf8.contains(UInt8(ascii: "$")) ? text.replacing("$", with: "$$") : text
  }

  /// Whether a name is none of the stage's own.
  private func isVariable(_ name: String) -> Bool {
    let head = name.prefix { $0 != "." }
    return !["output", "inputs", "params", "data"].contains(head) && space.knows(name)
  }

  private func piece(_ name: String) -> Command.Piece? {
    if name == "output" { return .output }
    if name.hasPrefix("inputs.") {
      let role = String(name.dropFirst("inputs.".count))
      return roles.contains(role) ? .input(role) : nil
    }
    return parameter(name)?.word.map { .text(isShell ? Self.quoted($0) : $0) }
  }

  /// One word to a shell, whatever it holds.
  private static func quoted(_ word: String) -> String {
    let isPlain =
      !word.isEmpty
      && word.utf8.allSatisfy {
        (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
          || "_-./,:+=@%".utf8.contains($0)
      }
    return isPlain ? word : "'" + word.replacing("'", with: "'\\''") + "'"
  }

  private func parameter(_ name: String) -> JSONValue? {
    let path = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard path.first == "params", path.count > 1 else { return nil }
    return path.dropFirst().reduce(.object(params) as JSONValue?) { $0?[$1] }
  }

  private func report(_ name: String, offset: Int, in node: Node) {
    if faults.isFull { return }
    let length = name.unicodeScalars.count + 3
    if parameter(name) != nil {
      faults.add(
        node.diagnostic(
          "`${\(name)}` is no single value that could stand in a command", offset: offset,
          length: length))
      return
    }
    if name == "data" {
      faults.add(
        node.diagnostic(
          "what a command reads under `${data}` would be no input of the stage", offset: offset,
          length: length, suggestion: "write `inputs: {NAME: \"${data}/...\"}` and `${inputs.NAME}`"
        ))
      return
    }
    let known =
      ["output"] + roles.map { "inputs.\($0)" } + params.keys.sorted().map { "params.\($0)" }
      + space.variableNames.filter { $0 != "data" }
    faults.add(
      Interpolation.unknown(
        name, offset: offset, in: node, known: known, holding: "placeholders of this stage"))
  }
}

extension JSONValue {
  /// A single value as an argument; equal values, which have equal keys, are equal words.
  fileprivate var word: String? {
    switch self {
    case .null: ""
    case .bool(let flag): "\(flag)"
    case .int(let number): "\(number)"
    case .double(let number): Int(exactly: number).map { "\($0)" } ?? "\(number)"
    case .string(let string): string
    case .array, .object: nil
    }
  }
}
