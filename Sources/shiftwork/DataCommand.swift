//! `data`: the public data sets, what of them is there, and how to get the rest.

import ArgumentParser
import Catalogue
import Downloads
import Files

struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data",
    abstract: "Show the data sets of the experiments, fetch, verify and build them.",
    subcommands: [
      DataListCommand.self, DataGetCommand.self, DataVerifyCommand.self, BuildVWWCommand.self,
    ],
    defaultSubcommand: DataListCommand.self)
}

/// Where data sets lie, and which there are.
struct DataOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The folder of all data sets (default: $SHIFTWORK_DATA, else data).", valueName: "dir"))
  var data: String?

  @Option(
    help: ArgumentHelp(
      "Data sets of one's own, a JSON list, instead of the public ones.", valueName: "file"),
    completion: .file(extensions: ["json"]))
  var catalogue: String?

  var folder: String { data ?? Environment["SHIFTWORK_DATA"] ?? "data" }

  func sets() throws -> Catalogue {
    try catalogue.map { try Catalogue(reading: $0) } ?? .official
  }

  /// The data sets of these names, or all.
  func sets(named names: [String]) throws -> [DataSet] {
    let catalogue = try sets()
    return try names.isEmpty
      ? catalogue.sets
      : names.map { name in
        guard let set = catalogue[name] else {
          throw ValidationError(
            "no data set is called `\(name)`; there are "
              + catalogue.sets.map(\.name).joined(separator: ", "))
        }
        return set
      }
  }
}

struct DataListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Show where each experiment's files are expected, what is there, what is missing.")

  @Argument(help: "Data sets to show in full (default: all, in short).")
  var names: [String] = []

  @Flag(help: "One JSON object a data set.")
  var json = false

  @OptionGroup var options: DataOptions

  func run() throws {
    let sets = try options.sets(named: names)
    for (index, set) in sets.enumerated() {
      let inventory = try Inventory(of: set, in: options.folder)
      if json {
        Console.out(DataText.json(set, inventory, data: options.folder).canonicalText)
      } else {
        if index > 0 { Console.out("") }
        for line in DataText.lines(set, inventory, data: options.folder, full: !names.isEmpty) {
          Console.out(line)
        }
      }
    }
  }
}

struct DataVerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Compare what is there with the published counts, sizes and checksums.")

  @Argument(help: "Data sets to verify.")
  var names: [String]

  @Flag(help: "One JSON object a data set.")
  var json = false

  @OptionGroup var options: DataOptions

  func run() throws {
    var isWhole = true
    for set in try options.sets(named: names) {
      let inventory = try Inventory(of: set, in: options.folder, hashes: true)
      if json {
        Console.out(DataText.json(set, inventory, data: options.folder).canonicalText)
        if inventory.state != .complete { isWhole = false }
        continue
      }
      for entry in inventory.entries {
        let path = options.folder + "/" + entry.place.path
        if let fault = entry.fault {
          isWhole = false
          Console.error("error: \(path) \(fault)")
        } else {
          Console.out("\(path): \(DataText.found(entry)), \(DataText.checked(entry.place))")
        }
      }
    }
    guard isWhole else { throw ExitCode(Exit.failed) }
  }
}
