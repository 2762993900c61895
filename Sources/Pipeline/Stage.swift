//! A stage as the pipeline file asks for it; knows neither what it computes nor whether it ran.

package import Diagnostics
package import Files

/// What a stage takes of the machine while it runs.
package struct Resources: Hashable, Sendable {
  package var cores: Int
  package var memoryGB: Double

  package init(cores: Int = 1, memoryGB: Double = 0) {
    self.cores = cores
    self.memoryGB = memoryGB
  }
}

/// Where an input of a stage comes from.
package enum Source: Hashable, Sendable {
  /// The output of the stage of this name.
  case stage(String, location: SourceLocation? = nil)
  /// A file, or a folder with all that lies in it.
  case file(path: String, location: SourceLocation? = nil)
}

/// One node of a pipeline.
package struct Stage: Sendable {
  /// Unique in its graph, such as `seed=1/fine_tune`.
  package var name: String
  package var kind: String
  /// The version of the code behind `kind`.
  package var version: Int
  /// The resolved fields that change the result.
  package var fields: JSONValue
  /// Where the user wrote a field, by dotted path (`callbacks[0].monitor`); a path stands for all
  /// below it.
  package var locations: [String: SourceLocation]
  package var inputs: [(role: String, source: Source)]
  package var location: SourceLocation?
  package var resources: Resources
  /// Handed to the worker, never in a key: labels, display.
  package var unkeyed: JSONValue
  /// Variables that the worker's environment gets on top of ours.
  package var environment: [String: String]
  /// What runs instead of the worker.
  package var command: Command?
  /// How often the stage is tried again after a failure.
  package var retries: Int

  package init(
    name: String, kind: String, version: Int = 1, fields: JSONValue = .object([:]),
    locations: [String: SourceLocation] = [:], inputs: [(role: String, source: Source)] = [],
    location: SourceLocation? = nil, resources: Resources = Resources(),
    unkeyed: JSONValue = .object([:]), environment: [String: String] = [:],
    command: Command? = nil, retries: Int = 0
  ) {
    self.name = name
    self.kind = kind
    self.version = version
    self.fields = fields
    self.locations = locations
    self.inputs = inputs
    self.location = location
    self.resources = resources
    self.unkeyed = unkeyed
    self.environment = environment
    self.command = command
    self.retries = retries
  }

  /// Where the user wrote the field at `path`, or what holds it.
  package func location(of path: String) -> SourceLocation? {
    var rest = path[...]
    while !rest.isEmpty {
      if let location = locations[String(rest)] { return location }
      guard let cut = rest.lastIndex(where: { $0 == "." || $0 == "[" }) else { break }
      rest = rest[..<cut]
    }
    return locations[""] ?? location
  }
}
