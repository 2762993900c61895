//! `data get`: downloads data sets, and goes on where a download was broken off.

import ArgumentParser
import Catalogue
import Downloads
import Files
import Glibc
import Pipeline
import Synchronization

struct DataGetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get",
    abstract: "Download a data set's official archives, check them, and unpack them in place.",
    discussion: """
      Broken off at any point, the same command goes on. An archive is unpacked beside its place \
      and moved there when it is whole; what lies there already is never touched.
      """)

  @Argument(help: "Data sets to fetch; `shiftwork data` lists them.")
  var names: [String]

  @Option(
    help: ArgumentHelp(
      "Fetch the archives from below this URL, a mirror, by their file names.", valueName: "url"))
  var url: String?

  @Option(
    help: ArgumentHelp("Attempts without a new byte before it gives up.", valueName: "n"))
  var retries = 4

  @Flag(help: "Keep the archives in DIR/.downloads after they are unpacked.")
  var keepArchives = false

  @OptionGroup var options: DataOptions

  func validate() throws {
    if let url, !url.hasPrefix("http://"), !url.hasPrefix("https://") {
      throw ValidationError("--url takes an http or https URL")
    }
    guard 0...100 ~= retries else { throw ValidationError("--retries takes 0 to 100") }
    guard !names.isEmpty else { throw ValidationError("name a data set") }
  }

  func run() async throws {
    let sets = try options.sets(named: names)
    // A limit on files' sizes is then an error of the write, which is reported.
    signal(SIGXFSZ, SIG_IGN)
    let display = DataProgress()
    var downloader = Downloader(data: options.folder, runner: try RunCommand.runner()) {
      display.receive($0)
    }
    downloader.mirror = url
    downloader.retries = retries
    downloader.keepsArchives = keepArchives
    try await DataWork.run { [downloader] in
      for set in sets { try await downloader.get(set) }
    } finally: {
      display.clear()
    }
    for set in sets {
      let inventory = try Inventory(of: set, in: options.folder)
      Console.out("\(set.name): \(DataText.size(inventory.bytes)) in \(options.folder)")
      Console.out("  licence   \(set.license)")
      Console.out("  cite      \(set.citation)")
    }
  }
}

/// Work that a signal ends in order, and whose failure is one line and an exit code.
enum DataWork {
  static func run(
    _ body: @escaping @Sendable () async throws -> Void, finally: () -> Void
  ) async throws {
    let interruption = Interruption()
    let task = Task { try await body() }
    interruption.onSignal { task.cancel() }
    let result = await task.result
    finally()
    switch result {
    case .success: return
    case .failure(let error):
      if interruption.happened || error is CancellationError {
        Console.error("interrupted: what is done is kept, and the same command goes on")
        throw ExitCode(130)
      }
      if case PipelineError.stageFailed(let message) = error {
        Console.error("error: \(message)")
      } else {
        Console.error("error: \(error)")
      }
      throw ExitCode(Exit.failed)
    }
  }
}

/// One line that changes on a terminal; elsewhere a line where something ends.
final class DataProgress: Sendable {
  private struct State {
    var drawnAt: ContinuousClock.Instant?
    var startedAt: (file: String, bytes: Int, time: ContinuousClock.Instant)?
  }

  private let isOn = Console.isTerminal(STDOUT_FILENO)
  private let state = Mutex(State())

  func receive(_ event: DownloadEvent) {
    switch event {
    case .present(let target): say("\(target): is there")
    case .placed(let target): say("\(target): done")
    case .unchecked(let file): say("\(file): no published checksum to compare it with")
    case .downloading(let file, let bytes, let total):
      draw(downloading(file, bytes, total))
    case .checking(let file, let bytes): draw("\(file)  checksum of \(DataText.size(bytes))")
    case .unpacking(let file, let message): draw("\(file)  unpacking  \(message)")
    }
  }

  private func downloading(_ file: String, _ bytes: Int, _ total: Int?) -> String {
    let now = ContinuousClock.now
    let start = state.withLock { state in
      if state.startedAt?.file != file { state.startedAt = (file, bytes, now) }
      return state.startedAt ?? (file, bytes, now)
    }
    var text = "\(file)  \(DataText.size(bytes))" + (total.map { " of \(DataText.size($0))" } ?? "")
    let seconds = (now - start.time) / .seconds(1)
    guard seconds > 0.5, bytes > start.bytes else { return text }
    let rate = Double(bytes - start.bytes) / seconds
    text += "  \(DataText.size(Int(rate)))/s"
    if let total { text += "  \(Text.duration(Double(total - bytes) / rate)) left" }
    return text
  }

  private func say(_ line: String) {
    clear()
    Console.out(line)
  }

  func clear() {
    let isDrawn = state.withLock { state in
      defer { state.drawnAt = nil }
      return state.drawnAt != nil
    }
    if isDrawn { Console.write("\r\u{1B}[K", to: STDOUT_FILENO) }
  }

  func draw(_ line: String) {
    guard isOn else { return }
    let now = ContinuousClock.now
    let isDue = state.withLock { state in
      if let last = state.drawnAt, now - last < .milliseconds(100) { return false }
      state.drawnAt = now
      return true
    }
    // Terminals are slow, eyes too.
    if isDue { Console.write("\r\(line.prefix(LiveLine.columns - 1))\u{1B}[K", to: STDOUT_FILENO) }
  }
}
