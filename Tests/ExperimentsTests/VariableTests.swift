//! Variables, references and the environment in whole files.

import Diagnostics
import Experiments
import Files
import Pipeline
import TestSupport
import Testing

@Suite struct VariableTests {
  let workspace: Workspace

  init() throws {
    workspace = try Workspace()
    for file in ["experiments/small.yaml", "pipelines/small.yaml"] {
      try workspace.copy(TestPaths.fixtures + "/small/" + file, to: file)
    }
  }

  private func stages(
    _ overrides: [String] = [], environment: [String: String] = [:]
  ) throws -> [String: Stage] {
    let resolved = try ResolvedPipeline(
      PipelineRequest(
        path: workspace.path("pipelines/small.yaml"), overrides: overrides,
        variable: { environment[$0] }))
    return Dictionary(uniqueKeysWithValues: resolved.graph.stages.map { ($0.name, $0) })
  }

  private func add(_ text: String, to file: String) throws {
    try workspace.write(workspace.read(file) + text, to: file)
  }

  private func faults(_ overrides: [String]) -> [String] {
    do {
      _ = try stages(overrides)
      return []
    } catch let error as InvalidSpec {
      return error.diagnostics.map(\.message)
    } catch {
      return ["\(error)"]
    }
  }

  @Test func aWholeTextKeepsItsType() throws {
    try add(
      "variables: {few: 3, rate: {kind: constant, initial: 0.5}, list: [accuracy], two: \"${few}\"}\n",
      to: "experiments/small.yaml")
    let fields = try stages([
      "fine_tune.epochs=${two}", "fine_tune.learning_rate=${rate}", "training.metrics=${list}",
    ])["fine_tune"]?.fields.decode(as: FineTuneFields.self)
    #expect(fields?.training.epochs == 3)
    #expect(fields?.training.learningRate == .constant(0.5))
    #expect(fields?.training.metrics == [.accuracy])
  }

  @Test func numbersWithinTextsStayTexts() throws {
    try add("variables: {few: 3}\n", to: "experiments/small.yaml")
    #expect(
      faults(["fine_tune.epochs=1${few}"])
        == ["`epochs` wants a whole number, not the text `13`"])
  }

  @Test func thePipelinesVariablesHold() throws {
    try add("variables: {few: 3}\nseed: ${few}\n", to: "experiments/small.yaml")
    #expect(try stages()["pretrain"]?.fields["seed"] == .int(3))
    try add("variables: {few: 4}\n", to: "pipelines/small.yaml")
    #expect(try stages()["pretrain"]?.fields["seed"] == .int(4))
    #expect(try stages(["variables.few=5"])["pretrain"]?.fields["seed"] == .int(5))
  }

  @Test func referencesSeeWhatIsSet() throws {
    let overrides = [
      "seed=${stages.fine_tune.epochs}", "stages.fine_tune.epochs=${pretrain.epochs}",
    ]
    #expect(try stages(overrides)["pretrain"]?.fields["seed"] == .int(2))
    #expect(try stages(overrides + ["pretrain.epochs=9"])["pretrain"]?.fields["seed"] == .int(9))
  }

  @Test func theEnvironmentIsReadWhereItIsDeclared() throws {
    try add(
      "environment: {COUNT: 5}\nseed: ${env.COUNT}\n", to: "experiments/small.yaml")
    #expect(try stages()["pretrain"]?.fields["seed"] == .int(5))
    #expect(try stages(environment: ["COUNT": "8"])["pretrain"]?.fields["seed"] == .int(8))
    #expect(faults(["seed=${env.HOME}"]) == ["no file declares the environment's `HOME`"])
  }

  @Test func chainsHaveAnEnd() throws {
    let chain = (0..<10_000).map { "v\($0): \"${v\($0 + 1)}\"" }.joined(separator: ", ")
    try add("variables: {\(chain), v10000: 1}\n", to: "experiments/small.yaml")
    #expect(faults(["seed=${v9990}"]) == [])
    #expect(faults(["seed=${v0}"]) == ["more than 32 values name each other"])
  }

  @Test(.timeLimit(.minutes(1))) func textsThatGrowAreRefused() throws {
    let growing = (1..<30).map { "v\($0): \"${v\($0 - 1)}${v\($0 - 1)}\"" }
    try add(
      "variables: {v0: xxxxxxxx, \(growing.joined(separator: ", "))}\n",
      to: "experiments/small.yaml")
    #expect(
      faults(["dataset.root=${v29}"])
        == ["the text is longer than 1 MB once its variables are written out"])
  }

  @Test func aFaultIsToldOnceAndNotAgainByWhatItLacks() {
    #expect(
      faults(["fine_tune.epochs=${epohs}", "seed=${fine_tune.epohs}"]) == [
        "unknown variable `${epohs}`", "unknown variable `${fine_tune.epohs}`",
      ])
  }
}
