//! Short trainings of a network under quantizers of many kinds, as they were measured. Models nothing.

import Files
import Networks

/// The table that Tests/Fixtures/search/make_evaluations.py writes.
///
/// The first line has the fields' names, the last of which are the slots' (`conv2d.kernel`); then each line
/// is a training: tuner and seed of the search that it was a trial of, the accuracy, and a letter a slot for
/// its bits.
struct EvaluationTable {
  struct Row {
    /// An index into each slot's bits.
    var selection: [Int]
    var accuracy: Double
  }

  static let path = "Tests/Fixtures/search/ds_cnn_evaluations.csv"
  private static let bits: [Character: Int] = ["a": 4, "b": 8, "c": 16, "d": 31]

  let slots: [Slot]
  /// By slot, from few to many.
  let candidates: [[Int]]
  let rows: [Row]

  init(of network: Network, at path: String = path) throws {
    let text = String(decoding: try Files.read(path, limit: 1 << 24), as: UTF8.self)
    let lines = text.split(separator: "\n")
    let names = lines.first?.split(separator: ",").last?.split(separator: " ") ?? []
    slots = try names.map { name in
      guard let slot = network.slots.first(where: { "\($0.name).\($0.role.rawValue)" == name })
      else { throw SearchRunError(path: path, line: 1) }
      return slot
    }
    candidates = slots.map { $0.role == .bias ? [16, 31] : [4, 8, 16] }
    var rows: [Row] = []
    for (index, line) in lines.enumerated().dropFirst() {
      let fields = line.split(separator: ",")
      guard fields.count == 4, let accuracy = Double(fields[2]), (0...1).contains(accuracy),
        fields[3].count == slots.count
      else { throw SearchRunError(path: path, line: index + 1) }
      let selection = zip(fields[3], candidates).compactMap { letter, candidates in
        Self.bits[letter].flatMap { candidates.firstIndex(of: $0) }
      }
      guard selection.count == slots.count else {
        throw SearchRunError(path: path, line: index + 1)
      }
      rows.append(Row(selection: selection, accuracy: accuracy))
    }
    self.rows = rows
  }

  /// How accuracies of equal selections scatter about their mean, and how many there are.
  var repetitions: (deviation: Double, rows: Int) {
    let groups = Dictionary(grouping: rows, by: \.selection).values.filter { $0.count > 1 }
    var squares = 0.0
    var freedom = 0
    for group in groups {
      let mean = group.reduce(0) { $0 + $1.accuracy } / Double(group.count)
      squares += group.reduce(0) { $0 + ($1.accuracy - mean) * ($1.accuracy - mean) }
      freedom += group.count - 1
    }
    return (
      (squares / Double(max(freedom, 1))).squareRoot(), groups.reduce(0) { $0 + $1.count }
    )
  }
}
