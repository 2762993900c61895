//! Products of a quantized map with itself in whole numbers of a byte. Knows no layer.

internal import CKernels

/// Of a map (samples, positions, channels) of codes of at most 8 bits times powers of two: over all
/// positions the sums of x[i] * x[j] and of x[i], in whole numbers of which a double holds the sum: so
/// it hangs on no order, unless the steps of samples lie thousandfold apart or a sample has no bytes.
package final class ByteProduct {
  /// (channels, channels).
  package let product: Buffer<Double>
  /// (channels).
  package let sums: Buffer<Double>
  private var gram = ck_gram()

  /// So that a thread that is done early finds something to take over.
  private static let groupsPerThread = 2

  /// nil where sums could overflow.
  ///
  /// - Parameters:
  ///   - grids: step and zero of each sample, as `ByteConvolution` has them.
  ///   - isPlain: whether to do without multiplications of bytes, as a processor without them does: the
  ///     same numbers, for comparison.
  package init?(
    samples: Int, positions: Int, channels: Int, isPlain: Bool = false, grids: UnsafePointer<Float>
  ) {
    guard Self.suits(positions: positions) else { return nil }
    (product, sums) = (Buffer(count: channels * channels), Buffer(count: channels))
    (gram.samples, gram.positions, gram.channels) = (samples, positions, channels)
    gram.groups = min(samples, Self.groupsPerThread * ck_threads())
    gram.plain = isPlain ? 1 : 0
    (gram.grids, gram.product, gram.sums) = (grids, product.pointer, sums.pointer)
  }

  /// Whether no sample's sums can overflow.
  private static func suits(positions: Int) -> Bool { positions <= 16384 }

  /// Floats of scratch.
  package var scratchCount: Int {
    2 * ck_gram_partial(&gram) + ck_threads() * ck_gram_scratch(&gram) / MemoryLayout<Float>.stride
  }

  /// The map, and `scratchCount` floats; the buffers must outlive the product.
  package func bind(input: UnsafePointer<Float>, scratch: UnsafeMutablePointer<Float>) {
    gram.x = input
    let memory = UnsafeMutableRawPointer(scratch)
    let partial = ck_gram_partial(&gram)
    gram.partial = memory.assumingMemoryBound(to: Double.self)
    gram.scratch = (memory + partial * MemoryLayout<Double>.stride)
      .assumingMemoryBound(to: UInt8.self)
  }

  package func execute() { ck_gram_run(&gram) }
}

/// The moments of a map's product with a kernel, from the map's own products alone.
package final class ByteMoments {
  /// x'x * kernel: (channels, columns).
  package let image: Storage
  private var moments = ck_gram_moments()
  private let scratch: Buffer<Double>

  /// The buffers must outlive the object.
  ///
  /// - Parameters:
  ///   - rows: positions of all samples.
  ///   - kernel: (channels, columns).
  ///   - bias: (columns).
  ///   - mean, variance: (columns); get those of x * kernel + bias, the variance being the population's.
  package init(
    of products: ByteProduct, rows: Int, columns: Int, kernel: UnsafePointer<Float>,
    bias: UnsafePointer<Float>, mean: UnsafeMutablePointer<Float>,
    variance: UnsafeMutablePointer<Float>
  ) {
    moments.rows = rows
    (moments.channels, moments.columns) = (products.sums.count, columns)
    image = Storage(count: moments.channels * columns)
    scratch = Buffer(count: ck_threads() * ck_gram_moments_scratch(&moments))
    (moments.product, moments.sums) = (
      UnsafePointer(products.product.pointer), UnsafePointer(products.sums.pointer)
    )
    (moments.kernel, moments.bias) = (kernel, bias)
    (moments.mean, moments.variance) = (mean, variance)
    (moments.image, moments.scratch) = (image.pointer, scratch.pointer)
  }

  /// With the products' and the kernel's current values.
  package func run() { ck_gram_moments_run(&moments) }
}
