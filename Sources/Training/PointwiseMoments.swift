//! The moments of a folded 1x1 layer's first convolution, from its input alone. Knows neither the
//! second convolution nor the backward pass.

import Tensors

/// c = xK is linear in x at each position, so its moments follow from the sums of x and from x'x.
/// Where x is codes of a byte times powers of two, these are whole numbers, which on a processor that
/// multiplies bytes cost a third of the convolution or less, and c is never computed at all:
///
///     mu = (sum x) K / n + b,   var = diag(K' x'x K) / n - (mu - b)^2
///
/// These are the moments themselves, rounded once; TensorFlow's differ from them by what float32 sums
/// over all positions lose, some millionths.
final class PointwiseMoments {
  private let statistics: FoldedStatistics
  private let input: MapNode
  private let products: ByteProduct
  private let moments: ByteMoments
  private let scratch: PlannedBuffer

  /// x'x K: (channels in, channels out).
  var image: Storage { moments.image }
  /// The sums of x.
  var sums: Buffer<Double> { products.sums }

  /// nil where the input is not bytes.
  init?(
    _ layer: BoundLayer, _ statistics: FoldedStatistics, input: MapNode, plan: inout MemoryPlan
  ) {
    let geometry = layer.geometry
    guard
      let grids = input.grids,
      let products = ByteProduct(
        samples: geometry.batch, positions: geometry.outputRows / geometry.batch,
        channels: geometry.inputChannels, grids: grids.pointer)
    else { return nil }
    self.statistics = statistics
    self.input = input
    self.products = products
    moments = ByteMoments(
      of: products, rows: geometry.outputRows, columns: layer.channels, kernel: layer.kernel,
      bias: layer.bias, mean: statistics.mean.pointer, variance: statistics.variance.pointer)
    scratch = plan.buffer(count: products.scratchCount)
  }

  func planForward(_ plan: inout MemoryPlan, at moment: Int) { plan.use(scratch, at: moment) }

  func bind() { products.bind(input: input.buffer.pointer, scratch: scratch.pointer) }

  /// Computes mean and variance, and the same for the moving statistics.
  func run() {
    products.execute()
    moments.run()
    let (s, channels) = (statistics, statistics.mean.count)
    s.fusedMean.pointer.update(from: s.mean.pointer, count: channels)
    s.fusedVariance.pointer.update(from: s.variance.pointer, count: channels)
  }
}
