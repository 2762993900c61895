//! Means over windows without overlap, or over the whole map; forward and backward side by side.

import CKernels
import Tensors

final class PoolStep: TrainingStep {
  let name: String
  let kind = "pool"
  private let input: MapNode
  private let output: MapNode
  private var pool = ck_pool()
  private var target: GradientTarget?

  /// - Parameter shape: the input's, (height, width, channels).
  init(
    name: String, input: MapNode, output: MapNode, samples: Int, shape: [Int],
    window: (height: Int, width: Int)
  ) {
    self.name = name
    self.input = input
    self.output = output
    pool.samples = samples
    (pool.height, pool.width, pool.channels) = (shape[0], shape[1], shape[2])
    (pool.window_height, pool.window_width) = window
  }

  func planForward(_ plan: inout MemoryPlan, at moment: Int) {
    plan.use(input.buffer, at: moment)
    plan.use(output.buffer, at: moment)
  }

  var needsBackward: Bool { input.needsGradient }

  func planBackward(_ plan: inout MemoryPlan, at moment: Int) {
    guard let gradient = output.gradient else { preconditionFailure("\(name) has no gradient") }
    target = input.target(&plan)
    for buffer in [gradient, target?.buffer].compactMap({ $0 }) { plan.use(buffer, at: moment) }
  }

  func bind(on oneDNN: OneDNN) {
    pool.x = UnsafePointer(input.buffer.pointer)
    pool.y = output.buffer.pointer
    guard let gradient = output.gradient, let target else { return }
    pool.dy = UnsafePointer(gradient.pointer)
    pool.dx = target.buffer.pointer
    pool.dx_adds = target.accumulates ? 1 : 0
  }

  func forward() { ck_average_pool(&pool) }

  func backward() { ck_average_pool_backward(&pool) }
}
