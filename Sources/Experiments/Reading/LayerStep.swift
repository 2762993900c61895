//! One entry of a network's `layers`, read: its kind, its options, what it reads and what it is
//! called. Knows no shape and no other entry.

import Diagnostics
import Networks
import Specs

/// Kinds of layers, with Keras's names in snake_case.
enum LayerKind: String, CaseIterable {
  case conv2d, dense, relu, relu6, swish, sigmoid, add, multiply, dropout, flatten, softmax
  /// An activation slot.
  case quantize
  case depthwiseConv2D = "depthwise_conv2d"
  case averagePooling2D = "average_pooling2d"
  case globalAveragePooling2D = "global_average_pooling2d"

  var joins: Bool { self == .add || self == .multiply }
}

/// A layer as its user wrote it.
struct LayerStep {
  /// A name that was written.
  struct Reference {
    var text: String
    var node: Node
  }

  enum Activation: String, CaseIterable {
    case none, relu, relu6, swish, sigmoid

    var operation: Operation? {
      switch self {
      case .none: nil
      case .relu: .relu
      case .relu6: .relu6
      case .swish: .swish
      case .sigmoid: .sigmoid
      }
    }
  }

  enum BatchNormalization {
    case none
    /// With Keras's next name.
    case automatic
    case named(Reference)
  }

  enum Content {
    /// A depthwise layer's filters are its input's channels.
    case weighted(WeightedLayer, BatchNormalization, Activation)
    /// The flag: of a global pool, whether extents of 1 stay.
    case plain(Operation, keepsExtents: Bool)
  }

  var kind: LayerKind
  var content: Content
  /// Where the kind stands: what faults of the layer as a whole point at.
  var node: Node
  /// The Keras name; nil: automatic.
  var name: Reference?
  /// What later layers call the output.
  var label: Reference?
  /// Nil: the layer before.
  var inputs: [Reference]?

  /// Whether it only masks what it reads, so that a slot belongs behind it.
  var isMask: Bool {
    (kind == .relu || kind == .relu6) && inputs == nil
  }

  /// - Parameters:
  ///   - key: the kind.
  ///   - options: what stands behind it; a null has none.
  ///   - defaults: of the network, by kind.
  init?(_ key: Node, options: Node?, defaults: [LayerKind: Node], faults: FaultCollector) {
    guard let kind = key.choice(of: LayerKind.self, named: "kind of layer", faults) else {
      return nil
    }
    self.kind = kind
    node = key
    var options = options ?? Node(.null, at: key.location, length: key.length, source: key.source)
    if case .mapping(let given)? = defaults[kind]?.value {
      switch options.value {
      case .null: options.value = .mapping(given)
      case .mapping(let own):
        let names = Set(own.map(\.name))
        options.value = .mapping(own + given.filter { !names.contains($0.name) })
      default: break
      }
    }
    if kind.joins, case .sequence = options.value {
      faults.add(
        options.diagnostic(
          "`\(kind.rawValue)` has options", suggestion: "write `\(kind.rawValue): {inputs: [a, b]}`"
        ))
      return nil
    }
    guard var section = Section.mapping(options, in: kind.rawValue, faults: faults) else {
      return nil
    }
    content = Self.content(kind, &section, at: key)
    name = Self.reference(&section, "name")
    label = Self.reference(&section, "as")
    if kind.joins {
      inputs = Self.pair(&section, of: kind, at: key)
    } else if let from = Self.reference(&section, "from") {
      inputs = [from]
    }
    section.rejectUnknownKeys()
  }

  // MARK: Options

  private static let extents = 1...65_536

  private static func content(_ kind: LayerKind, _ section: inout Section, at key: Node) -> Content
  {
    switch kind {
    case .conv2d: weighted(.conv2D, &section)
    case .depthwiseConv2D: weighted(.depthwiseConv2D, &section)
    case .dense: weighted(.dense, &section)
    case .relu: .plain(.relu, keepsExtents: false)
    case .relu6: .plain(.relu6, keepsExtents: false)
    case .swish: .plain(.swish, keepsExtents: false)
    case .sigmoid: .plain(.sigmoid, keepsExtents: false)
    case .add: .plain(.add, keepsExtents: false)
    case .multiply: .plain(.multiply, keepsExtents: false)
    case .flatten: .plain(.flatten, keepsExtents: false)
    case .softmax: .plain(.softmax, keepsExtents: false)
    case .quantize: .plain(.quantize, keepsExtents: false)
    case .dropout:
      .plain(.dropout(Float(section.double("rate", in: 0...0.999))), keepsExtents: false)
    case .globalAveragePooling2D:
      .plain(.globalAveragePool, keepsExtents: section.bool("keepdims", default: false))
    case .averagePooling2D: pool(&section)
    }
  }

  private static func pool(_ section: inout Section) -> Content {
    let (height, width) = pair(&section, "pool_size", in: extents)
    return .plain(.averagePool(height: height, width: width), keepsExtents: false)
  }

  private static func weighted(_ kind: WeightedLayer.Kind, _ section: inout Section) -> Content {
    var layer = WeightedLayer(kind: kind, filters: 1, batchNormalization: nil)
    switch kind {
    case .conv2D: layer.filters = section.int("filters", in: extents)
    case .dense: layer.filters = section.int("units", in: extents)
    case .depthwiseConv2D: break
    }
    if kind != .dense {
      (layer.kernelHeight, layer.kernelWidth) = pair(
        &section, "kernel_size", in: 1...1024, default: 3)
      (layer.strideHeight, layer.strideWidth) = pair(&section, "strides", in: 1...1024, default: 1)
      layer.padding = section.choice("padding", of: Padding.self, default: .same)
    }
    layer.initializer = section.choice(
      "kernel_initializer", of: Initializer.self, default: .glorotUniform)
    layer.l2 = Float(section.double("l2", in: 0...1e6, default: 0))
    let normalization = batchNormalization(&section, isUsual: kind != .dense)
    let activation = section.choice("activation", of: Activation.self, default: Activation.none)
    return .weighted(layer, normalization, activation)
  }

  /// `true`, `false`, or the batch normalization's name.
  private static func batchNormalization(
    _ section: inout Section, isUsual: Bool
  ) -> BatchNormalization {
    guard let node = section.node("batch_norm") else { return isUsual ? .automatic : .none }
    switch node.value {
    case .bool(let flag): return flag ? .automatic : .none
    case .string(let name):
      check(name, at: node, section.faults)
      return .named(Reference(text: name, node: node))
    default:
      section.faults.add(
        node.diagnostic("`batch_norm` is true, false or the batch normalization's name"))
      return .none
    }
  }

  /// A number for both extents, or a list of height and width.
  private static func pair(
    _ section: inout Section, _ key: String, in range: ClosedRange<Int>, default value: Int? = nil
  ) -> (Int, Int) {
    guard let node = section.node(key), case .sequence(let elements) = node.value else {
      let extent = section.int(key, in: range, default: value)
      return (extent, extent)
    }
    let numbers = elements.compactMap { element -> Int? in
      if case .int(let number) = element.value, range.contains(number) { return number }
      return nil
    }
    guard numbers.count == 2, elements.count == 2 else {
      section.faults.add(
        node.diagnostic(
          "`\(key)` is a whole number or [height, width], in "
            + "\(range.lowerBound)...\(range.upperBound)"))
      return (range.lowerBound, range.lowerBound)
    }
    return (numbers[0], numbers[1])
  }

  // MARK: Names

  private static func reference(_ section: inout Section, _ key: String) -> Reference? {
    guard let node = section.node(key) else { return nil }
    guard case .string(let text) = node.value else {
      section.faults.add(node.diagnostic("`\(key)` is a name, not \(node.found)"))
      return nil
    }
    if key != "from" { check(text, at: node, section.faults) }
    return Reference(text: text, node: node)
  }

  private static func pair(
    _ section: inout Section, of kind: LayerKind, at key: Node
  ) -> [Reference] {
    guard let node = section.node("inputs") else {
      section.faults.add(
        key.diagnostic(
          "`\(kind.rawValue)` needs the two layers that it joins",
          suggestion: "write `\(kind.rawValue): {inputs: [a, b]}`, with `as: a` in the layers"))
      return []
    }
    var references: [Reference] = []
    if case .sequence(let elements) = node.value {
      for case .string(let text) in elements.map(\.value) {
        references.append(Reference(text: text, node: elements[references.count]))
      }
      if references.count == 2, elements.count == 2 { return references }
    }
    section.faults.add(node.diagnostic("`inputs` is a list of two names"))
    return []
  }

  /// Names go into weights files and listings.
  private static func check(_ name: String, at node: Node, _ faults: FaultCollector) {
    let isPlain =
      !name.isEmpty && name.utf8.count <= 100
      && name.utf8.allSatisfy {
        (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
          || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
      }
    if !isPlain {
      faults.add(
        node.diagnostic("`\(name)` cannot name a layer: letters, digits, `_`, `-` and `.` can"))
    }
  }
}
