//! Memory for the engine's maps and weights: aligned, zeroed, freed with its owner.

import Glibc

/// Float32 values: maps, kernels, per-channel factors.
package typealias Storage = Buffer<Float>

/// Zeroed values at a fixed address, aligned for the widest vector loads.
package final class Buffer<Element: BitwiseCopyable & AdditiveArithmetic>: @unchecked Sendable {
  package let pointer: UnsafeMutablePointer<Element>
  package let count: Int

  package init(count: Int) {
    precondition(count >= 0)
    self.count = count
    let capacity = max(count, 1)
    guard
      let raw = aligned_alloc(64, (capacity * MemoryLayout<Element>.stride + 63) / 64 * 64)
    else { preconditionFailure("out of memory: \(capacity) values") }
    pointer = raw.bindMemory(to: Element.self, capacity: capacity)
    pointer.initialize(repeating: .zero, count: capacity)
  }

  deinit { free(pointer) }

  package convenience init(_ values: [Element]) {
    self.init(count: values.count)
    load(values)
  }

  package func load(_ values: [Element], at offset: Int = 0) {
    precondition(offset >= 0 && offset + values.count <= count)
    values.withUnsafeBufferPointer { source in
      guard let base = source.baseAddress else { return }
      (pointer + offset).update(from: base, count: source.count)
    }
  }

  package var values: [Element] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
}
