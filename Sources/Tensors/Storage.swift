//! Memory for the engine's maps and weights: aligned, zeroed, freed with its owner.

import Glibc

/// Float32 values: maps, kernels, per-channel factors.
package typealias Storage = Buffer<Float>

/// Zeroed values at a fixed address, aligned for the widest vector loads. Elements are numbers whose
/// zero is all bits zero.
///
/// Large buffers are mappings of their own on huge pages: a step walks through hundreds of megabytes,
/// and with pages of 4 KB the address translations miss at every one. The system zeroes a page when
/// it is touched first.
package final class Buffer<Element: BitwiseCopyable & AdditiveArithmetic>: @unchecked Sendable {
  package let pointer: UnsafeMutablePointer<Element>
  package let count: Int
  /// The whole mapping of a large buffer.
  private let mapping: UnsafeMutableRawBufferPointer?

  private static var hugePage: Int { 2 << 20 }

  package init(count: Int) {
    precondition(count >= 0)
    self.count = count
    let capacity = max(count, 1)
    let bytes = (capacity * MemoryLayout<Element>.stride + 63) / 64 * 64
    let raw: UnsafeMutableRawPointer
    if bytes >= Self.hugePage {
      // As much more as its begin may have to move.
      let length = bytes + Self.hugePage
      guard
        let base = mmap(
          nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
        base != MAP_FAILED
      else { preconditionFailure("out of memory: \(capacity) values") }
      mapping = UnsafeMutableRawBufferPointer(start: base, count: length)
      raw = base.alignedUp(toMultipleOf: Self.hugePage)
      madvise(raw, bytes, Int32(MADV_HUGEPAGE))
    } else {
      guard let base = aligned_alloc(64, bytes) else {
        preconditionFailure("out of memory: \(capacity) values")
      }
      mapping = nil
      raw = base
      memset(raw, 0, bytes)
    }
    pointer = raw.bindMemory(to: Element.self, capacity: capacity)
  }

  deinit {
    if let mapping { munmap(mapping.baseAddress, mapping.count) } else { free(pointer) }
  }

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
