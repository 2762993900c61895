//! The network of a stage, resolved: a name for one that the program knows, every layer of another.

package import Networks

/// The architecture.
package enum NetworkFields: Hashable, Sendable {
  /// A name that `Network.named(_:)` knows.
  case kind(String)
  /// A network of the user's own; its name is in no key.
  case own(Network)

  /// One spelling, one key: layers that are those of a known network are that network.
  package init(_ network: Network) {
    for kind in Network.kinds {
      guard var known = Network.named(kind) else { continue }
      known.name = network.name
      if known == network {
        self = .kind(kind)
        return
      }
    }
    var network = network
    network.name = Network.ownName
    self = .own(network)
  }

  /// Nil where a kind is unknown.
  package var network: Network? {
    switch self {
    case .kind(let kind): Network.named(kind)
    case .own(let network): network
    }
  }
}

extension NetworkFields: Codable {
  private enum CodingKeys: String, CodingKey {
    case kind
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    if let kind = try container.decodeIfPresent(String.self, forKey: .kind) {
      self = .kind(kind)
    } else {
      self = .own(try Network(from: decoder))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    switch self {
    case .kind(let kind):
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(kind, forKey: .kind)
    case .own(let network): try network.encode(to: encoder)
    }
  }
}
