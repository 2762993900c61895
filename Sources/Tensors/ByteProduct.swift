//! Products of a quantized map with itself in whole numbers of a byte. Knows no layer.

internal import CKernels

/// Of a map (samples, positions, channels) of codes of at most 8 bits times powers of two: over all
/// positions the sums of x[i] * x[j] and of x[i].
package final class ByteProduct {
  private var gram = ck_gram()

  /// nil where sums could overflow.
  ///
  /// - Parameters:
  ///   - grids: step and zero of each sample, as `ByteConvolution` has them.
  ///   - isPlain: whether to do without multiplications of bytes, as a processor without them does: the
  ///     same numbers, for comparison.
  ///   - product: gets channels times channels values.
  package init?(
    samples: Int, positions: Int, channels: Int, isPlain: Bool = false, grids: UnsafePointer<Float>,
    product: UnsafeMutablePointer<Float>, sums: UnsafeMutablePointer<Double>
  ) {
    guard positions <= 16384 else { return nil }
    (gram.samples, gram.positions, gram.channels) = (samples, positions, channels)
    gram.plain = isPlain ? 1 : 0
    (gram.grids, gram.product, gram.sums) = (grids, product, sums)
  }

  /// Floats of scratch.
  package var scratchCount: Int {
    ck_gram_partial(&gram) + ck_threads() * ck_gram_scratch(&gram) / MemoryLayout<Float>.stride
  }

  /// The map, and `scratchCount` floats; the buffers must outlive the product.
  package func bind(input: UnsafePointer<Float>, scratch: UnsafeMutablePointer<Float>) {
    gram.x = input
    gram.partial = scratch
    gram.scratch = UnsafeMutableRawPointer(scratch + ck_gram_partial(&gram))
      .assumingMemoryBound(to: UInt8.self)
  }

  package func execute() { ck_gram_run(&gram) }
}
