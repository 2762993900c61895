//! A stack machine for the subset of pickle that CIFAR-10 batches use. It builds values and calls
//! nothing: the four globals of a numpy array are imitated, every other one is refused. It knows
//! neither CIFAR-10's keys nor shapes.

/// Reads one pickle. Every length is checked against the bytes that are left before it is used,
/// and depth and number of values are bounded, so a hostile file costs its own size at most.
struct PickleReader {
  static let depthLimit = 64
  static let valuesLimit = 2_000_000

  let path: String
  var pickle: Pickle
  var position = 0
  /// Where the opcode at hand stands, for messages.
  var start = 0
  var opcode = PickleOpcode.stop
  private var stack: [PickleValue] = []
  /// Heights of the stack at which a MARK stands.
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]
  private var values = 0

  /// Reads a file's bytes; `path` is for messages.
  static func read(_ bytes: [UInt8], path: String) throws(DatasetError) -> Pickle {
    var reader = PickleReader(path: path, pickle: Pickle(file: bytes))
    try reader.run()
    return reader.pickle
  }

  private init(path: String, pickle: Pickle) {
    self.path = path
    self.pickle = pickle
  }

  private mutating func run() throws(DatasetError) {
    while position < pickle.file.count {
      start = position
      let byte = pickle.file[position]
      position += 1
      guard let known = PickleOpcode(rawValue: byte) else {
        throw fault(.unknownOpcode(byte))
      }
      opcode = known
      if known == .stop {
        pickle.root = try pop()
        let trailing = pickle.file.count - position
        if trailing > 0 {
          start = position
          throw fault(.trailingBytes(trailing))
        }
        return
      }
      if let value = try literal() {
        try push(value)
      } else {
        try execute()
      }
    }
    start = position
    throw fault(.noStop)
  }

  /// The fault, at the opcode at hand.
  func fault(_ fault: PickleFault) -> DatasetError {
    .pickle(file: path, offset: start, fault)
  }

  /// The fault of a value that the opcode at hand cannot use.
  func unexpected(_ value: PickleValue, expected: String) -> DatasetError {
    fault(.operand(opcode: opcode.name, expected: expected, found: pickle.typeName(value)))
  }

  /// What moves values on the stack; literals are done already.
  private mutating func execute() throws(DatasetError) {
    switch opcode {
    case .proto:
      let version = try unsigned(bytes: 1)
      if version > 3 { throw fault(.protocolVersion(version)) }
    case .mark:
      if marks.count == Self.depthLimit { throw fault(.depth(limit: Self.depthLimit)) }
      marks.append(stack.count)
    case .pop:
      if marks.last == stack.count { marks.removeLast() } else { _ = try pop() }
    case .popMark: _ = try popToMark()
    case .dup: try push(try top())
    case .emptyTuple: try push(try make(.tuple, []))
    case .emptyList: try push(try make(.list, []))
    case .emptyDict: try push(try make(.dictionary, []))
    case .tuple1: try push(try make(.tuple, try pop(1)))
    case .tuple2: try push(try make(.tuple, try pop(2)))
    case .tuple3: try push(try make(.tuple, try pop(3)))
    case .tuple: try push(try make(.tuple, try popToMark()))
    case .list: try push(try make(.list, try popToMark()))
    case .dict: try push(try make(.dictionary, try pairs(try popToMark())))
    case .append: try add(try pop(1), to: .list, named: "a list")
    case .appends: try add(try popToMark(), to: .list, named: "a list")
    case .setitem: try add(try pop(2), to: .dictionary, named: "a dictionary")
    case .setitems:
      try add(try pairs(try popToMark()), to: .dictionary, named: "a dictionary")
    case .put, .binput, .longBinput: try put()
    case .get, .binget, .longBinget: try push(try get())
    case .reduce:
      let arguments = try pop()
      try push(try call(try pop(), arguments))
    case .build:
      let state = try pop()
      try build(try top(), state)
    default: throw fault(.opcode(opcode.name))
    }
  }
}

// The stack and the memo.
extension PickleReader {
  private mutating func push(_ value: PickleValue) throws(DatasetError) {
    values += 1
    if values > Self.valuesLimit { throw fault(.values(limit: Self.valuesLimit)) }
    stack.append(value)
  }

  private func top() throws(DatasetError) -> PickleValue {
    guard let value = stack.last, stack.count > marks.last ?? 0 else {
      throw fault(.emptyStack(opcode: opcode.name))
    }
    return value
  }

  private mutating func pop() throws(DatasetError) -> PickleValue {
    let value = try top()
    stack.removeLast()
    return value
  }

  private mutating func pop(_ count: Int) throws(DatasetError) -> [PickleValue] {
    guard stack.count - (marks.last ?? 0) >= count else {
      throw fault(.emptyStack(opcode: opcode.name))
    }
    let values = Array(stack.suffix(count))
    stack.removeLast(count)
    return values
  }

  private mutating func popToMark() throws(DatasetError) -> [PickleValue] {
    guard let height = marks.popLast() else { throw fault(.noMark(opcode: opcode.name)) }
    let values = Array(stack[height...])
    stack.removeSubrange(height...)
    return values
  }

  private func pairs(_ items: [PickleValue]) throws(DatasetError) -> [PickleValue] {
    if items.count % 2 != 0 { throw fault(.oddItems(opcode: opcode.name)) }
    return items
  }

  /// A new object of the arena.
  mutating func make(
    _ kind: PickleObject.Kind, _ items: [PickleValue]
  ) throws(DatasetError) -> PickleValue {
    let depth = try depth(above: items)
    pickle.objects.append(PickleObject(kind: kind, items: items, depth: depth, offset: start))
    return .object(pickle.objects.count - 1)
  }

  private mutating func add(
    _ items: [PickleValue], to kind: PickleObject.Kind, named name: String
  ) throws(DatasetError) {
    let container = try top()
    guard case .object(let index) = container, pickle.objects[index].kind == kind else {
      throw unexpected(container, expected: name)
    }
    let depth = try depth(above: items)
    pickle.objects[index].depth = max(pickle.objects[index].depth, depth)
    pickle.objects[index].items += items
  }

  private func depth(above items: [PickleValue]) throws(DatasetError) -> Int {
    var depth = 1
    for case .object(let index) in items { depth = max(depth, pickle.objects[index].depth + 1) }
    if depth > Self.depthLimit { throw fault(.depth(limit: Self.depthLimit)) }
    return depth
  }

  private mutating func put() throws(DatasetError) {
    let index = try memoIndex()
    let value = try top()
    values += 1
    if values > Self.valuesLimit { throw fault(.values(limit: Self.valuesLimit)) }
    memo[index] = value
  }

  private mutating func get() throws(DatasetError) -> PickleValue {
    let index = try memoIndex()
    guard let value = memo[index] else {
      throw fault(.unknownMemo(opcode: opcode.name, index: index))
    }
    return value
  }

  private mutating func memoIndex() throws(DatasetError) -> Int {
    switch opcode {
    case .binput, .binget: return try unsigned(bytes: 1)
    case .longBinput, .longBinget: return try unsigned(bytes: 4)
    default: return try decimal(try line())
    }
  }
}
