//! Python's jsonschema, which editors agree with: whether a YAML file is what a schema asks for.

import Foundation

/// A validator of files.
package struct SchemaValidator: Sendable {
  private let python: PythonEnvironment

  /// nil where there is no python3 with venv, no pip or no network.
  package static let shared: SchemaValidator? =
    PythonEnvironment("jsonschema-4.26.0", packages: ["jsonschema==4.26.0", "PyYAML==6.0.3"])
    .map { SchemaValidator(python: $0) }

  /// What is wrong, a line a fault; throws where the schema is none.
  package func faults(of files: [String], schema: String) throws -> [String] {
    guard let output = python.run(["-c", Self.script, schema] + files) else {
      throw CocoaError(.fileReadCorruptFile)
    }
    return String(decoding: output, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// PyYAML takes 1e-3 for a text, as YAML 1.1 does.
  private static let script = """
    import json, re, sys, yaml, jsonschema
    schema = json.load(open(sys.argv[1]))
    jsonschema.Draft7Validator.check_schema(schema)
    loader = yaml.SafeLoader
    loader.add_implicit_resolver("tag:yaml.org,2002:float",
      re.compile(r"^[-+]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][-+]?[0-9]+)?$"), list("-+0123456789."))
    for path in sys.argv[2:]:
      for fault in jsonschema.Draft7Validator(schema).iter_errors(yaml.load(open(path), loader)):
        where = ".".join(str(part) for part in fault.path)
        print(f"{path.split('/')[-1]}: {where}: {fault.validator}")
    """
}
