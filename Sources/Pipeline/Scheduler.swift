//! Runs a plan: which stage next, within the machine's cores and memory; knows neither processes nor prose.

import Files

/// Runs what a plan says, as much at once as is allowed.
///
/// One task decides; stages run in its children. Cancelling it ends them, and what had finished
/// stays: the same plan made again goes on from there.
package struct Scheduler: Sendable {
  package struct Options: Hashable, Sendable {
    /// Stages at once.
    package var jobs: Int
    /// Cores that stages may take together; a stage that declares more runs alone.
    package var cores: Int
    /// Memory that stages may take together; a stage that declares more runs alone.
    package var memoryGB: Double
    /// How often any stage is tried again, unless it says more itself.
    package var retries: Int
    /// Whether what does not need a failed stage goes on.
    package var keepsGoing: Bool

    package init(
      jobs: Int = 1, cores: Int = 1, memoryGB: Double = .infinity, retries: Int = 0,
      keepsGoing: Bool = false
    ) {
      self.memoryGB = max(0, memoryGB)
      self.retries = max(0, retries)
      self.jobs = max(1, jobs)
      self.cores = max(1, cores)
      self.keepsGoing = keepsGoing
    }
  }

  let store: Store
  let runner: any StageRunner
  let options: Options
  let observer: @Sendable (SchedulerEvent) -> Void

  /// `observer` is called from several threads, one stage's events always in order.
  package init(
    store: Store, runner: any StageRunner, options: Options = Options(),
    observer: @escaping @Sendable (SchedulerEvent) -> Void = { _ in }
  ) {
    self.store = store
    self.runner = runner
    self.options = options
    self.observer = observer
  }

  /// Brings every stage of `plan` to its end, or says why not. Never throws: faults are in the
  /// summary, stage by stage.
  package func run(_ plan: Plan) async -> RunSummary {
    let syncer = Syncer(store: store)
    let summary = await withTaskGroup(of: Attempt.self) { group in
      var run = SchedulerRun(scheduler: self, plan: plan)
      run.begin()
      while true {
        for job in run.nextJobs() {
          group.addTask { await job.perform() }
        }
        guard let attempt = await group.next() else { break }
        if case .ran(let record, _) = attempt.outcome { await syncer.published(record) }
        run.take(attempt)
      }
      return run.finish()
    }
    await syncer.finish()
    return summary
  }
}

/// The state of one run, changed by one task alone.
struct SchedulerRun {
  private let scheduler: Scheduler
  private let plan: Plan
  private var summary = RunSummary()
  /// By stage, the number of producers that are not settled.
  private var missing: [Int]
  private var records: [Record?]
  /// By stage, the producer whose failure keeps it from running.
  private var obstacles: [String?]
  private var contentKeys: [Digest?]
  private var isSettled: [Bool]
  private var ready = IndexQueue()
  /// Stages that wait for another one with the same key in this very run.
  private var parked: [Digest: [Int]] = [:]
  private var running = 0
  private var freeCores: Int
  private var freeMemory: Double
  /// Keys that this very run has brought out: being forced does not run them twice.
  private var made: Set<Digest> = []
  private let stop = StopFlag()
  /// Stages whose last producer was just settled.
  private var woken: [Int] = []
  private var isWaking = false
  /// How many stages that do not fit now are passed over for one that does.
  private static let lookAhead = 100

  init(scheduler: Scheduler, plan: Plan) {
    self.scheduler = scheduler
    self.plan = plan
    let count = plan.entries.count
    missing = plan.graph.producers.map(\.count)
    records = Array(repeating: nil, count: count)
    obstacles = Array(repeating: nil, count: count)
    contentKeys = plan.entries.map(\.contentKey)
    isSettled = Array(repeating: false, count: count)
    freeCores = scheduler.options.cores
    freeMemory = scheduler.options.memoryGB
  }

  /// Settles what the plan found in the store and all that follows from it.
  mutating func begin() {
    // The others follow from these.
    for index in plan.entries.indices where plan.graph.producers[index].isEmpty {
      consider(index)
    }
  }

  /// What to start now, within the limits.
  mutating func nextJobs() -> [Job] {
    if Task.isCancelled { stop.set() }
    var jobs: [Job] = []
    var setAside: [Int] = []
    while !stop.isSet, running < scheduler.options.jobs, freeCores > 0,
      setAside.count < Self.lookAhead, let index = ready.popFirst()
    {
      guard let key = contentKeys[index] else { preconditionFailure("a ready stage without key") }
      guard cores(of: index) <= freeCores, memory(of: index) <= freeMemory else {
        setAside.append(index)
        continue
      }
      if parked[key] != nil {
        parked[key]?.append(index)
        continue
      }
      do {
        let lock = try scheduler.store.tryLock(key)
        parked[key] = []
        if lock != nil {
          running += 1
          freeCores -= cores(of: index)
          freeMemory -= memory(of: index)
        } else {
          emit(.waiting, for: index)
        }
        jobs.append(job(index, key: key, lock: lock))
      } catch {
        fail(index, StageFailure(stage: plan.entries[index].stage.name, cause: error))
      }
    }
    for index in setAside { ready.insert(index) }
    return jobs
  }

  /// Takes in how an attempt ended, and lets go what waited for it.
  mutating func take(_ attempt: Attempt) {
    let index = attempt.index
    if attempt.heldLock {
      running -= 1
      freeCores += cores(of: index)
      // Sums of fractions do not come back to where they began.
      freeMemory = running == 0 ? scheduler.options.memoryGB : freeMemory + memory(of: index)
    }
    let waiting = parked.removeValue(forKey: attempt.key) ?? []
    switch attempt.outcome {
    case .found(let record): settle(index, as: record, isCutoff: true)
    case .ran(let record, let isUnlikeBefore):
      summary.ran.append(plan.entries[index].stage.name)
      made.insert(attempt.key)
      emit(.done(record, isUnlikeBefore: isUnlikeBefore), for: index)
      succeed(index, record)
    case .failed(let failure): fail(index, failure)
    case .interrupted:
      stop.set()
      summary.isInterrupted = true
      isSettled[index] = true
      emit(.interrupted, for: index)
    case .lockIsFree: consider(index)
    }
    for index in waiting { consider(index) }
  }

  /// What was not reached is skipped.
  mutating func finish() -> RunSummary {
    if Task.isCancelled, isSettled.contains(false) { summary.isInterrupted = true }
    for index in plan.entries.indices where !isSettled[index] {
      summary.skipped.append(plan.entries[index].stage.name)
      emit(.skipped(because: obstacles[index]), for: index)
    }
    return summary
  }
}

extension SchedulerRun {
  /// Decides on a stage whose producers are settled.
  private mutating func consider(_ index: Int) {
    let entry = plan.entries[index]
    if case .hit(let record) = entry.state {
      settle(index, as: record, isCutoff: false)
      return
    }
    let key = contentKeys[index] ?? StageKeys(entry.stage).key(inputs: inputs(of: index))
    contentKeys[index] = key
    do {
      if !entry.isForced || made.contains(key),
        case .usable(let record) = try scheduler.store.lookup(key)
      {
        settle(index, as: record, isCutoff: true)
      } else {
        ready.insert(index)
      }
    } catch {
      fail(index, StageFailure(stage: entry.stage.name, cause: error))
    }
  }

  private mutating func settle(_ index: Int, as record: Record, isCutoff: Bool) {
    let entry = plan.entries[index]
    if !scheduler.store.knows(entry.planKey) {
      // Only a convenience for those who ask by plan key; the content key found it.
      try? scheduler.store.alias(record, keys: keys(of: index), name: entry.stage.name)
    }
    summary.hits.append(entry.stage.name)
    emit(.hit(record, isCutoff: isCutoff), for: index)
    succeed(index, record)
  }

  private mutating func succeed(_ index: Int, _ record: Record) {
    isSettled[index] = true
    records[index] = record
    summary.records[plan.entries[index].stage.name] = record
    // A stack of our own: chains may be long.
    for consumer in plan.graph.consumers[index] {
      missing[consumer] -= 1
      if missing[consumer] == 0, obstacles[consumer] == nil { woken.append(consumer) }
    }
    guard !isWaking else { return }
    isWaking = true
    while let next = woken.popLast() { consider(next) }
    isWaking = false
  }

  private mutating func fail(_ index: Int, _ failure: StageFailure) {
    var failure = failure
    failure.location = failure.location ?? plan.entries[index].stage.location
    isSettled[index] = true
    summary.failures.append(failure)
    emit(.failed(failure), for: index)
    if !scheduler.options.keepsGoing { stop.set() }
    var queue = [index]
    while let producer = queue.popLast() {
      for consumer in plan.graph.consumers[producer] where obstacles[consumer] == nil {
        obstacles[consumer] = plan.entries[producer].stage.name
        queue.append(consumer)
      }
    }
  }

  private func cores(of index: Int) -> Int {
    min(max(1, plan.entries[index].stage.resources.cores), scheduler.options.cores)
  }

  private func memory(of index: Int) -> Double {
    min(max(0, plan.entries[index].stage.resources.memoryGB), scheduler.options.memoryGB)
  }

  private func keys(of index: Int) -> [Digest] {
    let entry = plan.entries[index]
    return [entry.planKey, contentKeys[index], entry.shapeKey].compactMap { $0 }
  }

  private func inputs(of index: Int) -> [String: InputReference] {
    var inputs = plan.entries[index].manifest.inputs
    for case (let role, .stage(let name, _)) in plan.entries[index].stage.inputs {
      guard let record = plan.graph.index(of: name).flatMap({ records[$0] }) else {
        preconditionFailure("a stage was considered before its producers")
      }
      inputs[role] = .artifact(record.artifact)
    }
    return inputs
  }

  private func job(_ index: Int, key: Digest, lock: HeldLock?) -> Job {
    let entry = plan.entries[index]
    var paths: [String: String] = [:]
    for (role, source) in entry.stage.inputs {
      switch source {
      case .file(let path, _): paths[role] = path
      case .stage(let name, _):
        paths[role] = plan.graph.index(of: name).flatMap { records[$0] }.map {
          scheduler.store.path(of: $0.artifact)
        }
      }
    }
    var manifest = entry.manifest
    manifest.inputs = inputs(of: index)
    return Job(
      index: index, stage: entry.stage, manifest: manifest, keys: keys(of: index), key: key,
      isForced: entry.isForced,
      retries: max(entry.stage.retries, scheduler.options.retries), inputs: paths, lock: lock,
      store: scheduler.store, runner: scheduler.runner, cores: cores(of: index),
      jobs: scheduler.options.jobs, stop: stop,
      report: { [observer = scheduler.observer] state in
        observer(
          SchedulerEvent(
            stage: entry.stage.name, kind: entry.stage.kind, planKey: entry.planKey,
            contentKey: key, state: state))
      })
  }

  private func emit(_ state: SchedulerEvent.State, for index: Int) {
    let entry = plan.entries[index]
    scheduler.observer(
      SchedulerEvent(
        stage: entry.stage.name, kind: entry.stage.kind, planKey: entry.planKey,
        contentKey: contentKeys[index], state: state))
  }
}
