//! An experiment's file, read and checked. Knows no stage and no file but the paths it names.

import Diagnostics
import Networks
import Specs

/// Everything that an experiment says. Sections that no stage of a pipeline asks for may be absent.
struct ExperimentSpec {
  let node: Node
  var name = ""
  var dataset: DatasetSpec?
  var networkSpec: NetworkSpec?
  /// The file that `load_pretrained` reads, and where the user wrote it.
  var pretrained: (path: String, node: Node)?
  var training = TrainingSection()
  var pretrain = TrainingSection()
  var fineTune = TrainingSection()
  var search: SearchSpec?
  var quantizers: QuantizersSpec?
  var evaluateBatchSize = 100
  var seed = 42
  var numerics = NumericsFields(threads: Processor.cores, isa: Processor.instructionSet)
  var locations: [String: SourceLocation] = [:]

  /// The network that other sections refer to.
  var architecture: Network? { networkSpec?.network }
  /// What stages get to know of it.
  var network: NetworkFields? { networkSpec?.fields }

  /// An experiment that says nothing, for a pipeline of commands alone.
  init(absentFrom pipeline: Node) { node = pipeline }

  /// - Parameter hasData: whether there must be data; a network alone has none.
  init(_ root: Node, hasData: Bool = true, faults: FaultCollector) {
    node = root
    var section = Section(root, in: "the experiment", faults: faults)
    name = section.string("experiment")
    if var child = section.section("dataset") {
      dataset = DatasetSpec(&child)
    } else if hasData, !section.has("dataset"), !root.hasMisspelt("dataset") {
      faults.add(root.diagnostic("the experiment needs `dataset`"))
    }
    let network = NetworkSpec(&section, root)
    networkSpec = network
    if var child = section.section("pretrained") {
      let path = child.string("path")
      if let place = child.node["path"] { pretrained = (path, place) }
      child.rejectUnknownKeys()
    }
    for (key, path) in [
      ("training", \Self.training), ("pretrain", \Self.pretrain), ("fine_tune", \Self.fineTune),
    ] {
      guard var child = section.section(key) else { continue }
      self[keyPath: path] = TrainingSection(&child)
      child.rejectUnknownKeys()
    }
    if var child = section.section("evaluate") {
      evaluateBatchSize = child.int("batch_size", in: 1...65_536, default: 100)
      child.rejectUnknownKeys()
      section.adopt(child, at: "evaluate")
    }
    seed = section.int("seed", in: 0...Int.max, default: 42)
    numerics = Self.numerics(&section)
    let quantizers = section.section("quantizers")
    let search = section.section("search")
    if let network {
      if hasData, let dataset {
        network.check(fits: dataset, faults: faults)
      }
      if var child = quantizers { self.quantizers = QuantizersSpec(&child, for: network.network) }
      if var child = search { self.search = SearchSpec(&child, for: network.network) }
    }
    section.rejectUnknownKeys()
    locations = section.locations
  }

  /// `auto` is this machine's; naming what it lacks is a fault.
  private static func numerics(_ parent: inout Section) -> NumericsFields {
    var numerics = NumericsFields(threads: Processor.cores, isa: Processor.instructionSet)
    guard var section = parent.section("numerics") else { return numerics }
    if let node = section.node("threads"), !node.isAuto {
      numerics.threads = section.int("threads", in: 1...256)
    }
    if let node = section.node("isa"), !node.isAuto {
      let isa = section.choice("isa", of: NumericsFields.InstructionSet.self)
      if isa > numerics.isa {
        section.faults.add(
          node.diagnostic("this processor has no \(isa.rawValue), only \(numerics.isa.rawValue)"))
      }
      numerics.isa = isa
    }
    section.rejectUnknownKeys()
    parent.adopt(section, at: "numerics")
    return numerics
  }
}

extension Node {
  fileprivate var isAuto: Bool { if case .string("auto") = value { true } else { false } }
}
