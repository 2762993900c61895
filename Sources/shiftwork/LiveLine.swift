//! The line on a terminal that changes while stages run. Knows no scheduler.

import Glibc
import Pipeline

/// One line that is redrawn in place; off, it only lets whole lines through.
struct LiveLine {
  let isOn: Bool
  private var running: [(stage: String, progress: StageEvent.Progress)] = []
  private var isDrawn = false
  private var drawnAt = timespec()

  init(isOn: Bool) { self.isOn = isOn }

  mutating func start(_ stage: String, kind: String) {
    running.append((stage, StageEvent.Progress()))
    draw()
  }

  mutating func update(_ stage: String, _ progress: StageEvent.Progress) {
    guard let index = running.firstIndex(where: { $0.stage == stage }) else { return }
    running[index].progress = progress
    // Terminals are slow, eyes too.
    if secondsSinceDrawn > 0.05 { draw() }
  }

  mutating func finish(_ stage: String) {
    running.removeAll { $0.stage == stage }
    draw()
  }

  /// A whole line that stays.
  mutating func say(_ line: String) {
    clear()
    Console.out(line)
    draw()
  }

  mutating func clear() {
    guard isDrawn else { return }
    Console.write("\r\u{1B}[K", to: STDOUT_FILENO)
    isDrawn = false
  }

  mutating func draw() {
    guard isOn else { return }
    guard !running.isEmpty else {
      clear()
      return
    }
    let parts = running.map { "\($0.stage)  \(Self.text($0.progress))" }
    let text = parts.joined(separator: "   |   ")
    Console.write("\r\(text.prefix(Self.columns - 1))\u{1B}[K", to: STDOUT_FILENO)
    isDrawn = true
    clock_gettime(CLOCK_MONOTONIC, &drawnAt)
  }

  /// `epoch 3/10  812 samples/s  41 s left`
  static func text(_ progress: StageEvent.Progress) -> String {
    var parts: [String] = []
    if let message = progress.message { parts.append(message) }
    if let epoch = progress.epoch {
      parts.append("epoch \(epoch)" + (progress.epochs.map { "/\($0)" } ?? ""))
    }
    if let rate = progress.samplesPerSecond { parts.append("\(Text.fixed(rate, 0)) samples/s") }
    if let left = progress.secondsLeft { parts.append("\(Text.duration(left)) left") }
    return parts.isEmpty ? "running" : parts.joined(separator: "  ")
  }

  private var secondsSinceDrawn: Double {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Double(now.tv_sec - drawnAt.tv_sec) + Double(now.tv_nsec - drawnAt.tv_nsec) / 1e9
  }

  static var columns: Int {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 20 else { return 80 }
    return Int(size.ws_col)
  }
}
