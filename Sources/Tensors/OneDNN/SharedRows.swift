//! A matrix's rows shared out among the threads. Knows no product.

internal import CKernels

/// Rows of a result that do not hang on each other.
package enum SharedRows {
  /// Rows of a share: oneDNN sums a single row otherwise than several.
  private static let leastRows = 16

  private struct Run {
    var body: (Range<Int>) -> Void
    var rows: Int
    var shares: Int
  }

  /// Runs `body` on the rows of each thread: on all at once, where `values`, the number of products, is
  /// too small to share. What `body` starts runs on one thread either way, and which rows are together
  /// changes no bit. Only for maps of one position, a dense layer's: products of more positions are
  /// oneDNN's to share out, whose sums may hang on the number of threads.
  package static func run(
    _ geometry: ConvolutionGeometry, _ rows: Int, values: Int, _ body: (Range<Int>) -> Void
  ) {
    guard geometry.outputRows == geometry.batch else { return body(0..<rows) }
    let threads = ck_threads(), shares = min(threads, rows / leastRows)
    guard shares > 1, values >= 1 << 16 else {
      OneDNN.use(threads: 1)
      body(0..<rows)
      return OneDNN.use(threads: threads)
    }
    withoutActuallyEscaping(body) { body in
      var run = Run(body: body, rows: rows, shares: shares)
      withUnsafeMutablePointer(to: &run) { run in
        ck_parallel(
          { context, begin, end, _ in
            guard let run = context?.assumingMemoryBound(to: Run.self) else { return }
            let (rows, shares) = (run.pointee.rows, run.pointee.shares)
            for share in begin..<end {
              run.pointee.body(rows * share / shares..<rows * (share + 1) / shares)
            }
          }, run, shares, .max)
      }
    }
  }
}
