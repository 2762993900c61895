//! Quantizers' strings in a spec, with faults that point into them, and the map of a network that
//! they make. Knows no tensor.

import Diagnostics
import Networks
import Specs

/// A quantizer as a spec gives it.
enum QuantizerChoice {
  /// Stays in float32: the word `float`.
  case float
  case spec(QuantizerSpec)

  var spec: QuantizerSpec? {
    switch self {
    case .float: nil
    case .spec(let spec): spec
    }
  }

  /// Nil after a fault.
  init?(_ node: Node, role: Slot.Role, faults: FaultCollector) {
    guard case .string(let text) = node.value else {
      faults.add(
        node.diagnostic(
          "a quantizer is a string such as quantized_bits(8,8,1,1,alpha='auto'), or float"))
      return nil
    }
    if text == "float" {
      self = .float
      return
    }
    do {
      let spec = try QuantizerSpec(parsing: text)
      if let reason = spec.refusal(as: role) {
        faults.add(node.diagnostic(reason))
        return nil
      }
      self = .spec(spec)
      if let (remark, suggestion) = spec.remark(as: role) {
        faults.add(node.diagnostic(remark, severity: .warning, suggestion: suggestion))
      }
    } catch {
      faults.add(Self.diagnostic(of: error, in: text, at: node))
      return nil
    }
  }

  /// The fault at its own column where the string stands in the source as it is, otherwise at the
  /// string's start.
  private static func diagnostic(
    of error: QuantizerSyntaxError, in text: String, at node: Node
  ) -> Diagnostic {
    var diagnostic = node.diagnostic(error.message)
    guard var location = diagnostic.location, let line = diagnostic.sourceLine else {
      return diagnostic
    }
    let rest = line.dropFirst(location.column - 1)
    let isQuoted = rest.first == "'" || rest.first == "\""
    guard rest.dropFirst(isQuoted ? 1 : 0).hasPrefix(text) else { return diagnostic }
    location.column += error.offset + (isQuoted ? 1 : 0)
    diagnostic.location = location
    diagnostic.length = error.length
    return diagnostic
  }
}
