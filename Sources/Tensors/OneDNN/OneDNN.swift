//! oneDNN's engine and stream, and what is set once per process. Knows no layer.

internal import CKernels
internal import COneDNN
package import Diagnostics

/// The processor's oneDNN: one engine and one in-order stream.
package final class OneDNN: @unchecked Sendable {
  /// The instruction sets that an experiment can name, weakest first, in oneDNN's spelling.
  package static let instructionSets = ["sse41", "avx2", "avx512_core"]

  /// Whether the loops beside oneDNN keep to operations that every processor rounds alike. Else
  /// reciprocal roots are the processor's own approximation, refined, as TensorFlow's are.
  package let isPortable: Bool
  let engine: dnnl_engine_t
  let stream: dnnl_stream_t
  /// Convolutions made so far whose sums may hang on the number of threads.
  package internal(set) var threadedConvolutions = 0
  /// What primitives may use while they run: one for each of those that run at the same time.
  private(set) var scratchpads: [UnsafeMutableRawPointer?] = []
  private var scratchpadMemory: [Buffer<UInt8>] = []

  package init(isPortable: Bool = false) throws(LibraryError) {
    // Before oneDNN's threads exist, which inherit it.
    ck_flush_denormals()
    self.isPortable = isPortable
    var engine: dnnl_engine_t?
    try Self.check(dnnl_engine_create(&engine, dnnl_cpu, 0), "dnnl_engine_create")
    guard let engine else { preconditionFailure("oneDNN made no engine") }
    var stream: dnnl_stream_t?
    try Self.check(
      dnnl_stream_create(&stream, engine, dnnl_stream_in_order.rawValue),
      "dnnl_stream_create")
    guard let stream else { preconditionFailure("oneDNN made no stream") }
    self.engine = engine
    self.stream = stream
  }

  deinit {
    dnnl_stream_destroy(stream)
    dnnl_engine_destroy(engine)
  }

  /// Makes scratchpad `index` at least that large; not while a primitive runs.
  func reserveScratchpad(_ index: Int, bytes: Int) {
    while scratchpads.count <= index {
      scratchpads.append(nil)
      scratchpadMemory.append(Buffer(count: 0))
    }
    // On a page, as oneDNN wants it.
    let page = 4096
    guard bytes + page > scratchpadMemory[index].count else { return }
    let memory = Buffer<UInt8>(count: bytes + page)
    scratchpadMemory[index] = memory
    scratchpads[index] = UnsafeMutableRawPointer(memory.pointer).alignedUp(toMultipleOf: page)
  }

  /// Fixes what decides the last bits of a result: threads, and the widest instruction set used.
  /// To be called before the first primitive of the process is made.
  package static func configure(threads: Int, instructionSet: String) throws(LibraryError) {
    use(threads: threads)
    let limit =
      switch instructionSet {
      case "sse41": dnnl_cpu_isa_sse41
      case "avx2": dnnl_cpu_isa_avx2
      default: dnnl_cpu_isa_avx512_core
      }
    try check(dnnl_set_max_cpu_isa(limit), "dnnl_set_max_cpu_isa")
  }

  /// Whether the widest instruction set that was allowed and is there has vectors of 512 bits.
  static let usesWideVectors =
    dnnl_get_effective_cpu_isa().rawValue & dnnl_cpu_isa_avx512_core.rawValue
    == dnnl_cpu_isa_avx512_core.rawValue

  /// How many threads the next run uses.
  package static func use(threads: Int) { omp_set_num_threads(Int32(threads)) }

  static func check(_ status: dnnl_status_t, _ call: String) throws(LibraryError) {
    guard status == dnnl_success else {
      throw LibraryError(
        library: "oneDNN", call: call, code: Int(status.rawValue),
        detail: String(cString: dnnl_status2str(status)))
    }
  }

  /// Execution over checked buffers fails only for want of memory or by our own mistake.
  static func expect(_ status: dnnl_status_t) {
    precondition(status == dnnl_success, "oneDNN failed with \(status.rawValue)")
  }
}
