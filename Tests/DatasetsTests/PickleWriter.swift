//! Writes small pickles for the tests, opcode by opcode, as Python 2 and Python 3 write a batch.

/// A pickle in the making.
struct PickleWriter {
  var bytes: [UInt8] = []

  /// Opcodes by their ASCII letters.
  mutating func op(_ letters: String) { bytes += letters.utf8 }

  mutating func raw(_ more: [UInt8]) { bytes += more }

  mutating func little(_ value: Int, _ width: Int) {
    for shift in 0..<width { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * shift))) }
  }

  mutating func proto(_ version: UInt8) { raw([0x80, version]) }

  /// SHORT_BINSTRING: Python 2's str.
  mutating func short(_ text: String) {
    op("U")
    bytes.append(UInt8(text.utf8.count))
    bytes += text.utf8
  }

  /// BINUNICODE: Python 3's str.
  mutating func unicode(_ text: String) {
    op("X")
    little(text.utf8.count, 4)
    bytes += text.utf8
  }

  mutating func int(_ value: Int) {
    if 0..<256 ~= value {
      op("K")
      little(value, 1)
    } else if 0..<65536 ~= value {
      op("M")
      little(value, 2)
    } else {
      op("J")
      little(value, 4)
    }
  }

  mutating func global(_ module: String, _ name: String) { op("c\(module)\n\(name)\n") }
}

/// What a batch holds and how it is written; the defaults are right.
struct TestBatch {
  enum Style: CaseIterable {
    case python2
    case python3
    case numpy2
    case protocol0
  }

  var style = Style.python2
  var labels: [Int] = [3, 9]
  var pixels: [UInt8]
  var shape: [Int]
  var type = "u1"
  var dataKey = "data"
  var labelsKey = "labels"
  var isFortran = false

  init(rows: Int = 2, style: Style = .python2) {
    self.style = style
    labels = (0..<rows).map { ($0 * 7 + 3) % 10 }
    pixels = (0..<rows * 3072).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 5) }
    shape = [rows, 3072]
  }

  var bytes: [UInt8] { style == .protocol0 ? lines : binary }

  private var binary: [UInt8] {
    var out = PickleWriter()
    let isPython2 = style == .python2
    func text(_ value: String) { isPython2 ? out.short(value) : out.unicode(value) }
    out.proto(2)
    out.op("}q\u{0}(")
    text("batch_label")
    text("training batch 1 of 5")
    text(labelsKey)
    out.op("]q\u{1}(")
    for label in labels { out.int(label) }
    out.op("e")
    text(dataKey)
    array(&out)
    text("filenames")
    out.op("](")
    for row in labels.indices { text("file_\(row).png") }
    out.op("eu.")
    return out.bytes
  }

  private func array(_ out: inout PickleWriter) {
    let isPython2 = style == .python2
    out.global(
      style == .numpy2 ? "numpy._core.multiarray" : "numpy.core.multiarray", "_reconstruct")
    out.global("numpy", "ndarray")
    out.int(0)
    out.raw([0x85])
    if isPython2 { out.short("b") } else { encoded(&out, Array("b".utf8)) }
    out.raw([0x87])
    out.op("R(K\u{1}(")
    for extent in shape { out.int(extent) }
    out.op("t")
    out.global("numpy", "dtype")
    if isPython2 { out.short(type) } else { out.unicode(type) }
    out.raw([0x89, 0x88, 0x87])
    out.op("R(K\u{3}")
    if isPython2 { out.short("|") } else { out.unicode("|") }
    out.op("NNNJ")
    out.raw([0xFF, 0xFF, 0xFF, 0xFF])
    out.op("J")
    out.raw([0xFF, 0xFF, 0xFF, 0xFF])
    out.op("K\u{0}tb")
    out.raw([isFortran ? 0x88 : 0x89])
    if isPython2 {
      out.op("T")
      out.little(pixels.count, 4)
      out.raw(pixels)
    } else {
      encoded(&out, pixels)
    }
    out.op("tb")
  }

  /// _codecs.encode(text, 'latin1').
  private func encoded(_ out: inout PickleWriter, _ bytes: [UInt8]) {
    out.global("_codecs", "encode")
    out.unicode(String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) })))
    out.unicode("latin1")
    out.raw([0x86])
    out.op("R")
  }

  /// Protocol 0: lines of text, with memo and the old DICT, LIST and SETITEM forms.
  private var lines: [UInt8] {
    var out = PickleWriter()
    out.op("(dp0\nS'\(labelsKey)'\np1\n(lp2\n")
    for label in labels { out.op("I\(label)\na") }
    out.op("sS'\(dataKey)'\np3\n")
    out.op("cnumpy.core.multiarray\n_reconstruct\np4\n(cnumpy\nndarray\np5\n(I0\ntS'b'\ntR")
    out.op("(I1\n(")
    for extent in shape { out.op("L\(extent)L\n") }
    out.op("tcnumpy\ndtype\n(S'\(type)'\nI0\nI1\ntR(I3\nS'|'\nNNNI-1\nI-1\nI0\ntbI00\nS'")
    for byte in pixels {
      switch byte {
      case UInt8(ascii: "'"): out.op("\\'")
      case UInt8(ascii: "\\"): out.op("\\\\")
      case 9: out.op("\\t")
      case 10: out.op("\\n")
      case 13: out.op("\\r")
      case 0x20..<0x7F: out.raw([byte])
      default:
        let digits = String(byte, radix: 16)
        out.op("\\x" + (digits.count == 1 ? "0" : "") + digits)
      }
    }
    out.op("'\np6\ntbs.")
    return out.bytes
  }
}
