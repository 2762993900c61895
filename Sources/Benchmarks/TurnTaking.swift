//! Two measurements by turns: both processes are alive, one takes steps while the other sleeps. Knows
//! neither what they measure nor how long they may.

import CKernels
import Glibc
import Subprocess
import SystemPackage

/// A process that prints `ready` once it is warm, takes a stretch of steps for each line that it
/// reads and prints `ready` again, and prints its figures when its input ends.
private struct Partner {
  private let title: String
  private let input: StandardInputWriter
  private var lines: SubprocessOutputSequence.StringSequence<UTF8>.AsyncIterator

  init(
    _ title: String, _ process: Execution<CustomWriteInput, SequenceOutput, StringOutput<UTF8>>
  ) {
    self.title = title
    input = process.standardInputWriter
    lines = process.standardOutput.strings().makeAsyncIterator()
  }

  /// false: it has ended.
  mutating func isReady() async throws -> Bool {
    while let line = try await nextLine() {
      if line == "ready" { return true }
    }
    return false
  }

  private mutating func nextLine() async throws -> String? {
    do {
      return try await lines.next()
    } catch let error as SubprocessError {
      throw MeasurementError.ended(what: title, how: "could not be read", said: "\(error)")
    }
  }

  mutating func takeTurn() async throws -> Bool {
    guard (try? await input.write("turn\n")) != nil else { return false }
    return try await isReady()
  }

  mutating func figures(called name: String) async throws -> Figures? {
    try? await input.finish()
    var figures: Figures?
    while let line = try await nextLine() {
      figures = figures ?? Figures(line: line, title: name)
    }
    return figures
  }
}

/// A measurement and the way to start it, which is asked for when it is.
struct TurnTaker: Sendable {
  var measurement: Measurement
  var command: @Sendable () -> (program: String, arguments: [String])
}

enum TurnTaking {
  /// Starts `first`, after its first step `second`, and lets them take so many turns each.
  ///
  /// - Returns: the figures of both, with the median of the hand-overs between the turns; the second's
  ///   error where it alone failed.
  static func run(
    _ first: TurnTaker, _ second: TurnTaker, turns: Int
  ) async throws -> (first: Figures, second: Result<Figures, MeasurementError>) {
    // A partner that ended early is found by what it no longer says.
    let action = signal(SIGPIPE, SIG_IGN)
    defer { signal(SIGPIPE, action) }
    var others: Result<Figures, MeasurementError>?
    let figures = try await with(first) { one in
      guard try await one.isReady() else { return [] }
      var handovers: [Double] = []
      do {
        others = .success(
          try await with(second) { other in
            guard try await other.isReady() else { return [] }
            while handovers.count < turns {
              // A host may move a machine's processors at any time, to and from a common cache.
              handovers.append(ck_handover())
              guard try await one.takeTurn(), try await other.takeTurn() else { break }
            }
            return handovers
          })
      } catch let error as MeasurementError {
        others = .failure(error)
        // Ours need not be lost.
        while handovers.count < turns {
          handovers.append(ck_handover())
          guard try await one.takeTurn() else { break }
        }
      }
      return handovers
    }
    guard let others else {
      throw MeasurementError.noFigures(what: first.measurement.title, said: "")
    }
    return (figures, others)
  }

  /// What a partner's process prints at the end; `body` returns the hand-overs that it saw.
  private static func with(
    _ taker: TurnTaker, _ body: (inout Partner) async throws -> [Double]
  ) async throws -> Figures {
    let (program, arguments) = taker.command()
    let title = taker.measurement.title
    do {
      let result = try await Subprocess.run(
        .path(FilePath(program)), arguments: Arguments(arguments),
        environment: MeasurementRunner.environment,
        platformOptions: MeasurementRunner.platformOptions, input: .inputWriter,
        output: .sequence, error: .string(limit: MeasurementRunner.outputLimit)
      ) { process -> Figures? in
        var partner = Partner(title, process)
        let handovers = try await body(&partner)
        var figures = try await partner.figures(called: taker.measurement.name)
        if !handovers.isEmpty { figures?.add("handover_ns", handovers.median) }
        return figures
      }
      try MeasurementRunner.check(result.terminationStatus, of: title, error: result.standardError)
      guard let figures = result.closureResult else {
        throw MeasurementError.noFigures(
          what: title, said: MeasurementRunner.lastLine(result.standardError))
      }
      return figures
    } catch let error as SubprocessError {
      throw MeasurementError.notStarted(program: program, why: "\(error)")
    }
  }
}
