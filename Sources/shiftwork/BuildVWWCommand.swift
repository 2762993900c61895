//! `data build-vww`: visual wake words from COCO. The worker does the work.

import ArgumentParser
import Catalogue
import Experiments
import Files
import Pipeline
import Synchronization

struct BuildVWWCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "build-vww",
    abstract: "Build visual wake words, 96x96, from COCO's images and annotations.",
    discussion: """
      An image is `person` where the box of a person, crowds left out, covers more than the \
      threshold of it, `non_person` where there is no such box, and left out where all persons are \
      smaller. The whole image is made 96x96 with anti-aliasing and stored as RGB JPEG. Killed at \
      any point, the same command goes on.
      """)

  @Option(
    help: ArgumentHelp(
      "Has annotations/instances_SPLIT.json and SPLIT/ (default: DATA/coco2014).",
      valueName: "dir"))
  var coco: String?

  @Option(help: ArgumentHelp("The result (default: DATA/vw_coco2014_96).", valueName: "dir"))
  var output: String?

  @Option(
    help: ArgumentHelp(
      "The share of an image that a person's box must exceed; MLPerf Tiny's is 0.025.",
      valueName: "share"))
  var threshold = 0.025

  @Option(help: ArgumentHelp("The JPEGs' quality, 1 to 100.", valueName: "q"))
  var quality = 99

  @Option(
    name: [.customShort("j", allowingJoined: true), .long],
    help: ArgumentHelp("Images at once (default: the cores).", valueName: "n"))
  var jobs: Int?

  @Option(
    help: ArgumentHelp(
      "The folder of all data sets (default: $SHIFTWORK_DATA, else data).", valueName: "dir"))
  var data: String?

  func validate() throws {
    guard 0..<1 ~= threshold else { throw ValidationError("--threshold takes 0 to below 1") }
    guard 1...100 ~= quality else { throw ValidationError("--quality takes 1 to 100") }
    if let jobs, !(1...1024 ~= jobs) { throw ValidationError("-j takes 1 to 1024") }
  }

  func run() async throws {
    let data = data ?? Environment["SHIFTWORK_DATA"] ?? "data"
    let coco = coco ?? data + "/coco2014"
    let output = output ?? data + "/vw_coco2014_96"
    guard Files.isDirectory(coco) else {
      Console.error("error: \(coco): no such folder; `shiftwork data get coco2014` fetches it")
      throw ExitCode(Exit.failed)
    }
    try Files.createDirectories(output)
    let task = StageTask(
      name: "build-vww", kind: Chore.buildVisualWakeWords.rawValue, version: 1,
      fields: try JSONValue(
        encoding: BuildVisualWakeWordsFields(
          threshold: threshold, quality: quality, threads: jobs ?? Processor.cores)),
      inputs: [Chore.coco: coco, Chore.result: output], output: output + "/.build",
      checkpoint: "", store: "", unkeyed: .object([:]), log: output + "/.build.log")
    let runner = try RunCommand.runner()
    let display = DataProgress()
    let metrics = Mutex(JSONValue.null)
    try await DataWork.run {
      let outcome = try await runner.run(task) { event in
        if case .progress(let progress) = event { display.draw(LiveLine.text(progress)) }
      }
      metrics.withLock { $0 = outcome.metrics }
    } finally: {
      display.clear()
      try? Files.remove(task.log)
    }
    let counts = metrics.withLock { $0 }
    func count(_ name: String) -> String {
      if case .int(let value)? = counts[name] { "\(value)" } else { "?" }
    }
    Console.out(
      "\(output): \(count("person")) person, \(count("non_person")) non_person, "
        + "\(count("skipped")) left out; \(count("made")) made now")
  }
}
