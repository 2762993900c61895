//! Readings that are done once for all points of a sweep that agree in what was looked at. Knows
//! neither fields nor stages.

/// Where a sweep stands: which of its values each swept field has at the current point. Readings
/// note here what they looked at.
final class SweepState {
  /// Fields that one sweep may vary.
  static let fieldLimit = 64

  /// By swept field: 0 for the value as written, else the number of the point's value.
  var point: [Int32] = []
  /// The swept fields that were looked at since somebody last asked, a bit each.
  fileprivate(set) var touched: UInt64 = 0

  func touch(_ fields: UInt64) { touched |= fields }
}

/// What the fields that a reading depends on are at a point.
private struct MemoKey: Hashable {
  /// The first two, which are mostly all.
  private var packed = 0
  private var rest: [Int32] = []

  init(_ slots: [Int], at point: [Int32]) {
    if let first = slots.first { packed = Int(point[first]) }
    if slots.count > 1 { packed = packed << 32 | Int(point[slots[1]]) }
    if slots.count > 2 { rest = slots.dropFirst(2).map { point[$0] } }
  }
}

/// Values of one reading by what it looked at. A reading must depend on nothing but what it touches.
final class Memo<Value> {
  private var always: Value?
  /// A few at most: what a reading looks at seldom depends on what it finds.
  private var kept: [(fields: UInt64, slots: [Int], values: [MemoKey: Value])] = []

  /// The value at the state's point, made if no point before agreed in all that it depends on.
  func value(at state: SweepState, make: () -> Value) -> Value {
    if let always { return always }
    for entry in kept {
      if let value = entry.values[MemoKey(entry.slots, at: state.point)] {
        state.touched |= entry.fields
        return value
      }
    }
    let outer = state.touched
    state.touched = 0
    let value = make()
    let fields = state.touched
    state.touched = outer | fields
    if fields == 0 {
      always = value
      return value
    }
    let index =
      kept.firstIndex { $0.fields == fields }
      ?? {
        let slots = (0..<SweepState.fieldLimit).filter { fields & (1 << UInt64($0)) != 0 }
        kept.append((fields, slots, [:]))
        return kept.count - 1
      }()
    kept[index].values[MemoKey(kept[index].slots, at: state.point)] = value
    return value
  }
}
