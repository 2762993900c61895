//! A oneDNN convolution with its memories, the batch shared out among the threads. Knows nothing of
//! the order of sums.

internal import CKernels
internal import COneDNN
package import Diagnostics

/// A oneDNN convolution bound to its buffers: a primitive for the samples of each thread, which are
/// the same in all of them and in our own loops. oneDNN alone would share out some by channels, and
/// what another core wrote last is slow to read and to write over.
package final class ConvolutionPrimitive {
  private let oneDNN: OneDNN
  private let pass: Convolution.Pass
  private var parts: [sw_convolution] = []
  /// Kernel gradients of all parts but the first.
  private var partialGradients: [Storage] = []
  /// Where the whole kernel gradient goes; nil in the other passes.
  private let kernelGradient: UnsafeMutablePointer<Float>?
  /// Where the parts' kernel gradients lie: in one layout, so that they can be added there, or not, as
  /// shares of unequal size may have different ones.
  private var layoutsAgree = true

  /// The buffers must outlive the primitive. `bias` counts in the forward passes alone.
  package init(
    _ pass: Convolution.Pass, _ geometry: ConvolutionGeometry, on oneDNN: OneDNN,
    input: UnsafeMutablePointer<Float>, kernel: UnsafeMutablePointer<Float>,
    bias: UnsafeMutablePointer<Float>? = nil, output: UnsafeMutablePointer<Float>
  ) throws(LibraryError) {
    self.oneDNN = oneDNN
    self.pass = pass
    kernelGradient = pass == .backwardKernel ? kernel : nil
    let (batch, threads) = (geometry.batch, ck_threads())
    let isShared = threads > 1 && (batch >= 4 * threads || batch % threads == 0)
    let count = isShared ? threads : 1
    // A primitive is made for the number of threads that is set.
    if isShared { OneDNN.use(threads: 1) }
    defer { if isShared { OneDNN.use(threads: threads) } }
    for part in 0..<count {
      let first = batch * part / count
      var share = geometry
      share.batch = batch * (part + 1) / count - first
      var kernel = kernel
      if pass == .backwardKernel, part > 0 {
        let gradient = Storage(count: geometry.kernelCount)
        partialGradients.append(gradient)
        kernel = gradient.pointer
      }
      // A depthwise layer of one channel is an ordinary one-channel convolution: oneDNN's groups of
      // 1 and the plain layout coincide.
      var shim = share.shim
      var convolution = sw_convolution()
      try OneDNN.check(
        sw_convolution_create(
          &convolution, oneDNN.engine, pass.shim, &shim, sw_plain_maps,
          input + first * (geometry.inputCount / batch), kernel, bias,
          output + first * (geometry.outputCount / batch), pass == .forwardAdding ? 1 : 0),
        "convolution \(pass) \(geometry)")
      add(convolution)
    }
  }

  /// A primitive whose maps lie as oneDNN likes best, in zeroed memory of its own that nobody else
  /// reads or writes: for timings.
  package init(
    blocked pass: Convolution.Pass, _ geometry: ConvolutionGeometry, on oneDNN: OneDNN
  ) throws(LibraryError) {
    self.oneDNN = oneDNN
    self.pass = pass
    kernelGradient = nil
    var shim = geometry.shim
    var convolution = sw_convolution()
    try OneDNN.check(
      sw_convolution_create(
        &convolution, oneDNN.engine, pass.shim, &shim, sw_blocked_maps, nil, nil, nil, nil, 0),
      "blocked convolution \(pass) \(geometry)")
    add(convolution)
  }

  deinit { for part in parts.indices { sw_convolution_destroy(&parts[part]) } }

  private func add(_ convolution: sw_convolution) {
    oneDNN.reserveScratchpad(parts.count, bytes: convolution.scratchpad_bytes)
    parts.append(convolution)
    if sw_convolution_layouts_agree(parts[0], convolution) == 0 { layoutsAgree = false }
  }

  package func loadKernel() {
    guard pass != .backwardKernel else { return }
    run { context, begin, end, _ in
      guard let run = context?.assumingMemoryBound(to: Run.self).pointee else { return }
      for part in begin..<end {
        OneDNN.expect(sw_convolution_load_kernel(run.parts + part, run.stream))
      }
    }
  }

  package func execute() {
    executeBare()
    if pass == .backwardKernel { joinGradients() }
  }

  /// `loadKernel` and `execute` at one go of the threads.
  func loadAndExecute() {
    guard pass != .backwardKernel else { return execute() }
    run { context, begin, end, _ in
      guard let run = context?.assumingMemoryBound(to: Run.self).pointee else { return }
      for part in begin..<end {
        OneDNN.expect(sw_convolution_load_kernel(run.parts + part, run.stream))
        OneDNN.expect(sw_convolution_execute(run.parts + part, run.stream, run.scratchpads[part]))
      }
    }
  }

  private func joinGradients() {
    var count = 0
    let sum = sw_convolution_gradient(&parts[0], &count)
    for part in parts.indices.dropFirst() where layoutsAgree {
      ck_accumulate(sw_convolution_gradient(&parts[part], &count), sum, count)
    }
    OneDNN.expect(sw_convolution_unload_gradient(&parts[0], oneDNN.stream))
    for part in parts.indices.dropFirst() where !layoutsAgree {
      OneDNN.expect(sw_convolution_unload_gradient(&parts[part], oneDNN.stream))
      let gradient = partialGradients[part - 1]
      ck_accumulate(gradient.pointer, kernelGradient, gradient.count)
    }
  }

  /// The primitive alone, without bringing a kernel gradient back from its layout.
  package func executeBare() {
    run { context, begin, end, _ in
      guard let run = context?.assumingMemoryBound(to: Run.self).pointee else { return }
      for part in begin..<end {
        OneDNN.expect(sw_convolution_execute(run.parts + part, run.stream, run.scratchpads[part]))
      }
    }
  }

  private struct Run {
    var parts: UnsafePointer<sw_convolution>
    var scratchpads: UnsafePointer<UnsafeMutableRawPointer?>
    var stream: dnnl_stream_t
  }

  /// Runs `share` on each part, by a thread of its own. One part alone is run by the caller, so that
  /// oneDNN may use all threads.
  private func run(_ share: ck_share) {
    parts.withUnsafeBufferPointer { parts in
      oneDNN.scratchpads.withUnsafeBufferPointer { scratchpads in
        guard let first = parts.baseAddress, let scratchpad = scratchpads.baseAddress else {
          return
        }
        var run = Run(parts: first, scratchpads: scratchpad, stream: oneDNN.stream)
        if parts.count == 1 {
          share(&run, 0, 1, 0)
        } else {
          ck_parallel(share, &run, parts.count, .max)
        }
      }
    }
  }
}

extension Convolution.Pass {
  fileprivate var shim: sw_pass {
    switch self {
    case .forward, .forwardAdding: sw_forward
    case .backwardData: sw_backward_data
    case .backwardKernel: sw_backward_weights
    }
  }
}
