//! The tools that the runner's benchmark compares, and how each is called. Knows no time.

/// Who runs the workload.
enum RunnerTool: String, CaseIterable {
  /// A bare loop: xargs over the chains' lines. It knows nothing of what is done already.
  case loop
  case shiftwork, ninja, snakemake, dvc

  /// Whether it can run several stages at once.
  var isParallel: Bool { self != .dvc }

  /// Whether it can tell what need not run again.
  var remembers: Bool { self != .loop }

  /// Prints its version.
  func version(shiftwork: String) -> [String]? {
    switch self {
    case .loop: nil
    case .shiftwork: [shiftwork, "--version"]
    case .ninja, .snakemake, .dvc: [rawValue, "--version"]
    }
  }

  /// What must run once in a new folder, before it counts.
  var preparation: [String]? {
    self == .dvc ? ["dvc", "init", "--quiet", "--no-scm"] : nil
  }

  /// Runs everything that is missing, `jobs` stages at once.
  func run(jobs: Int, shiftwork: String) -> [String] {
    switch self {
    case .loop:
      ["sh", "-c", "xargs -P\(jobs) -d'\\n' -I{} sh -c '{}' <chains.txt && sh summary.sh"]
    case .shiftwork: [shiftwork, "run", "pipeline.yaml", "-j\(jobs)"]
    case .ninja: ["ninja", "-j\(jobs)", "--quiet"]
    // Its own greedy scheduler: the default one solves an integer program for each choice.
    case .snakemake:
      ["snakemake", "--cores", "\(jobs)", "--quiet", "all", "--scheduler", "greedy"]
    case .dvc: ["dvc", "repro", "--quiet"]
    }
  }
}
