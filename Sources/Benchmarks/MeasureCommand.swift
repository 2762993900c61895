//! One measurement in this process, printed as a line of figures. Knows no other measurement.

import ArgumentParser
import Files
import Glibc
import Networks
import Tensors
import Training

struct MeasureCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "measure",
    abstract: "Takes one measurement in this process: what `compare` starts, and a profiler may.")

  enum What: String, ExpressibleByArgument, CaseIterable {
    case step, inference, roofline, profile, layers, digest
  }

  @Argument(help: "What to measure.")
  var what: What

  @Argument(help: "The network.", completion: .list(Network.kinds))
  var network: String

  @Option(help: "Threads.")
  var threads = sysconf(Int32(_SC_NPROCESSORS_ONLN))

  @Option(help: "Seconds of steps.")
  var seconds = 5.0

  @Flag(
    help: """
      Print `ready` once warm, take steps for SECONDS for each line of the standard input, and print \
      the figures when that ends. Of `step` alone.
      """)
  var byTurns = false

  @Option(help: "Steps before the digest of the weights.")
  var steps = 50

  @Option(
    help: "When the process was started, in seconds of the monotonic clock. (default: now)")
  var started: Double?

  func run() throws {
    let start = started ?? Self.now()
    guard let network = Network.named(network) else {
      throw ValidationError("no network is called `\(self.network)`")
    }
    guard !byTurns || what == .step else {
      throw ValidationError("--by-turns is for `step` alone")
    }
    guard (1...1024).contains(threads), seconds > 0, steps > 0 else {
      throw ValidationError("--threads must be 1 to 1024, --seconds and --steps more than 0")
    }
    try OneDNN.configure(threads: threads, instructionSet: "avx512_core")
    let oneDNN = try OneDNN()
    if what == .digest {
      var training = try TrainingBench(network, on: oneDNN)
      for _ in 0..<steps { training.step() }
      Console.write("digest \(network.name) steps=\(steps) \(training.weightsDigest)")
      return
    }
    if what == .layers {
      for line in try LayerProfile(network, seconds: seconds, on: oneDNN).lines {
        Console.write(line)
      }
      return
    }
    let figures =
      switch what {
      case .step:
        try Self.step(network, start: start, seconds: seconds, byTurns: byTurns, on: oneDNN)
      case .inference: try Self.inference(network, seconds: seconds, on: oneDNN)
      case .roofline: try Self.roofline(network, on: oneDNN)
      case .profile, .layers, .digest: try Self.profile(network, seconds: seconds, on: oneDNN)
      }
    Console.write(figures.line(what.rawValue))
  }

  /// The memory is the peak before anything else but steps ran.
  private static func step(
    _ network: Network, start: Double, seconds: Double, byTurns: Bool, on oneDNN: OneDNN
  ) throws -> Figures {
    var training = try TrainingBench(network, on: oneDNN)
    training.step()
    let first = now() - start
    let times =
      byTurns
      ? try Stopwatch.turns(seconds: seconds) { training.step() }
      : Stopwatch.times(seconds: seconds) { training.step() }
    let median = times.median
    return Figures([
      ("batch", Double(training.batch)), ("step_ms", median * 1e3),
      ("samples_per_s", Double(training.batch) / median), ("first_step_s", first),
      ("peak_mb", try peakMegabytes()), ("steps", Double(times.count)),
    ])
  }

  private static func inference(
    _ network: Network, seconds: Double, on oneDNN: OneDNN
  ) throws -> Figures {
    let bench = try InferenceBench(network, on: oneDNN)
    let median = Stopwatch.times(seconds: seconds) { bench.run() }.median
    return Figures([
      ("batch", Double(bench.batch)), ("inference_ms", median * 1e3),
      ("samples_per_s", Double(bench.batch) / median),
    ])
  }

  private static func roofline(_ network: Network, on oneDNN: OneDNN) throws -> Figures {
    let batch = TrainingBench.batch(of: network)
    let roofline = try Roofline(network, batch: batch, on: oneDNN)
    return Figures([
      ("batch", Double(batch)), ("roofline_ms", roofline.seconds * 1e3),
      ("plain_ms", roofline.plainSeconds * 1e3), ("blocked_ms", roofline.blockedSeconds * 1e3),
    ])
  }

  /// Milliseconds of a step by kind of operation and direction, median by median.
  private static func profile(
    _ network: Network, seconds: Double, on oneDNN: OneDNN
  ) throws -> Figures {
    var training = try TrainingBench(network, on: oneDNN)
    return Figures(
      training.profile(seconds: seconds).map { ($0.key, $0.value * 1e3) }
        .sorted { $0.0 < $1.0 })
  }

  /// Seconds of the clock that all processes share.
  static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  /// The most memory that this program has held; getrusage's number may be its parent's.
  private static func peakMegabytes() throws -> Double {
    let status = String(
      decoding: try Files.read("/proc/self/status", limit: 1 << 20), as: UTF8.self)
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    guard
      let kilobytes = line?.split(whereSeparator: \.isWhitespace).dropFirst().first
        .flatMap({ Double($0) })
    else { throw ValidationError("/proc/self/status does not tell the peak of memory") }
    return kilobytes / 1024
  }
}

enum Stopwatch {
  /// The times of `body`, called for about so many seconds, at least `least` times, after a warm-up.
  static func times(
    seconds: Double, least: Int = 5, warmUp: Int = 2, _ body: () -> Void
  ) -> [Double] {
    let clock = ContinuousClock()
    for _ in 0..<warmUp { body() }
    var times: [Double] = []
    var total = 0.0
    while total < seconds || times.count < least {
      let time = clock.measure(body) / .seconds(1)
      times.append(time)
      total += time
    }
    return times
  }

  /// The times of `body` in all turns of so many seconds: one for each line of the standard input,
  /// after each of which, and before the first, `ready` is printed. A turn's first call, which finds
  /// the caches full of another process's data, is not counted.
  static func turns(seconds: Double, _ body: () -> Void) throws -> [Double] {
    var times: [Double] = []
    for _ in 0..<2 { body() }
    Console.write("ready")
    while readLine() != nil {
      times += Self.times(seconds: seconds, least: 1, warmUp: 1, body)
      Console.write("ready")
    }
    guard !times.isEmpty else { throw ValidationError("the standard input has no line") }
    return times
  }
}
