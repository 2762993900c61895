//! `run`: plans, runs what is missing, and lays the results out. Knows no kind of stage.

import ArgumentParser
import Experiments
import Glibc
import Pipeline

struct RunCommand: AsyncParsableCommand, ColoringCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run a pipeline's stages; what has been computed before is taken from the cache.")

  @OptionGroup var pipeline: PipelineOptions
  @OptionGroup var store: StoreOptions
  @Option(help: ArgumentHelp("What people read goes to DIR/PIPELINE/STAGE.", valueName: "dir"))
  var results = "results"
  @Option(
    name: [.customShort("j", allowingJoined: true), .long],
    help: ArgumentHelp("Stages at once, within the cores (default: the cores).", valueName: "n"))
  var jobs: Int?
  @Flag(help: "After a failure run what does not need the failed stage.")
  var keepGoing = false
  @Flag(name: .shortAndLong, help: "Only print the plan.")
  var dryRun = false
  @Flag(help: "One JSON object an event on standard output.")
  var json = false

  var color: ColorChoice { pipeline.fields.color }

  func validate() throws {
    if let jobs, jobs < 1 { throw ValidationError("-j takes a number of at least 1") }
  }

  func run() async throws {
    let resolved = try pipeline.resolve()
    let store = try Store(root: store.store)
    let plan = try Plan(graph: resolved.graph, store: store)
    if dryRun {
      PlanPrinter(json: json, color: color).print(plan)
      return
    }
    let interruption = Interruption()
    let folder = ResultsFolder(path: "\(results)/\(resolved.name)")
    let reporter = RunReporter(
      json: json, color: color, results: folder, store: store, plan: plan,
      interruption: interruption)
    let cores = Processor.cores
    let scheduler = Scheduler(
      store: store, runner: try Self.runner(),
      options: Scheduler.Options(jobs: jobs ?? cores, cores: cores, keepsGoing: keepGoing),
      observer: { reporter.receive($0) })
    let task = Task { await scheduler.run(plan) }
    interruption.onSignal { task.cancel() }
    let summary = await task.value
    reporter.finish()
    try end(summary, of: resolved, plan: plan, reporter: reporter, interruption: interruption)
  }

  /// `$SHIFTWORK_WORKER` runs the stages where it is set: another build, or a test's.
  static func runner() throws -> ProcessRunner {
    if let worker = Environment["SHIFTWORK_WORKER"] { return ProcessRunner(worker: worker) }
    return try ProcessRunner.beside()
  }

  private func end(
    _ summary: RunSummary, of resolved: ResolvedPipeline, plan: Plan, reporter: RunReporter,
    interruption: Interruption
  ) throws {
    let report = Report(
      pipeline: resolved.name, experiment: resolved.experiment, rows: reporter.rows(in: plan))
    let folder = ResultsFolder(path: "\(results)/\(resolved.name)")
    var code = summary.exitCode
    var isWritten = false
    if interruption.happened, !summary.records.keys.isSuperset(of: plan.entries.map(\.stage.name)) {
      code = 130
    }
    if code != 130 {
      do {
        for file in report.files { try folder.write(file.text, to: file.name) }
        isWritten = true
      } catch {
        Console.error("error: the report was not written: \(error)")
        code = max(code, Exit.failed)
      }
    }
    if !reporter.troubles.isEmpty { code = max(code, Exit.failed) }
    if !json {
      let style = Style(isColored: color.applies(to: STDOUT_FILENO))
      for line in report.table(style: style) { Console.out(line) }
      if isWritten { Console.out("results: \(folder.path)/report.md, summary.csv") }
    }
    if code == 130 {
      Console.error(
        "interrupted: finished stages and trials are kept, and the same command goes on")
    }
    if code != 0 { throw ExitCode(code) }
  }
}

extension Dictionary.Keys where Key: Hashable {
  fileprivate func isSuperset(of names: [Key]) -> Bool { names.allSatisfy(contains) }
}
