//! Memory for the engine's maps and weights: aligned, zeroed, freed with its owner.

import Glibc

/// Float32 values: maps, kernels, per-channel factors.
package typealias Storage = Buffer<Float>

/// Zeroed values at a fixed address, aligned for the widest vector loads.
package final class Buffer<Element: BitwiseCopyable & AdditiveArithmetic>: @unchecked Sendable {
  package let pointer: UnsafeMutablePointer<Element>
  package let count: Int

  private static var hugePage: Int { 2 << 20 }

  package init(count: Int) {
    precondition(count >= 0)
    self.count = count
    let capacity = max(count, 1)
    // Large buffers begin at a huge page and ask for huge pages: a step walks through hundreds of
    // megabytes, and with pages of 4 KB the address translations miss at every one.
    let bytes = (capacity * MemoryLayout<Element>.stride + 63) / 64 * 64
    let isLarge = bytes >= Self.hugePage
    let alignment = isLarge ? Self.hugePage : 64
    guard let raw = aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment) else {
      preconditionFailure("out of memory: \(capacity) values")
    }
    if isLarge { madvise(raw, bytes, Int32(MADV_HUGEPAGE)) }
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
