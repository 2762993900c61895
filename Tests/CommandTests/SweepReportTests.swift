//! What a sweep leaves for people: columns of fields, means and deviations over seeds; and how two of
//! its points, or two runs of it, are compared. Whole outputs.

import Foundation
import TestSupport
import Testing

@Suite struct SweepReportTests {
  /// Metrics follow from the parameters; what seeds share is `prepare`.
  private static let pipeline = #"""
    pipeline: sweep
    stages:
      prepare:
        kind: command
        run: 'echo data > ${output}/x'
      train:
        kind: command
        run: 'printf "{\"accuracy\": 0.${params.bits}${params.seed}, \"total_bits\": 10${params.bits}}" > ${output}/metrics.json'
        params: {bits: 2, seed: 0}
        needs: prepare
    sweep: {product: {stages.train.params.bits: [4, 8], stages.train.params.seed: [1, 2, 3]}}

    """#

  let workspace: Workspace

  init() throws {
    workspace = try Workspace()
    try workspace.write(Self.pipeline, to: "sweep.yaml")
  }

  private func run(_ arguments: String...) throws -> String {
    let outcome = try workspace.run("shiftwork", arguments)
    #expect(outcome.code == 0, "\(outcome.error)")
    return outcome.out
  }

  @Test func reportsHaveFieldsAndAggregates() throws {
    _ = try run("run", "sweep.yaml", "-j2")
    let report = try workspace.read("results/sweep/report.md").split(separator: "\n")
    #expect(
      report[2]
        == "| stage | kind | stages.train.params.bits | stages.train.params.seed | accuracy | total_bits |"
    )
    #expect(
      report[5]
        == "| stages.train.params.bits=4,stages.train.params.seed=1/train | command | 4 | 1 | 0.4100 | 104 |"
    )
    #expect(
      report.suffix(7).joined(separator: "\n") == """
        Mean ± standard deviation over the seeds (of n runs, n - 1 in the denominator):
        | stage | stages.train.params.bits | n | accuracy | total_bits |
        | --- | --- | ---: | ---: | ---: |
        | prepare | 4 | 1 |  |  |
        | train | 4 | 3 | 0.4200 ± 0.0100 | 104 ± 0 |
        | prepare | 8 | 1 |  |  |
        | train | 8 | 3 | 0.8200 ± 0.0100 | 108 ± 0 |
        """)
    #expect(
      try workspace.read("results/sweep/aggregate.csv") == """
        stage,kind,stages.train.params.bits,n,accuracy_mean,accuracy_std,total_bits_mean,total_bits_std
        prepare,command,4,1,,,,
        train,command,4,3,0.42,0.010000000000000009,104.0,0.0
        prepare,command,8,1,,,,
        train,command,8,3,0.82,0.009999999999999953,108.0,0.0

        """)
    #expect(
      try workspace.read("results/sweep/aggregate.tex") == #"""
        % Needs \usepackage{booktabs}.
        \begin{tabular}{llrrr}
        \toprule
        stage & stages.train.params.bits & n & accuracy & total\_bits \\
        \midrule
        prepare & 4 & 1 &  &  \\
        train & 4 & 3 & $0.4200 \pm 0.0100$ & $104 \pm 0$ \\
        prepare & 8 & 1 &  &  \\
        train & 8 & 3 & $0.8200 \pm 0.0100$ & $108 \pm 0$ \\
        \bottomrule
        \end{tabular}

        """#)
    let summary = try workspace.read("results/sweep/summary.csv").split(separator: "\n")
    #expect(
      summary[0]
        == "stage,kind,seconds,artifact,point,point_id,stages.train.params.bits,stages.train.params.seed,accuracy,total_bits"
    )
    #expect(summary.count == 13)
    #expect(summary[2].hasSuffix(",4,1,0.41,104"))
  }

  @Test func pointsAreCompared() throws {
    _ = try run("run", "sweep.yaml", "-j2")
    let (four, eight) = (point(4, 1), point(8, 1))
    let words = """
      train
        field        A  B
        params.bits  4  8
        metric           A       B  difference
        accuracy    0.4100  0.8100     +0.4000
        total_bits     104     108          +4
      the same: prepare

      """
    #expect(
      try run("compare", "sweep.yaml:\(four)", "sweep.yaml:\(eight)")
        == "A: sweep.yaml:\(four)\nB: sweep.yaml:\(eight)\n" + words)
    #expect(
      try run("compare", "results/sweep/\(four)", "results/sweep/\(eight)/")
        == "A: results/sweep/\(four)\nB: results/sweep/\(eight)/\n" + words)
    #expect(
      try run("compare", "results/sweep/\(four)/train", "sweep.yaml:\(eight)/train", "--json")
        == #"{"fields":[{"a":4,"b":8,"difference":4,"name":"params.bits"}],"#
        + #""metrics":[{"a":0.41,"b":0.81,"difference":0.4000000000000001,"name":"accuracy"},"#
        + #"{"a":104,"b":108,"difference":4,"name":"total_bits"}],"#
        + #""stage":"train","state":"differs"}"# + "\n")
    let artifacts = RunEvent.artifacts(try run("run", "sweep.yaml", "--json"))
    let digests = try [four, eight].map { try #require(artifacts["\($0)/train"]).prefix(12) }
    #expect(
      try run("compare", "\(digests[0])", "\(digests[1])").contains("params.bits  4  8"))
  }

  /// Runs are what they were, whatever the YAML says now; stages that were there already count.
  @Test func runsAreCompared() throws {
    _ = try run("run", "sweep.yaml", "-j2")
    let first = try #require(try runs().first)
    _ = try run(
      "run", "sweep.yaml", "-j2", "--set", "sweep.product.stages.train.params.seed=[1, 4]")
    try workspace.write("pipeline: sweep\nstages: {}\n", to: "sweep.yaml")
    // Two runs that began in one second have no order.
    let second = try #require(try runs().first { $0 != first })
    let text = try run("compare", first, second)
    let (old, new) = (
      [2, 3].map { point(4, $0) } + [2, 3].map { point(8, $0) }, [point(4, 4), point(8, 4)]
    )
    func names(_ points: [String]) -> String {
      points.flatMap { ["\($0)/prepare", "\($0)/train"] }.joined(separator: ", ")
    }
    let lines = text.split(separator: "\n").map(String.init)
    #expect(lines.count == 5, "\(text)")
    func listed(_ prefix: String) -> Set<String> {
      let line = lines.first { $0.hasPrefix(prefix) } ?? ""
      return Set(line.dropFirst(prefix.count).components(separatedBy: ", "))
    }
    #expect(listed("only in A: ") == Set(names(old).components(separatedBy: ", ")))
    #expect(listed("only in B: ") == Set(names(new).components(separatedBy: ", ")))
    #expect(
      listed("the same: ")
        == Set(names([point(4, 1), point(8, 1)]).components(separatedBy: ", ")))
  }

  @Test(arguments: [
    (
      ["nothing", "sweep.yaml"],
      "Error: `nothing` is nothing to compare: it takes a run of `shiftwork history`, a folder below "
        + "results, PIPELINE.yaml[:POINT], or at least 6 digits of an artifact's digest\n"
    ),
    (
      ["sweep.yaml", "sweep.yaml:stages.train.params.bits=4,stages.train.params.seed=7"],
      "Error: sweep.yaml has no point and no stage "
        + "`stages.train.params.bits=4,stages.train.params.seed=7`: did you mean "
        + "`stages.train.params.bits=4,stages.train.params.seed=1`?\n"
    ),
    (["empty", "sweep.yaml"], "Error: `empty` holds no stage's results\n"),
  ])
  func whatIsNoSideIsTold(sides: [String], words: String) throws {
    try workspace.write("", to: "empty/file")
    let outcome = try workspace.run("shiftwork", ["compare"] + sides)
    #expect(outcome.code == 2)
    #expect(outcome.error.hasPrefix(words), "\(outcome.error)")
  }

  /// The names of the runs so far.
  private func runs() throws -> [String] {
    try run("history").split(separator: "\n").dropFirst().map {
      String($0.prefix { $0 != " " })
    }
  }

  private func point(_ bits: Int, _ seed: Int) -> String {
    "stages.train.params.bits=\(bits),stages.train.params.seed=\(seed)"
  }
}
