//! libyaml's parser as a stream of events with places. Builds nothing.

import CYAML
import Diagnostics

/// One event, copied out of libyaml's memory.
struct Event {
  enum Kind {
    case streamStart, streamEnd, documentStart, documentEnd, alias, scalar
    case sequenceStart, sequenceEnd, mappingStart, mappingEnd
  }

  var kind: Kind
  var location: SourceLocation
  /// Characters of the token where it stays on one line.
  var length: Int
  var text = ""
  var tag: String?
  var anchor: String?
  var isPlain = false
}

/// A text that libyaml cannot read on.
struct SyntaxFault: Error {
  var message: String
  var location: SourceLocation
  var suggestion: String?
}

/// The events of one text, which is kept alive while it is read.
final class EventStream {
  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private let input: UnsafeMutableBufferPointer<UInt8>
  /// Of the text itself, which is a part of what its user sees where it is an override's value.
  private let text: SourceText
  private let end: SourceLocation
  private let locate: (_ line: Int, _ column: Int) -> SourceLocation

  /// - Parameter locate: a place, counted from 0, in what the user sees.
  init(_ bytes: [UInt8], locate: @escaping (_ line: Int, _ column: Int) -> SourceLocation) {
    self.locate = locate
    text = SourceText(file: "", bytes: bytes)
    end = text.end()
    parser = .allocate(capacity: 1)
    // One byte more than needed: libyaml wants an address for an empty text as well.
    input = .allocate(capacity: bytes.count + 1)
    _ = input.initialize(from: bytes + [0])
    guard yaml_parser_initialize(parser) == 1 else { preconditionFailure("libyaml has no memory") }
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    yaml_parser_set_input_string(parser, UnsafePointer(input.baseAddress), bytes.count)
  }

  deinit {
    yaml_parser_delete(parser)
    parser.deallocate()
    input.deallocate()
  }

  func next() throws(SyntaxFault) -> Event {
    var raw = yaml_event_t()
    guard yaml_parser_parse(parser, &raw) == 1 else { throw fault() }
    defer { yaml_event_delete(&raw) }
    let isOneLine = raw.start_mark.line == raw.end_mark.line
    var event = Event(
      kind: .streamEnd, location: location(raw.start_mark),
      length: isOneLine ? max(1, raw.end_mark.column - raw.start_mark.column) : 1)
    switch raw.type {
    case YAML_STREAM_START_EVENT: event.kind = .streamStart
    case YAML_DOCUMENT_START_EVENT: event.kind = .documentStart
    case YAML_DOCUMENT_END_EVENT: event.kind = .documentEnd
    case YAML_ALIAS_EVENT:
      event.kind = .alias
      event.anchor = Self.string(raw.data.alias.anchor)
    case YAML_SCALAR_EVENT:
      let scalar = raw.data.scalar
      event.kind = .scalar
      event.text = String(
        decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
      event.tag = Self.string(scalar.tag)
      event.anchor = Self.string(scalar.anchor)
      event.isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE
    case YAML_SEQUENCE_START_EVENT:
      event.kind = .sequenceStart
      event.tag = Self.string(raw.data.sequence_start.tag)
      event.anchor = Self.string(raw.data.sequence_start.anchor)
    case YAML_SEQUENCE_END_EVENT: event.kind = .sequenceEnd
    case YAML_MAPPING_START_EVENT:
      event.kind = .mappingStart
      event.tag = Self.string(raw.data.mapping_start.tag)
      event.anchor = Self.string(raw.data.mapping_start.anchor)
    case YAML_MAPPING_END_EVENT: event.kind = .mappingEnd
    default: event.kind = .streamEnd
    }
    // A collection's end is far away; its caret marks where it begins.
    if event.kind == .sequenceStart || event.kind == .mappingStart { event.length = 1 }
    return event
  }

  private func fault() -> SyntaxFault {
    let problem = parser.pointee.problem.map { String(cString: $0) } ?? "it cannot be read"
    if parser.pointee.error == YAML_READER_ERROR {
      let place = text.place(ofByte: parser.pointee.problem_offset)
      return SyntaxFault(message: "this is no YAML: \(problem)", location: located(place))
    }
    let mark = parser.pointee.problem_mark
    if isTab(at: mark) {
      return SyntaxFault(
        message: "a tab cannot indent in YAML", location: locate(mark.line, mark.column),
        suggestion: "use spaces")
    }
    var message = "this is no YAML: \(problem)"
    if let context = parser.pointee.context.map({ String(cString: $0) }) {
      let start = parser.pointee.context_mark
      message += " (\(context), which begins at line \(start.line + 1))"
    }
    return SyntaxFault(message: message, location: location(mark))
  }

  /// libyaml ends a text on a line of its own; people see the end of the last one they wrote.
  private func location(_ mark: yaml_mark_t) -> SourceLocation {
    let isBeyond = (mark.line + 1, mark.column + 1) > (end.line, end.column)
    return isBeyond ? located(end) : locate(mark.line, mark.column)
  }

  private func located(_ place: SourceLocation) -> SourceLocation {
    locate(place.line - 1, place.column - 1)
  }

  private func isTab(at mark: yaml_mark_t) -> Bool {
    text.line(mark.line + 1)?.unicodeScalars.dropFirst(mark.column).first == "\t"
  }

  private static func string(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    pointer.map { String(cString: $0) }
  }
}
