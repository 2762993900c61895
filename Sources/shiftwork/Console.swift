//! The two streams: whole lines, colours only where they are wanted. Knows no stage.

import ArgumentParser
import Diagnostics
import Glibc

/// When output is coloured.
enum ColorChoice: String, ExpressibleByArgument, CaseIterable {
  case auto, always, never

  /// Whether a stream gets colours; NO_COLOR counts unless the user says `always`.
  func applies(to stream: Int32) -> Bool {
    switch self {
    case .always: return true
    case .never: return false
    case .auto:
      let refuses = getenv("NO_COLOR").map { $0.pointee != 0 } ?? false
      return !refuses && Console.isTerminal(stream)
    }
  }
}

enum Console {
  static func isTerminal(_ stream: Int32) -> Bool {
    guard isatty(stream) == 1 else { return false }
    return getenv("TERM").map { strcmp($0, "dumb") != 0 } ?? true
  }

  static func out(_ line: String) { write(line + "\n", to: STDOUT_FILENO) }

  static func error(_ line: String) { write(line + "\n", to: STDERR_FILENO) }

  /// Diagnostics go to standard error, errors counted at the end when there are several.
  static func show(_ diagnostics: [Diagnostic], color: ColorChoice = .auto) {
    guard !diagnostics.isEmpty else { return }
    let renderer = DiagnosticRenderer(color: color.applies(to: STDERR_FILENO))
    var text = renderer.render(diagnostics)
    while text.hasSuffix("\n") { text.removeLast() }
    error(text)
  }

  /// Writes all of `text` in as few calls as the system allows, so that lines stay whole.
  static func write(_ text: String, to stream: Int32) {
    var text = text
    text.withUTF8 { write(UnsafeRawBufferPointer($0), to: stream) }
  }

  static func write(_ bytes: UnsafeRawBufferPointer, to stream: Int32) {
    var done = 0
    while done < bytes.count {
      let count = Glibc.write(stream, bytes.baseAddress.map { $0 + done }, bytes.count - done)
      if count < 0 {
        if errno == EINTR || errno == EAGAIN { continue }
        return
      }
      done += count
    }
  }
}

/// Many lines for standard output, in few writes.
struct BufferedOutput {
  private var text = ""

  mutating func add(_ line: String) {
    text += line
    text += "\n"
    if text.utf8.count > 1 << 16 { flush() }
  }

  mutating func flush() {
    Console.write(text, to: STDOUT_FILENO)
    text.removeAll(keepingCapacity: true)
  }
}

/// Escape codes, or nothing.
struct Style {
  var isColored: Bool

  func green(_ text: String) -> String { paint(text, "32") }
  func red(_ text: String) -> String { paint(text, "31") }
  func yellow(_ text: String) -> String { paint(text, "33") }
  func dim(_ text: String) -> String { paint(text, "2") }
  func bold(_ text: String) -> String { paint(text, "1") }

  private func paint(_ text: String, _ code: String) -> String {
    isColored ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }
}
