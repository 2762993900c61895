//! Losses, metrics and other things that are listed by name, with or without options.

import Diagnostics
import Specs

extension Node {
  /// A string that spells one of `type`'s values, otherwise a fault.
  func choice<Value: RawRepresentable & CaseIterable>(
    of type: Value.Type, named noun: String, _ faults: FaultCollector
  ) -> Value? where Value.RawValue == String {
    faults.recorder?.note(type.allCases.map(\.rawValue), at: self)
    if case .string(let text) = value, let choice = Value(rawValue: text) { return choice }
    let names = type.allCases.map(\.rawValue)
    let known = "known: " + names.joined(separator: ", ")
    let text = text ?? "this"
    faults.add(
      diagnostic(
        "there is no \(noun) `\(text)`",
        suggestion: closest(to: text, among: names).map { "did you mean `\($0)`?" } ?? known))
    return nil
  }

  /// `name`, or `{name: options}`; otherwise a fault.
  func named<Value: RawRepresentable & CaseIterable>(
    of type: Value.Type, named noun: String, _ faults: FaultCollector
  ) -> (Value, Node?)? where Value.RawValue == String {
    guard case .mapping(let entries) = value else {
      return choice(of: type, named: noun, faults).map { ($0, nil) }
    }
    guard let entry = entries.first, entries.count == 1 else {
      faults.add(diagnostic("a \(noun) with options is a mapping of one name to them"))
      return nil
    }
    return entry.key.choice(of: type, named: noun, faults).map { ($0, entry.value) }
  }

  func expectNone(for name: String, _ faults: FaultCollector) {
    switch value {
    case .null: break
    case .mapping(let entries) where entries.isEmpty: break
    default: faults.add(diagnostic("`\(name)` takes no options"))
    }
  }
}

extension LossKind {
  init?(_ section: inout Section, at key: String) {
    guard let node = section.node(key) else { return nil }
    if case .string("mean_squared_error") = node.value {
      self = .meanSquaredError
    } else {
      self = section.choice(key, of: LossKind.self)
    }
  }
}

extension MetricFields {
  /// A list of names, or of mappings from one name to its options.
  static func list(_ section: inout Section, at key: String) -> [MetricFields]? {
    guard let node = section.node(key) else { return nil }
    guard case .sequence(let elements) = node.value else {
      section.faults.add(node.diagnostic("metrics is a list: `[accuracy]`"))
      return nil
    }
    var metrics: [MetricFields] = []
    for element in elements {
      guard let metric = MetricFields(element, section.faults) else { continue }
      if metrics.contains(where: { $0.kind == metric.kind }) {
        section.faults.add(element.diagnostic("`\(metric.name)` is listed twice"))
      } else {
        metrics.append(metric)
      }
    }
    return metrics
  }

  private init?(_ element: Node, _ faults: FaultCollector) {
    if element.text == "acc" {
      // Keras's other word, nearer to `auc` than to what it means.
      faults.add(
        element.diagnostic("there is no metric `acc`", suggestion: "did you mean `accuracy`?"))
      return nil
    }
    guard let (kind, options) = element.named(of: Kind.self, named: "metric", faults) else {
      return nil
    }
    if kind != .partialAUC { options?.expectNone(for: kind.rawValue, faults) }
    switch kind {
    case .accuracy: self = .accuracy
    case .auc: self = .auc
    case .autoQKeras: self = .autoQKeras
    case .partialAUC:
      guard let options else {
        self = .partialAUC(maxFPR: 0.1)
        return
      }
      guard var section = Section.mapping(options, in: kind.rawValue, faults: faults) else {
        return nil
      }
      self = .partialAUC(maxFPR: section.double("max_fpr", in: 0.0001...1, default: 0.1))
      section.rejectUnknownKeys()
    }
  }
}
