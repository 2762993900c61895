//! Where a program's maps lie in memory: buffers whose lifetimes do not meet share a place. Knows
//! no step.

import Tensors

/// A map, a gradient or scratch of a program. It has memory from when the plan is laid out.
final class PlannedBuffer {
  /// Values.
  let count: Int
  /// The first and the last moment of use.
  fileprivate var first = Int.max
  fileprivate var last = Int.min
  /// Values from the start of the program's memory.
  fileprivate var offset = 0
  private var base: UnsafeMutablePointer<Float>?

  fileprivate init(count: Int) { self.count = count }

  var pointer: UnsafeMutablePointer<Float> {
    guard let base else { preconditionFailure("the plan has not been laid out") }
    return base
  }

  /// Whether both hold something at some moment.
  fileprivate func meets(_ other: PlannedBuffer) -> Bool {
    first <= other.last && other.first <= last
  }

  fileprivate func bind(to memory: UnsafeMutablePointer<Float>) { base = memory + offset }
}

/// The buffers of a program in the making. Moments are the program's steps in the order in which
/// they run, forward and then backward.
struct MemoryPlan {
  private var buffers: [PlannedBuffer] = []

  /// Before the first step, when the caller fills the input, and after the last, when it reads the
  /// output.
  static let always = (start: -1, end: Int.max)

  mutating func buffer(count: Int) -> PlannedBuffer {
    let buffer = PlannedBuffer(count: count)
    buffers.append(buffer)
    return buffer
  }

  /// States that `buffer` holds something at a moment; it does so between all stated ones.
  func use(_ buffer: PlannedBuffer, at moment: Int) {
    buffer.first = min(buffer.first, moment)
    buffer.last = max(buffer.last, moment)
  }

  /// Places every buffer, the largest first. Returns the number of values that the whole takes.
  ///
  /// Threads share every map by halves (or more parts) of its samples, and what one core wrote
  /// another gets slowly, most of all where the two have no cache in common. So buffers that lie
  /// over each other do so middle on middle: then a core writes where it wrote before. That takes
  /// more memory than the densest plan; beyond a quarter more, buffers go where there is room.
  func layOut() -> Int {
    let order = buffers.indices.filter { buffers[$0].first <= buffers[$0].last }.sorted {
      (buffers[$1].count, $0) < (buffers[$0].count, $1)
    }.map { buffers[$0] }
    let densest = place(order, within: 0)
    return place(order, within: densest + densest / 4)
  }

  /// Places buffers middle on middle where that keeps the whole within `limit` values, else each at
  /// the lowest place that is free through its life.
  private func place(_ order: [PlannedBuffer], within limit: Int) -> Int {
    var placed: [PlannedBuffer] = []
    var total = 0
    for buffer in order {
      let next = placed.isEmpty ? 0 : Self.aligned(total + Self.stagger)
      let offset: Int
      if limit > 0, let place = centred(buffer, on: placed) {
        offset = place
      } else {
        offset = next + buffer.count <= limit ? next : lowest(buffer, beside: placed)
      }
      buffer.offset = offset
      total = max(total, offset + buffer.count)
      let place = placed.firstIndex { $0.offset > offset } ?? placed.count
      placed.insert(buffer, at: place)
    }
    return total
  }

  /// Maps' sizes are multiples of a page, and processors take a load for a store's follower when the
  /// lower twelve bits of their addresses agree: a few lines keep neighbours out of step.
  private static let stagger = 272

  /// The next place for vectors and cache lines.
  private static func aligned(_ offset: Int) -> Int { (offset + 15) / 16 * 16 }

  private func lowest(_ buffer: PlannedBuffer, beside placed: [PlannedBuffer]) -> Int {
    var offset = 0
    // `placed` is sorted by place, so the first gap that is wide enough is the lowest.
    for other in placed where other.meets(buffer) {
      if offset + buffer.count <= other.offset { break }
      offset = max(offset, Self.aligned(other.offset + other.count + Self.stagger))
    }
    return offset
  }

  /// Over one of the buffers that are no smaller, of the nearest size.
  private func centred(_ buffer: PlannedBuffer, on placed: [PlannedBuffer]) -> Int? {
    var best: PlannedBuffer?
    var place = 0
    for other in placed where !other.meets(buffer) && other.count < best?.count ?? .max {
      let offset = Self.aligned(other.offset + (other.count - buffer.count) / 2)
      let isFree = placed.allSatisfy {
        !$0.meets(buffer) || $0.offset + $0.count + Self.stagger <= offset
          || offset + buffer.count + Self.stagger <= $0.offset
      }
      if isFree { (best, place) = (other, offset) }
    }
    return best == nil ? nil : place
  }

  func bind(to memory: UnsafeMutablePointer<Float>) {
    for buffer in buffers { buffer.bind(to: memory) }
  }
}

/// A map between steps, and its gradient.
final class MapNode {
  let buffer: PlannedBuffer
  /// Whether weights stand before it, so that a gradient must reach it.
  let needsGradient: Bool
  /// Of a map of 8-bit codes whose scales are powers of two, step and zero of each sample.
  var grids: Storage?
  /// Planned from the end of the network: the first reader to deliver makes it.
  private(set) var gradient: PlannedBuffer?

  init(_ buffer: PlannedBuffer, needsGradient: Bool) {
    self.buffer = buffer
    self.needsGradient = needsGradient
  }

  /// Where a reader of this map puts its part of the gradient; nil where none is needed.
  ///
  /// - Parameter candidate: a buffer that the reader can spare and may write in place.
  func target(_ plan: inout MemoryPlan, reusing candidate: PlannedBuffer? = nil) -> GradientTarget?
  {
    guard needsGradient else { return nil }
    if let gradient { return GradientTarget(buffer: gradient, accumulates: true) }
    let buffer = candidate ?? plan.buffer(count: buffer.count)
    gradient = buffer
    return GradientTarget(buffer: buffer, accumulates: false)
  }
}

/// Where a step puts its input's gradient.
struct GradientTarget {
  let buffer: PlannedBuffer
  /// Whether another reader of the same map has put its part there before.
  let accumulates: Bool
}
