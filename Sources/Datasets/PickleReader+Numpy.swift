//! The imitation of the few calls by which a pickle rebuilds a numpy array (numpy 1 and 2) and, in
//! Python 3's protocol 2, a byte string. Nothing is called: the arguments become a value.

extension PickleReader {
  /// The global that two lines name, refused unless it is one of the known few.
  mutating func global() throws(DatasetError) -> PickleGlobal {
    let module = printable(pickle.file[try line()])
    let name = printable(pickle.file[try line()])
    switch (module, name) {
    case ("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct"):
      return .reconstruct
    case ("numpy", "ndarray"): return .ndarray
    case ("numpy", "dtype"): return .dtype
    case ("_codecs", "encode"): return .encode
    default: throw fault(.global("\(module).\(name)"))
    }
  }

  /// REDUCE: what the call would give.
  mutating func call(
    _ function: PickleValue, _ arguments: PickleValue
  ) throws(DatasetError) -> PickleValue {
    guard case .global(let global) = function else {
      throw unexpected(function, expected: "a function")
    }
    guard let tuple = pickle.object(arguments, .tuple) else {
      throw unexpected(arguments, expected: "a tuple of arguments")
    }
    let items = tuple.items
    switch global {
    case .reconstruct:
      guard items.count == 3, case .global(.ndarray) = items[0] else {
        throw unexpected(arguments, expected: "the arguments of an empty numpy.ndarray")
      }
      return try make(.array, [])
    case .dtype:
      guard let code = items.first, let text = pickle.string(code), isNumber(text) else {
        throw unexpected(arguments, expected: "the arguments of a numeric numpy.dtype")
      }
      return try make(.dtype, [code])
    case .encode:
      guard items.count == 2, case .text(let text) = items[0],
        let encoding = pickle.string(items[1]), encoding == "latin1" || encoding == "latin-1"
      else { throw unexpected(arguments, expected: "a text and 'latin1'") }
      return .bytes(try latin1(text))
    case .ndarray:
      throw fault(.global("numpy.ndarray"))
    }
  }

  /// BUILD: the state of an array or of its dtype.
  mutating func build(_ target: PickleValue, _ state: PickleValue) throws(DatasetError) {
    guard case .object(let index) = target else {
      throw unexpected(target, expected: "an array or a dtype")
    }
    guard let tuple = pickle.object(state, .tuple) else {
      throw unexpected(state, expected: "a tuple of its state")
    }
    let items = tuple.items
    switch pickle.objects[index].kind {
    case .dtype:
      guard items.count >= 2, let code = pickle.objects[index].items.first,
        let order = pickle.string(items[1]), ["|", "<", ">", "="].contains(order)
      else { throw unexpected(state, expected: "a dtype's state") }
      pickle.objects[index].items = [code, items[1]]
    case .array:
      guard items.count == 5, pickle.object(items[1], .tuple) != nil,
        pickle.object(items[2], .dtype) != nil, isTruth(items[3]), case .bytes = items[4]
      else { throw unexpected(state, expected: "an array's version, shape, dtype, order, bytes") }
      pickle.objects[index].items = Array(items[1...])
    default: throw unexpected(target, expected: "an array or a dtype")
    }
  }

  private func isNumber(_ code: String) -> Bool {
    let codes = [
      "b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8",
    ]
    return codes.contains(code)
  }

  /// Python 2's protocols 0 and 1 write a truth value as an integer.
  private func isTruth(_ value: PickleValue) -> Bool {
    switch value {
    case .bool: true
    case .int(let number): number == 0 || number == 1
    default: false
    }
  }

  /// The text's code points as bytes, which all must be below 256.
  private mutating func latin1(_ text: PickleBytes) throws(DatasetError) -> PickleBytes {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    var isLatin1 = true
    pickle.slice(text).withUnsafeBufferPointer { utf8 in
      var index = 0
      while index < utf8.count {
        let byte = utf8[index]
        if byte < 0x80 {
          bytes.append(byte)
          index += 1
        } else if byte == 0xC2 || byte == 0xC3, index + 1 < utf8.count,
          utf8[index + 1] & 0xC0 == 0x80
        {
          bytes.append((byte & 0x03) << 6 | utf8[index + 1] & 0x3F)
          index += 2
        } else {
          isLatin1 = false
          return
        }
      }
    }
    guard isLatin1 else { throw unexpected(.text(text), expected: "a text within latin1") }
    return try keep(bytes)
  }
}
