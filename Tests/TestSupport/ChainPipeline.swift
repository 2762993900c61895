//! A pipeline of small shell scripts that count their own executions. Knows nothing of who runs it.

import Foundation

/// Chains of five stages from one file each, and a stage that reads the end of every chain.
package struct ChainPipeline: Sendable {
  package static let steps = ["load", "search", "switch", "fine_tune", "evaluate"]

  package var chains: Int
  /// How long a stage takes at least.
  package var seconds = 0.0
  /// The parameter of each chain, as YAML spells it.
  package var rate: @Sendable (Int) -> String = { "\(Double($0 + 1) / 1000)" }
  package var name = "chains"

  package init(chains: Int) { self.chains = chains }

  /// A line for each execution.
  package static let log = "count.log"

  /// Writes `NAME.yaml`, the script and the data into a folder of the workspace.
  package func write(to workspace: Workspace, folder: String = "") throws {
    let prefix = folder.isEmpty ? "" : folder + "/"
    try workspace.write(script, to: prefix + "step.sh")
    for chain in 0..<chains { try workspace.write("data \(chain)\n", to: prefix + "data\(chain)") }
    try workspace.write(text, to: "\(prefix)\(name).yaml")
  }

  /// Its arguments: name, inputs in one word, output, parameter. A file `fail-NAME` fails a stage.
  private var script: String {
    """
    #!/bin/sh
    set -e
    echo "$1" >> \(Self.log)
    if [ -e "fail-$1" ]; then echo "$1 is told to fail" >&2; exit 3; fi
    \(seconds > 0 ? "sleep \(seconds)" : "")
    { echo "$4"; cat $2; } > "$3"

    """
  }

  package var text: String {
    var text = "pipeline: \(name)\nstages:\n"
    for chain in 0..<chains {
      for (step, stage) in Self.steps.enumerated() {
        let before = step == 0 ? "data" : "c\(chain)-\(Self.steps[step - 1])"
        let source = step == 0 ? "${inputs.data}" : "${inputs.\(before)}/x.txt"
        text += """
            c\(chain)-\(stage):
              kind: command
              run: sh ${inputs.script} c\(chain)-\(stage) \(source) ${output}/x.txt ${params.lr}
              params: {lr: \(rate(chain))}
              inputs: {script: step.sh\(step == 0 ? ", data: data\(chain)" : "")}

          """
        if step > 0 { text += "    needs: \(before)\n" }
      }
    }
    let needs = (0..<chains).map { "c\($0)-evaluate" }
    let sources = needs.map { "${inputs.\($0)}/x.txt" }.joined(separator: " ")
    return text + """
        summary:
          kind: command
          run: sh ${inputs.script} summary "\(sources)" ${output}/summary.txt
          inputs: {script: step.sh}
          needs: [\(needs.joined(separator: ", "))]

      """
  }

  package var stages: Int { chains * Self.steps.count + 1 }

  /// The stages of one chain, and the one at the end.
  package static func dependents(of chain: Int) -> [String] {
    steps.map { "c\(chain)-\($0)" } + ["summary"]
  }

  /// The names of the stages that were started, in order.
  package static func executions(in workspace: Workspace, folder: String = "") -> [String] {
    let text = try? workspace.read((folder.isEmpty ? "" : folder + "/") + log)
    return (text ?? "").split(separator: "\n").map(String.init)
  }
}
