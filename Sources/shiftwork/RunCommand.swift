//! `run`: plans, runs what is missing, and lays the results out. Knows no kind of stage.

import ArgumentParser
import Diagnostics
import Experiments
import Files
import Glibc
import Pipeline

struct RunCommand: AsyncParsableCommand, ColoringCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run a pipeline's stages; what has been computed before is taken from the cache.")

  @OptionGroup var pipeline: PipelineOptions
  @OptionGroup var selection: SelectionOptions
  @OptionGroup var store: StoreOptions
  @Option(help: ArgumentHelp("What people read goes to DIR/PIPELINE/STAGE.", valueName: "dir"))
  var results = "results"
  @Option(
    name: [.customShort("j", allowingJoined: true), .long],
    help: ArgumentHelp("Stages at once, within the cores (default: the cores).", valueName: "n"))
  var jobs: Int?
  @Option(
    help: ArgumentHelp(
      "Memory that stages may take together, by what they declare (default: the machine's).",
      valueName: "gb"))
  var memoryGB: Double?
  @Option(
    help: ArgumentHelp(
      "Try a failed stage again so often, unless its own `retries` is more.", valueName: "n"))
  var retries = 0
  @Flag(help: "After a failure run what does not need the failed stage.")
  var keepGoing = false
  @Flag(name: .shortAndLong, help: "Only print the plan.")
  var dryRun = false
  @Flag(help: "One JSON object an event on standard output.")
  var json = false

  var color: ColorChoice { pipeline.fields.color }

  func validate() throws {
    if let jobs, jobs < 1 { throw ValidationError("-j takes a number of at least 1") }
    if let memoryGB, !(memoryGB > 0) {
      throw ValidationError("--memory-gb takes a number above 0")
    }
    if retries < 0 { throw ValidationError("--retries takes a number of at least 0") }
  }

  func run() async throws {
    let identity = identity
    if let identity, try tellUnchanged(identity) { return }
    // Both read files that may be long, and neither needs the other.
    let opening = Task.detached { [root = self.store.store] in try Store(root: root) }
    let variables = VariableNames()
    let resolved = try pipeline.resolve(noting: variables)
    let store = try await opening.value
    let use = dryRun ? nil : try store.use()
    defer { use?.release() }
    let plan = try selection.plan(resolved, store: store)
    if dryRun {
      PlanPrinter(json: json, color: color).print(plan)
      return
    }
    let info = RunInfo(
      pipeline: resolved.name, arguments: CommandLine.arguments, version: Version.text,
      stages: plan.entries.count)
    let recorder = try RunRecorder(info, in: store.root)
    store.setRun(info.id)
    let interruption = Interruption()
    let folder = ResultsFolder(path: "\(results)/\(resolved.name)")
    let reporter = RunReporter(
      json: json, color: color, results: folder, store: store, plan: plan,
      interruption: interruption)
    // What is told and laid out of one stage shall not keep the next from starting.
    let (events, feed) = AsyncStream<(SchedulerEvent, Double)>.makeStream()
    let telling = Task {
      for await (event, time) in events {
        recorder.receive(event, at: time)
        reporter.receive(event)
      }
    }
    let cores = Processor.cores
    let needsWorker = plan.entries.contains { $0.stage.command == nil }
    let scheduler = Scheduler(
      store: store, runner: StageDispatcher(worker: needsWorker ? try Self.runner() : nil),
      options: Scheduler.Options(
        jobs: jobs ?? cores, cores: cores, memoryGB: memoryGB ?? Self.machineMemoryGB,
        retries: retries, keepsGoing: keepGoing),
      observer: { feed.yield(($0, WallTime.now)) })
    let task = Task { await scheduler.run(plan) }
    interruption.onSignal { task.cancel() }
    let summary = await task.value
    feed.finish()
    await telling.value
    reporter.finish()
    let code = end(
      summary, of: resolved, plan: plan, reporter: reporter, results: folder,
      interruption: interruption)
    folder.save()
    recorder.finish(summary, code: code)
    if code != 0 { throw ExitCode(code) }
    guard let identity else { return }
    var rows = reporter.rows(in: plan)
    for index in rows.indices { rows[index].state = "hit" }
    let table = rows.count > Self.shownHits ? [] : parts(rows, of: resolved).report().table
    FinishedRun(
      pipeline: resolved, stages: plan.entries.map(\.stage.name), records: summary.records,
      results: folder, store: store, variables: variables.all
    ).save(table, for: identity)
  }

  /// Nil where the run has more to do, or to say, than is worth remembering.
  private var identity: RunIdentity? {
    guard !dryRun, !json, selection.force.isEmpty else { return nil }
    let fields = pipeline.fields
    let words =
      [pipeline.path, fields.dataFolder, results, store.store] + ["--set"] + fields.set
      + ["--"] + selection.stages + ["--from"] + selection.from + ["--until"] + selection.until
    return RunIdentity(store: store.store, words: words)
  }

  /// Says what an earlier run of the same command found where nothing has changed since; false
  /// where something has.
  private func tellUnchanged(_ identity: RunIdentity) throws -> Bool {
    guard Files.exists(identity.path) else { return false }
    let use = try Store.use(existing: identity.store)
    defer { use.release() }
    guard let past = UnchangedRun(of: identity) else { return false }
    try past.record(in: identity.store)
    if past.count > Self.shownHits { Console.out("\(past.count) stages were there already") }
    show(past.table) { _ in "hit" }
    Console.out("results: \(results)/\(past.pipeline)/report.md, summary.csv")
    return true
  }

  /// `$SHIFTWORK_WORKER` runs the stages where it is set: another build, or a test's.
  static func runner() throws -> ProcessRunner {
    if let worker = Environment["SHIFTWORK_WORKER"] { return ProcessRunner(worker: worker) }
    return try ProcessRunner.beside()
  }

  /// More stages than this that were there already are counted, not listed.
  private static let shownHits = 40

  private static var machineMemoryGB: Double {
    let (pages, size) = (sysconf(Int32(_SC_PHYS_PAGES)), sysconf(Int32(_SC_PAGESIZE)))
    return pages > 0 && size > 0 ? Double(pages) * Double(size) / 1e9 : .infinity
  }

  private func end(
    _ summary: RunSummary, of resolved: ResolvedPipeline, plan: Plan, reporter: RunReporter,
    results folder: ResultsFolder, interruption: Interruption
  ) -> Int32 {
    let parts = parts(reporter.rows(in: plan), of: resolved)
    var code = summary.exitCode
    var isWritten = false
    if interruption.happened, !summary.records.keys.isSuperset(of: plan.entries.map(\.stage.name)) {
      code = 130
    }
    if code != 130 {
      do {
        let identity = parts.identity
        if !folder.hasReport(identity) {
          try folder.write(parts.report().files, identity: identity)
        }
        isWritten = true
      } catch {
        Console.error("error: the report was not written: \(error)")
        code = max(code, Exit.failed)
      }
    }
    if !reporter.troubles.isEmpty { code = max(code, Exit.failed) }
    if !json {
      show(parts)
      if isWritten { Console.out("results: \(folder.path)/report.md, summary.csv") }
    }
    if code == 130 {
      Console.error(
        "interrupted: finished stages and trials are kept, and the same command goes on")
    }
    return code
  }

  /// The table, without what only was there already where that is much.
  private func show(_ parts: ReportParts) {
    var parts = parts
    let hits = parts.rows.count { $0.state == "hit" }
    if hits > Self.shownHits {
      parts.rows.removeAll { $0.state == "hit" }
      Console.out("\(hits) stages were there already")
    }
    guard !parts.rows.isEmpty else { return }
    show(parts.report().table) { parts.rows[$0].state }
  }

  /// - Parameter state: of the stage of a line below the header.
  private func show(_ table: [String], state: (Int) -> String) {
    guard !table.isEmpty else { return }
    let style = Style(isColored: color.applies(to: STDOUT_FILENO))
    let lines = table.enumerated().map { index, line in
      if index == 0 { return style.bold(line) }
      switch state(index - 1) {
      case "failed", "interrupted": return style.red(line)
      case "hit", "skipped": return style.dim(line)
      default: return line
      }
    }
    Console.out(lines.joined(separator: "\n"))
  }

  private func parts(_ rows: [ReportRow], of resolved: ResolvedPipeline) -> ReportParts {
    ReportParts(pipeline: resolved.name, experiment: resolved.experiment, rows: rows)
  }
}

extension Dictionary.Keys where Key: Hashable {
  fileprivate func isSuperset(of names: [Key]) -> Bool { names.allSatisfy(contains) }
}
