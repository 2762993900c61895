//! The benchmark of the runner beside ninja, snakemake and DVC, round after round. Knows nothing of how
//! a time is taken.

import ArgumentParser
import Files
import Glibc

struct RunnerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runner",
    abstract: "Times starting up, running and running again, beside other tools.",
    discussion: """
      The workload is chains of five small shell scripts and one stage that reads all their ends, \
      written out for each tool in its own form. Executions are counted by the scripts themselves, \
      and a tool that runs too many or too few is an error. The floor is a bare loop over the same \
      scripts. Tools take turns, round after round, each on a fresh folder; a tool whose cold run \
      takes longer than half a minute has one round. DVC runs one stage at a time. At the end \
      shiftwork alone plans 100,000 stages and checks a sweep of 500 points.

      The table also goes to OUTPUT/runner.csv, every measurement to OUTPUT/runner_rounds.csv.
      """)

  @Option(help: "A virtual environment with dvc, snakemake and ninja; made where it is missing.")
  var tools = ".build/runners"

  @Option(help: "The program (default: the shiftwork beside this one).")
  var shiftwork: String?

  @Option(help: "Who takes part besides the loop and shiftwork.")
  var others = "ninja,snakemake,dvc"

  @Option(help: "Chains of five stages.")
  var chains = 200

  @Option(help: "Chains for DVC, whose cold run grows faster than the graph.")
  var dvcChains: Int?

  @Option(help: "Measurements of everything.")
  var rounds = 3

  @Option(help: "Runs of a start-up and of a run with nothing to do, in each round.")
  var repeats = 5

  @Option(help: "The folder for the CSV files.")
  var output = "results/bench"

  private static let packages = ["dvc==3.67.1", "snakemake==9.27.1", "ninja==1.13.2"]

  func validate() throws {
    guard (8...100_000).contains(chains), (8...100_000).contains(dvcChains ?? chains) else {
      throw ValidationError("--chains and --dvc-chains must be 8 to 100000")
    }
    guard (1...100).contains(rounds), (1...100).contains(repeats) else {
      throw ValidationError("--rounds and --repeats must be 1 to 100")
    }
    _ = try compared()
  }

  /// The tools in the table's order.
  private func compared() throws -> [RunnerTool] {
    let names = others.split(separator: ",").map(String.init)
    let found = try names.map { name in
      guard let tool = RunnerTool(rawValue: name), tool != .loop, tool != .shiftwork else {
        throw ValidationError("--others takes ninja, snakemake and dvc, not \(name)")
      }
      return tool
    }
    return [.loop, .shiftwork] + RunnerTool.allCases.filter(found.contains)
  }

  func run() throws {
    try Files.createDirectories(output)
    let folder = try Files.temporaryDirectory(in: "/tmp", prefix: "shiftwork-runner-")
    defer { try? Files.remove(folder) }
    let bench = RunnerBench(
      shiftwork: try program(), folder: folder, repeats: repeats,
      variables: variables(home: folder))
    let tools = try compared()
    if tools.contains(where: { $0 != .loop && $0 != .shiftwork }) { try makeTools(folder) }
    var all: [RunnerFigures] = []
    for tool in tools {
      for jobs in tool.isParallel ? [1, 2] : [1] {
        var figures = RunnerFigures(
          tool: tool, jobs: jobs, chains: tool == .dvc ? dvcChains ?? chains : chains)
        figures.version = try bench.version(of: tool)
        all.append(figures)
      }
    }
    for round in 1...rounds {
      for index in all.indices where round == 1 || !bench.isSlow(all[index]) {
        if let time = try bench.startUp(of: all[index].tool) {
          all[index].add(time, to: "startup_ms")
        }
        try bench.measure(&all[index])
      }
    }
    let scales = try RunnerScale.allCases.map { (scale: $0, seconds: try bench.measure($0)) }
    try report(all, scales)
  }

  /// The environment of every tool: its caches in a folder that goes, and nobody told.
  private func variables(home: String) -> [String: String] {
    let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
    return [
      "PATH": "\(absolute(tools))/bin:\(path)", "HOME": home, "LANG": "C.UTF-8",
      "XDG_CACHE_HOME": home + "/cache", "DVC_NO_ANALYTICS": "1",
      "DVC_SITE_CACHE_DIR": home + "/dvc", "DVC_GLOBAL_CONFIG_DIR": home + "/dvc",
      "DVC_SYSTEM_CONFIG_DIR": home + "/dvc",
    ]
  }

  private func program() throws -> String {
    if let shiftwork { return absolute(shiftwork) }
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = readlink("/proc/self/exe", &buffer, buffer.count)
    let own = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    let folder = own.lastIndex(of: "/").map { String(own[..<$0]) } ?? "."
    return folder + "/shiftwork"
  }

  private func absolute(_ path: String) -> String {
    guard !path.hasPrefix("/"), let current = getcwd(nil, 0) else { return path }
    defer { free(current) }
    return "\(String(cString: current))/\(path)"
  }

  private func makeTools(_ folder: String) throws {
    guard !Files.exists(tools + "/bin/ninja") else { return }
    Console.write("making \(tools): \(Self.packages.joined(separator: " "))")
    let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
    let place = absolute(tools)
    for words in [
      ["python3", "-m", "venv", place],
      [place + "/bin/pip", "install", "--quiet"] + Self.packages,
    ] {
      let process = try TimedProcess(words, in: folder, variables: ["PATH": path, "HOME": folder])
      guard process.code == 0 else {
        throw RunnerBenchError.failed(
          what: words.joined(separator: " "), code: process.code, said: process.said)
      }
    }
  }

  private func report(
    _ all: [RunnerFigures], _ scales: [(scale: RunnerScale, seconds: [Double])]
  ) throws {
    for line in RunnerTable.lines(all) + RunnerTable.lines(scales) { Console.write(line) }
    try Files.writeAtomically(RunnerTable.csv(all), to: output + "/runner.csv")
    try Files.writeAtomically(RunnerTable.roundsCSV(all, scales), to: output + "/runner_rounds.csv")
    Console.write("\(output)/runner.csv, \(output)/runner_rounds.csv")
  }
}
