//! Chains against the same operations written out one after the other, and their gradients against
//! differences.

import CKernels
import Glibc
import Tensors
import TestSupport
import Testing

/// What makes a sample: a copy of one that stands elsewhere.
private final class Sample {
  struct Place {
    var values: UnsafeMutablePointer<Float>
    var count: Int
  }

  private let place: UnsafeMutablePointer<Place>
  var pointer: UnsafeRawPointer { UnsafeRawPointer(place) }

  init(values: UnsafeMutablePointer<Float>, count: Int) {
    place = .allocate(capacity: 1)
    place.initialize(to: Place(values: values, count: count))
  }

  deinit { place.deallocate() }
}

/// A chain with all its arrays.
private final class Chain {
  let samples: Int
  let positions: Int
  let channels: Int
  let source: ck_source
  let segments: [ck_segment]
  let key: Buffer<UInt64>
  var a: [Float]
  var b: [Float]
  let factor: [Float]
  let offset: [Float]
  let c: [Float]
  let g: [Float]

  var elements: Int { positions * channels }

  init(
    _ source: ck_source, _ segments: [(ck_function, ck_map_quantizer)], samples: Int = 3,
    positions: Int = 13, channels: Int = 24
  ) {
    self.source = source
    (self.samples, self.positions, self.channels) = (samples, positions, channels)
    let key = Buffer<UInt64>([77])
    self.key = key
    self.segments = segments.map { function, quantizer in
      ck_segment(function: function, quantizer: quantizer, rate: 0.4, key: key.pointer)
    }
    let count = samples * positions * channels
    a = hashed(count, stream: 1, scale: 4)
    b = hashed(source == ck_from_product ? samples * channels : count, stream: 2, scale: 2)
    factor = hashed(channels, stream: 3, scale: 2)
    offset = hashed(channels, stream: 4)
    c = hashed(count, stream: 5)
    g = hashed(count, stream: 6)
  }

  /// What a run gives.
  struct Result {
    var y: [Float] = []
    var da: [Float] = []
    var db: [Float] = []
    var sums: [[Double]] = []
    var grids: [Float] = []
  }

  /// - Parameters:
  ///   - inPlace: whether the gradient takes the place of the result's.
  ///   - remakes: whether a's samples are made where they are read.
  ///   - streams: whether the result goes past the caches.
  func run(
    adds: Bool = false, inPlace: Bool = false, remakes: Bool = false, streams: Bool = false
  ) -> Result {
    let period = ck_period(channels)
    func repeated(_ values: [Float]) -> Storage {
      let target = Storage(count: period)
      ck_repeat(values, channels, target.pointer)
      return target
    }
    let (a, b, c, g) = (Storage(a), Storage(b), Storage(c), Storage(g))
    let (factor, offset) = (repeated(factor), repeated(offset))
    let means = (repeated(hashed(channels, stream: 7)), repeated(hashed(channels, stream: 8)))
    let y = Storage(count: a.count)
    let (da, db) = (inPlace ? g : Storage(count: a.count), Storage(count: b.count))
    if adds {
      da.load([Float](repeating: 1, count: da.count))
      db.load([Float](repeating: 1, count: db.count))
    }
    let grids = Storage(count: 2 * samples)
    let sums = (0..<3).map { _ in Buffer<Double>(count: channels) }
    var result = Result()
    segments.withUnsafeBufferPointer { segments in
      var chain = ck_chain()
      chain.source = source
      (chain.a, chain.b) = (UnsafePointer(a.pointer), UnsafePointer(b.pointer))
      let sample = Sample(values: a.pointer, count: elements)
      if remakes {
        (chain.a, chain.remakes, chain.maker) = (nil, 1, sample.pointer)
        chain.make = { maker, index, y, _ in
          guard let sample = maker?.assumingMemoryBound(to: Sample.Place.self).pointee else {
            return
          }
          y?.update(from: sample.values + index * sample.count, count: sample.count)
        }
      }
      defer { withExtendedLifetime(sample) {} }
      chain.streams = streams ? 1 : 0
      chain.factor = UnsafePointer(factor.pointer)
      chain.offset = UnsafePointer(offset.pointer)
      (chain.samples, chain.elements) = (samples, elements)
      (chain.channels, chain.period) = (channels, period)
      (chain.segments, chain.segment_count) = (segments.baseAddress, segments.count)
      chain.y = y.pointer
      chain.grids = grids.pointer
      let scratch = Storage(count: ck_threads() * ck_chain_scratch(&chain))
      chain.scratch = scratch.pointer
      ck_chain_forward(&chain)
      (result.y, result.grids) = (y.values, grids.values)
      var gradient = ck_chain_gradient()
      gradient.g = UnsafePointer(g.pointer)
      (gradient.da, gradient.da_adds) = (da.pointer, adds ? 1 : 0)
      (gradient.db, gradient.db_adds) = (db.pointer, adds ? 1 : 0)
      gradient.c = UnsafePointer(c.pointer)
      gradient.mean_a = UnsafePointer(means.0.pointer)
      gradient.mean_c = UnsafePointer(means.1.pointer)
      (gradient.sum_g, gradient.sum_ga, gradient.sum_gc) = (
        sums[0].pointer, sums[1].pointer, sums[2].pointer
      )
      let partial = Buffer<Double>(count: ck_chain_partial_sums(&chain))
      defer { withExtendedLifetime(partial) {} }
      gradient.partial_sums = partial.pointer
      ck_chain_backward(&chain, &gradient)
    }
    (result.da, result.db, result.sums) = (da.values, db.values, sums.map(\.values))
    return result
  }

  /// The source written out.
  func sourceValue(_ index: Int) -> Double {
    let (sample, channel) = (index / elements, index % channels)
    return switch source {
    case ck_from_affine: Double(a[index] * factor[channel] + offset[channel])
    case ck_from_sum: Double(a[index]) + Double(b[index])
    case ck_from_product: Double(a[index]) * Double(b[sample * channels + channel])
    default: Double(a[index])
    }
  }
}

private func apply(_ function: ck_function, _ x: Double) -> Double {
  switch function {
  case ck_relu: max(x, 0)
  case ck_relu6: min(max(x, 0), 6)
  case ck_swish: x / (1 + exp(-x))
  case ck_sigmoid: 1 / (1 + exp(-x))
  default: x
  }
}

private let unquantized = ck_map_quantizer()
private let eightBits: ck_map_quantizer = {
  var quantizer = ck_map_quantizer()
  (quantizer.kind, quantizer.limit, quantizer.noise) = (ck_map_auto, 127, 1)
  return quantizer
}()

private let functions = [ck_identity, ck_relu, ck_relu6, ck_swish, ck_sigmoid].map(\.rawValue)
private let sources = [ck_from_map, ck_from_affine, ck_from_sum, ck_from_product].map(\.rawValue)

@Suite(.serialized) struct ChainTests {
  @Test(arguments: sources, functions)
  func computesWhatTheOperationsDo(source: UInt32, function: UInt32) {
    for channels in [1, 3, 8, 24, 100] {
      let chain = Chain(
        ck_source(source), [(ck_function(function), unquantized), (ck_swish, unquantized)],
        channels: channels)
      let expected = chain.a.indices.map { index in
        apply(ck_swish, apply(ck_function(function), chain.sourceValue(index)))
      }
      #expect(relativeDistance(chain.run().y.map(Double.init), expected) < 3e-7)
    }
  }

  @Test(arguments: sources, functions)
  func gradientsAreDifferences(source: UInt32, function: UInt32) {
    let chain = Chain(
      ck_source(source), [(ck_function(function), unquantized), (ck_sigmoid, unquantized)])
    let result = chain.run()
    func loss() -> Double {
      chain.a.indices.reduce(0) { sum, index in
        sum + Double(chain.g[index])
          * apply(ck_sigmoid, apply(ck_function(function), chain.sourceValue(index)))
      }
    }
    for index in stride(from: 0, to: chain.a.count, by: 97) {
      let value = chain.a[index]
      let step: Float = 1e-3
      chain.a[index] = value + step
      let above = loss()
      chain.a[index] = value - step
      let difference = (above - loss()) / Double((value + step) - (value - step))
      chain.a[index] = value
      // The affine's gradient stays by its result: the folded layer takes it from there.
      let slope =
        ck_source(source) == ck_from_affine ? Double(chain.factor[index % chain.channels]) : 1
      #expect(abs(Double(result.da[index]) * slope - difference) < 2e-3)
    }
    guard ck_source(source) == ck_from_product else { return }
    for index in chain.b.indices {
      let value = chain.b[index]
      chain.b[index] = value + 1e-3
      let above = loss()
      chain.b[index] = value - 1e-3
      let difference = (above - loss()) / Double((value + 1e-3) - (value - 1e-3))
      chain.b[index] = value
      #expect(abs(Double(result.db[index]) - difference) < 5e-3)
    }
  }

  @Test func sumsPerChannelAreTheGradients() {
    let chain = Chain(ck_from_affine, [(ck_relu, eightBits)], positions: 700, channels: 5)
    let result = chain.run()
    let (meanA, meanC) = (hashed(5, stream: 7), hashed(5, stream: 8))
    var expected = [[Double]](repeating: [Double](repeating: 0, count: 5), count: 3)
    for index in chain.a.indices {
      let (channel, g) = (index % 5, Double(result.da[index]))
      expected[0][channel] += g
      expected[1][channel] += g * (Double(chain.a[index]) - Double(meanA[channel]))
      expected[2][channel] += g * (Double(chain.c[index]) - Double(meanC[channel]))
    }
    for (actual, expected) in zip(result.sums, expected) {
      #expect(relativeDistance(actual, expected) < 1e-5)
    }
  }

  @Test func addsToWhatStandsThere() {
    for source in sources.map({ ck_source($0) }) where source != ck_from_affine {
      let chain = Chain(source, [(ck_swish, eightBits)])
      let (plain, added) = (chain.run(), chain.run(adds: true))
      #expect(added.da == plain.da.map { 1 + $0 })
      if source != ck_from_map { #expect(added.db == plain.db.map { 1 + $0 }) }
    }
  }

  /// Chunks of periods that are no multiple of a vector.
  @Test(arguments: [65, 150, 250]) func oddChannelsAddOnceAndInPlace(channels: Int) {
    for source in [ck_from_map, ck_from_sum] {
      let chain = Chain(source, [(ck_swish, unquantized)], positions: 16, channels: channels)
      let plain = chain.run()
      let added = chain.run(adds: true)
      #expect(added.da == plain.da.map { 1 + $0 })
      if source == ck_from_sum { #expect(added.db == plain.db.map { 1 + $0 }) }
      #expect(chain.run(inPlace: true).da == plain.da)
    }
  }

  @Test func quantizedMapsPassTheGradientButNotByTinyValues() {
    let chain = Chain(ck_from_map, [(ck_identity, eightBits)], channels: 8)
    chain.a[3] = 5e-8
    chain.a[4] = -5e-8
    chain.a[5] = 2e-7
    let result = chain.run()
    #expect(result.da[3] == 0 && result.da[4] == 0)
    #expect(result.da.enumerated().allSatisfy { [3, 4].contains($0) || $1 == chain.g[$0] })
    // One scale for each sample: 255 values at most, the largest of which is kept.
    let largest = chain.a[0..<chain.elements].map(abs).max() ?? 0
    #expect(Set(result.y[0..<chain.elements]).count <= 255)
    #expect(abs((result.y[0..<chain.elements].map(abs).max() ?? 0) - largest) < largest / 127)
  }

  /// Of quantizers with powers of two: values are whole numbers of them, which a byte holds.
  @Test(arguments: [false, true]) func gridsSayWhatValuesStandFor(isNonNegative: Bool) {
    var powers = eightBits
    powers.kind = ck_map_po2
    var best = eightBits
    (best.kind, best.low, best.high) =
      (ck_map_best, isNonNegative ? 0 : -127, isNonNegative ? 255 : 127)
    let function = isNonNegative ? ck_relu : ck_identity
    for quantizer in [powers, best] {
      let chain = Chain(ck_from_affine, [(ck_swish, quantizer), (function, quantizer)])
      let result = chain.run()
      for (index, value) in result.y.enumerated() {
        let sample = index / chain.elements
        let (step, zero) = (result.grids[2 * sample], result.grids[2 * sample + 1])
        let byte = value / step + zero + 127
        #expect(step.significand == 1 && byte == byte.rounded() && (0...255).contains(byte))
      }
    }
  }

  @Test func dropoutKeepsTheShareItSaysAndItsGradientFollows() {
    let chain = Chain(ck_from_map, [(ck_dropout, unquantized)], positions: 500)
    let result = chain.run()
    let kept = result.y.filter { $0 != 0 }.count
    #expect(abs(Double(kept) / Double(result.y.count) - 0.6) < 0.01)
    for index in result.y.indices {
      let isKept = result.y[index] != 0
      #expect(result.da[index] == (isKept ? chain.g[index] * (1 / (1 - 0.4)) : 0))
    }
    chain.key.pointer.pointee = 78
    #expect(chain.run().y != result.y)
  }

  /// Whole vectors and not, a range of its own for each sample and none, one segment and two.
  @Test(arguments: [24, 32], [ck_relu, ck_swish, ck_identity])
  func samplesThatAreNotKeptAndResultsPastTheCacheChangeNothing(
    channels: Int, function: ck_function
  ) {
    for segments in [[(function, eightBits)], [(ck_identity, eightBits), (function, eightBits)]] {
      for positions in [13, 16] {
        let chain = Chain(ck_from_affine, segments, positions: positions, channels: channels)
        let usual = chain.run()
        for (remakes, streams) in [(true, false), (false, true), (true, true)] {
          let other = chain.run(remakes: remakes, streams: streams)
          #expect(other.y == usual.y && other.grids == usual.grids)
          #expect(other.da == usual.da && other.sums == usual.sums)
        }
      }
    }
  }

  @Test func theNumberOfThreadsChangesNothing() {
    let chain = Chain(
      ck_from_affine, [(ck_identity, eightBits), (ck_swish, eightBits)], samples: 7,
      positions: 300)
    let usual = ck_threads()
    OneDNN.use(threads: 1)
    defer { OneDNN.use(threads: usual) }
    let one = chain.run()
    for threads in [2, 3, 5] {
      OneDNN.use(threads: threads)
      let many = chain.run()
      #expect(many.y == one.y && many.da == one.da && many.sums == one.sums)
    }
  }
}
