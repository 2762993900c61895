//! The command `shiftwork-worker`: everything is `Stages.Worker`'s.

import Glibc
import Stages

@main enum WorkerCommand {
  static func main() { exit(Worker.main(CommandLine.arguments)) }
}
