//! The workload of the runner's benchmark: one graph, written out in each tool's own form. Knows no
//! time and starts nothing.

import Files

/// Chains of five stages from one file, and a stage that reads the end of each. A stage is a shell
/// script that adds its name to `count.log`, so that executions are counted, and copies its input.
struct RunnerWorkload {
  static let steps = ["load", "search", "switch", "fine_tune", "evaluate"]
  /// The chain whose parameter `change` changes, and the stages that hang on it.
  static let changed = 7
  static var dependents: Int { steps.count + 1 }
  private static let changedValue = "0.5"

  let chains: Int

  var stages: Int { chains * Self.steps.count + 1 }

  /// The chain's parameter: a number that differs from chain to chain.
  private func rate(_ chain: Int) -> String { "\(Double(chain + 1) / 1000)" }

  // MARK: Files

  /// Writes everything that `tool` needs into `folder`, which is made.
  func write(for tool: RunnerTool, to folder: String) throws {
    try Files.createDirectories(folder + "/out")
    try put(String(repeating: "x", count: 4096) + "\n", folder + "/data.txt")
    try put(Self.script, folder + "/step.sh")
    switch tool {
    case .loop:
      try put(chainLines, folder + "/chains.txt")
      try put(summaryCall + "\n", folder + "/summary.sh")
    case .shiftwork: try put(shiftwork, folder + "/pipeline.yaml")
    case .ninja: try put(ninja, folder + "/build.ninja")
    case .snakemake:
      try put(parameters, folder + "/params.yaml")
      try put(snakefile, folder + "/Snakefile")
    case .dvc:
      try put(parameters, folder + "/params.yaml")
      try put(dvc, folder + "/dvc.yaml")
    }
  }

  /// Gives one chain's parameter another value, as its user would in the tool's file.
  func change(for tool: RunnerTool, in folder: String) throws {
    let (name, old, new) =
      switch tool {
      case .loop: ("chains.txt", " \(rate(Self.changed))", " \(Self.changedValue)")
      case .shiftwork:
        ("pipeline.yaml", "{lr: \(rate(Self.changed))}", "{lr: \(Self.changedValue)}")
      case .ninja: ("build.ninja", "p = \(rate(Self.changed))\n", "p = \(Self.changedValue)\n")
      case .snakemake, .dvc:
        (
          "params.yaml", "c\(Self.changed): {lr: \(rate(Self.changed))}",
          "c\(Self.changed): {lr: \(Self.changedValue)}"
        )
      }
    let path = "\(folder)/\(name)"
    let text = String(decoding: try Files.read(path, limit: 1 << 30), as: UTF8.self)
    try put(Self.replacing(old, by: new, in: text), path)
  }

  /// Executions so far.
  static func executions(in folder: String) -> Int {
    let bytes = (try? Files.read(folder + "/count.log", limit: 1 << 30)) ?? []
    return bytes.count { $0 == UInt8(ascii: "\n") }
  }

  private func put(_ text: String, _ path: String) throws {
    try Files.writeAtomically(text, to: path)
  }

  private static func replacing(_ old: String, by new: String, in text: String) -> String {
    var pieces: [Substring] = []
    var rest = text[...]
    while let place = firstRange(of: old, in: rest) {
      pieces += [rest[..<place.lowerBound], new[...]]
      rest = rest[place.upperBound...]
    }
    return (pieces + [rest]).joined()
  }

  private static func firstRange(of word: String, in text: Substring) -> Range<String.Index>? {
    var place = text.startIndex
    while place < text.endIndex {
      if text[place...].hasPrefix(word) {
        return place..<text.index(place, offsetBy: word.count)
      }
      place = text.index(after: place)
    }
    return nil
  }

  // MARK: Forms

  /// Its arguments: name, inputs in one word, output, parameter.
  private static let script = """
    #!/bin/sh
    set -e
    echo "$1" >> count.log
    { echo "$4"; cat $2; } > "$3.tmp"
    mv "$3.tmp" "$3"

    """

  private func output(_ chain: Int, _ step: Int) -> String {
    "out/c\(chain).\(Self.steps[step]).txt"
  }

  private func input(_ chain: Int, _ step: Int) -> String {
    step == 0 ? "data.txt" : output(chain, step - 1)
  }

  private var ends: [String] { (0..<chains).map { output($0, Self.steps.count - 1) } }

  private func call(_ chain: Int, _ step: Int) -> String {
    "sh step.sh c\(chain)-\(Self.steps[step]) \(input(chain, step)) \(output(chain, step))"
  }

  private var summaryCall: String {
    "sh step.sh summary '\(ends.joined(separator: " "))' out/summary.txt"
  }

  private var chainLines: String {
    (0..<chains).map { chain in
      Self.steps.indices.map { "\(call(chain, $0)) \(rate(chain))" }.joined(separator: " && ")
        + "\n"
    }.joined()
  }

  private var parameters: String {
    "cfg:\n" + (0..<chains).map { "  c\($0): {lr: \(rate($0))}\n" }.joined()
  }

  private var shiftwork: String {
    var text = "pipeline: chains\nstages:\n"
    for chain in 0..<chains {
      for (step, name) in Self.steps.enumerated() {
        let before = step == 0 ? "data" : "c\(chain)-\(Self.steps[step - 1])"
        let source = step == 0 ? "${inputs.data}" : "${inputs.\(before)}/x.txt"
        text += """
            c\(chain)-\(name):
              kind: command
              run: sh ${inputs.script} c\(chain)-\(name) \(source) ${output}/x.txt ${params.lr}
              params: {lr: \(rate(chain))}
              inputs: {script: step.sh\(step == 0 ? ", data: data.txt" : "")}

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

  private var ninja: String {
    var text = "rule r\n  command = sh step.sh $id \"$src\" $out $p\n"
    for chain in 0..<chains {
      for (step, name) in Self.steps.enumerated() {
        let source = input(chain, step)
        text += """
          build \(output(chain, step)): r \(source) | step.sh
            id = c\(chain)-\(name)
            src = \(source)
            p = \(rate(chain))

          """
      }
    }
    let all = ends.joined(separator: " ")
    return text + "build out/summary.txt: r \(all) | step.sh\n  id = summary\n  src = \(all)\n"
  }

  private var dvc: String {
    var text = "stages:\n"
    func stage(_ name: String, _ call: String, _ inputs: [String], _ output: String, _ key: String?)
    {
      text +=
        "  \(name):\n    cmd: \(call)\n    deps: [\(inputs.joined(separator: ", ")), step.sh]\n"
      if let key { text += "    params: [\(key)]\n" }
      text += "    outs: [\(output)]\n"
    }
    for chain in 0..<chains {
      for (step, name) in Self.steps.enumerated() {
        stage(
          "c\(chain)-\(name)", "\(call(chain, step)) ${cfg.c\(chain).lr}", [input(chain, step)],
          output(chain, step), "cfg.c\(chain).lr")
      }
    }
    stage("summary", summaryCall, ends, "out/summary.txt", nil)
    return text
  }

  private var snakefile: String {
    var text = """
      configfile: "params.yaml"
      C = [f"c{i}" for i in range(\(chains))]
      rate = lambda w: config["cfg"][w.c]["lr"]
      rule all:
          input: "out/summary.txt"

      """
    for (step, name) in Self.steps.enumerated() {
      let source = step == 0 ? "data.txt" : "out/{c}.\(Self.steps[step - 1]).txt"
      text += """
        rule \(name):
            input: i="\(source)", s="step.sh"
            output: "out/{c}.\(name).txt"
            params: lr=rate
            shell: "sh step.sh {wildcards.c}-\(name) {input.i} {output} {params.lr}"

        """
    }
    return text + """
      rule summary:
          input: i=expand("out/{c}.evaluate.txt", c=C), s="step.sh"
          output: "out/summary.txt"
          shell: "sh step.sh summary '{input.i}' {output}"

      """
  }
}
