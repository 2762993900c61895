//! Batches that are wrong, by accident or by intent: every message in full, and no crash.

import Datasets
import Tensors
import TestSupport
import Testing

@Suite struct HostilePickleTests {
  private func message(_ bytes: [UInt8]) -> String {
    do {
      _ = try CIFAR10.decode(bytes, path: "batch")
      return "read"
    } catch {
      return error.description
    }
  }

  private func message(_ write: (inout PickleWriter) -> Void) -> String {
    var out = PickleWriter()
    write(&out)
    return message(out.bytes)
  }

  private func message(_ change: (inout TestBatch) -> Void) -> String {
    var batch = TestBatch()
    change(&batch)
    return message(batch.bytes)
  }

  @Test func callsAreRefused() {
    let holds =
      "a CIFAR-10 batch holds only numbers, strings, lists, tuples, dictionaries and numpy arrays"
    #expect(
      message { (out: inout PickleWriter) in
        out.proto(2)
        out.short("padding to x")
        out.op("0")
        out.global("os", "system")
        out.short("true")
        out.raw([0x85])
        out.op("R.")
      } == "batch: refuses to call os.system at offset 17: \(holds)")
    #expect(
      message { (out: inout PickleWriter) in out.op("c__builtin__\neval\n(S'1'\ntR.") }
        == "batch: refuses to call __builtin__.eval at offset 0: \(holds)")
    #expect(
      message { (out: inout PickleWriter) in out.op("(S'true'\nios\nsystem\n.") }
        == "batch: refuses the opcode INST at offset 9: \(holds)")
    #expect(
      message { (out: inout PickleWriter) in
        out.global("numpy", "ndarray")
        out.op(")R.")
      } == "batch: refuses to call numpy.ndarray at offset 16: \(holds)")
    #expect(
      message { (out: inout PickleWriter) in
        out.global("numpy", "dtype")
        out.op("(S'O8'\nI0\nI1\ntR.")
      }
        == "batch: REDUCE at offset 27 finds a tuple, expected the arguments of a numeric numpy.dtype"
    )
    #expect(
      message { (out: inout PickleWriter) in out.op("}}b.") }
        == "batch: BUILD at offset 2 finds a dictionary, expected a tuple of its state")
    #expect(
      message { (out: inout PickleWriter) in out.op("})b.") }
        == "batch: BUILD at offset 2 finds a dictionary, expected an array or a dtype")
    #expect(
      message { (out: inout PickleWriter) in
        out.op("c\u{1b}[31m\n\(String(repeating: "x", count: 99))\n")
      }
        == "batch: refuses to call ?[31m.\(String(repeating: "x", count: 60))... at offset 0: \(holds)"
    )
  }

  @Test func opcodesOutsideTheSubsetAreNamed() {
    let holds =
      "a CIFAR-10 batch holds only numbers, strings, lists, tuples, dictionaries and numpy arrays"
    for (byte, name) in [
      (0x81, "NEWOBJ"), (0x93, "STACK_GLOBAL"), (0x82, "EXT1"), (0x6F, "OBJ"), (0x50, "PERSID"),
      (0x92, "NEWOBJ_EX"), (0x96, "BYTEARRAY8"), (0x47, "BINFLOAT"), (0x8C, "SHORT_BINUNICODE"),
    ] as [(UInt8, String)] {
      #expect(
        message([0x80, 2, byte]) == "batch: refuses the opcode \(name) at offset 2: \(holds)")
    }
    #expect(message([0xFF]) == "batch: byte 255 at offset 0 is no pickle opcode")
    #expect(
      message([0x80, 4, 0x95])
        == "batch: pickle protocol 4 at offset 0, expected at most 3; "
        + "in Python, pickle.dump(batch, file, protocol=2) writes one")
  }

  @Test func lengthsAreCheckedBeforeTheyAreUsed() {
    let claim = "at offset 2 claims 3000000000 bytes, the file has 4 more"
    for (letter, name) in [("T", "BINSTRING"), ("X", "BINUNICODE"), ("B", "BINBYTES")] {
      #expect(
        message { (out: inout PickleWriter) in
          out.proto(2)
          out.op(letter)
          out.little(3_000_000_000, 4)
          out.op("abc.")
        } == "batch: \(name) \(claim)")
    }
    #expect(
      message { (out: inout PickleWriter) in
        out.proto(2)
        out.raw([0x8B])
        out.little(3_000_000_000, 4)
        out.op("abc.")
      } == "batch: LONG4 \(claim)")
    #expect(
      message([0x8A, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x2E])
        == "batch: an integer of 9 bytes at offset 0, expected at most 8")
    #expect(
      message { (out: inout PickleWriter) in out.op("U\u{5}abc") }
        == "batch: SHORT_BINSTRING at offset 0 claims 5 bytes, the file has 3 more")
  }

  @Test func theStackIsChecked() {
    #expect(message([]) == "batch: truncated: the file ends at offset 0 without STOP")
    #expect(
      message(Array("J12".utf8))
        == "batch: truncated: the file ends at offset 3, inside BININT at offset 0")
    #expect(message(Array(".".utf8)) == "batch: STOP at offset 0 finds too few values")
    #expect(message(Array("N(a.".utf8)) == "batch: APPEND at offset 2 finds too few values")
    #expect(message(Array("Nt.".utf8)) == "batch: TUPLE at offset 1 finds no MARK")
    #expect(
      message(Array("h\u{7}.".utf8))
        == "batch: BINGET at offset 0 asks for memo 7, which nothing has put")
    #expect(
      message(Array("NNa.".utf8)) == "batch: APPEND at offset 2 finds None, expected a list")
    #expect(
      message(Array("}(Nu.".utf8)) == "batch: SETITEMS at offset 3 finds a key without a value")
    #expect(message(Array("I1x\n.".utf8)) == "batch: INT at offset 0 cannot read `1x`")
    #expect(message(Array("S'a\n.".utf8)) == "batch: STRING at offset 0 cannot read `'a`")
    #expect(message(Array("N.NN".utf8)) == "batch: 2 bytes follow the pickle's end at offset 2")
    #expect(
      message(Array("N.".utf8)) == "batch: the pickle holds None, a CIFAR-10 batch is a dictionary")
  }

  @Test func amountsAreBounded() {
    let open = [UInt8](repeating: UInt8(ascii: "("), count: 100_000)
    #expect(message(open) == "batch: nested deeper than 64 levels at offset 64")
    let lists = [UInt8](repeating: UInt8(ascii: "]"), count: 500_000)
    let appends = [UInt8](repeating: UInt8(ascii: "a"), count: 499_999)
    #expect(message(lists + appends) == "batch: nested deeper than 64 levels at offset 500063")
    #expect(
      message([UInt8](repeating: UInt8(ascii: "N"), count: 3_000_000))
        == "batch: more than 2000000 values at offset 2000000")
    // One long text, decoded again and again from the memo.
    #expect(
      message { (out: inout PickleWriter) in
        out.global("_codecs", "encode")
        out.op("q\u{0}")
        out.unicode(String(repeating: "y", count: 1000))
        out.op("q\u{1}")
        for _ in 0..<50 {
          out.op("h\u{0}h\u{1}U\u{6}latin1")
          out.raw([0x86])
          out.op("R")
        }
      } == "batch: strings decode to more bytes than the file holds at offset 1122")
  }

  @Test func wrongContentsAreNamed() {
    #expect(
      message { (batch: inout TestBatch) in batch.labels[1] = 10 }
        == "batch: row 1 has the label 10, expected 0...9")
    #expect(
      message { (batch: inout TestBatch) in batch.labels[0] = -2 }
        == "batch: row 0 has the label -2, expected 0...9")
    #expect(
      message { (batch: inout TestBatch) in batch.labelsKey = "fine_labels" }
        == "batch: no key `labels`; the batch has `batch_label`, `fine_labels`, `data`, `filenames`"
    )
    #expect(
      message { (batch: inout TestBatch) in batch.dataKey = "dta" }
        == "batch: no key `data`; the batch has `batch_label`, `labels`, `dta`, `filenames`")
    #expect(
      message { (batch: inout TestBatch) in batch.labels.append(1) }
        == "batch: 3 labels for 2 rows of pixels")
    #expect(
      message { (batch: inout TestBatch) in batch.pixels.removeLast() }
        == "batch: `data` at offset 123 holds 6143 bytes, 2 x 3072 are 6144")
    #expect(
      message { (batch: inout TestBatch) in batch.shape = [2, 1024] }
        == "batch: `data` at offset 123 is u1 of shape 2 x 1024, expected u1 of shape rows x 3072")
    #expect(
      message { (batch: inout TestBatch) in batch.shape = [2, 32, 32, 3] }
        == "batch: `data` at offset 123 is u1 of shape 2 x 32 x 32 x 3, "
        + "expected u1 of shape rows x 3072")
    #expect(
      message { (batch: inout TestBatch) in batch.type = "i8" }
        == "batch: `data` at offset 123 is i8 of shape 2 x 3072, expected u1 of shape rows x 3072")
    #expect(
      message { (batch: inout TestBatch) in batch.isFortran = true }
        == "batch: `data` at offset 123 is in Fortran order, expected C order")
    #expect(message(TestBatch(rows: 0).bytes) == "batch: the batch has no rows")
    #expect(
      message(Array("}(U\u{6}labelsNU\u{4}dataNu.".utf8))
        == "batch: `labels` is None, expected a list of ints")
    #expect(
      message(Array("}(U\u{6}labels](K\u{1}NeU\u{4}dataNu.".utf8))
        == "batch: `labels` row 1 is None, expected an int")
    #expect(
      message(Array("}(U\u{6}labels]U\u{4}dataNu.".utf8))
        == "batch: `data` is None, expected a numpy array")
    #expect(message(Array("}.".utf8)) == "batch: no key `labels`; the batch has no keys")
  }

  @Test func everyTruncationIsAnError() {
    for style in TestBatch.Style.allCases {
      let bytes = TestBatch(rows: 1, style: style).bytes
      for end in 0..<bytes.count {
        let text = message(Array(bytes[..<end]))
        #expect(
          text.contains("truncated") || text.contains("claims"),
          "cut at \(end) of \(style): \(text)")
      }
    }
  }

  /// Damage at random: each outcome is a batch or a `DatasetError`, never a crash.
  @Test func mutationsNeverCrash() {
    var random = SeededGenerator(seed: 20_261_124)
    var refused = 0
    for round in 0..<20_000 {
      let style = TestBatch.Style.allCases[round % 4]
      var bytes = Self.small[round % 4]
      // Most of a batch is pixels; damage is spent on the rest.
      let pixels = style == .protocol0 ? 300..<9000 : 330..<3300
      for _ in 0..<random.integer(below: 4) + 1 {
        var place = random.integer(below: bytes.count)
        if pixels ~= place { place = random.integer(below: 330) }
        switch random.integer(below: 4) {
        case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
        case 1: bytes.remove(at: place)
        case 2: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
        default: bytes[place] ^= 1 << UInt8(random.integer(below: 8))
        }
      }
      if let images = try? CIFAR10.decode(bytes, path: "batch") {
        #expect(images.pixels.count == images.count * 3072)
      } else {
        refused += 1
      }
    }
    #expect(refused > 10_000)
  }

  /// Random opcodes in sequence reach states that damage of a good batch does not.
  @Test func randomOpcodesNeverCrash() {
    var random = SeededGenerator(seed: 7)
    let letters = Array("(.01NKMJ}]t)adeusqrhgpblRcUTXISVL".utf8) + [0x85, 0x86, 0x87, 0x88, 0x8A]
    let names = ["numpy\ndtype\n", "numpy\nndarray\n", "_codecs\nencode\n", "1\n", "'a'\n"]
    for _ in 0..<20_000 {
      var bytes: [UInt8] = []
      for _ in 0..<random.integer(below: 60) {
        bytes.append(letters[random.integer(below: letters.count)])
        if random.integer(below: 4) == 0 { bytes += names[random.integer(below: 5)].utf8 }
        if random.integer(below: 3) == 0 { bytes.append(UInt8(random.integer(below: 4))) }
      }
      #expect(message(bytes) != "read")
    }
  }

  private static let small = TestBatch.Style.allCases.map { TestBatch(rows: 1, style: $0).bytes }
}
