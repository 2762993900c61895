//! Softmax over the last axis, at the end of a network. Its gradient belongs to the loss, which
//! knows it in closed form.

import Glibc
import Tensors

final class SoftmaxStep: ProgramStep {
  let name: String
  let kind = "softmax"
  private let input: MapNode
  private let output: MapNode
  private let samples: Int
  private let classes: Int

  init(name: String, input: MapNode, output: MapNode, samples: Int, classes: Int) {
    self.name = name
    self.input = input
    self.output = output
    self.samples = samples
    self.classes = classes
  }

  func planForward(_ plan: inout MemoryPlan, at moment: Int) {
    plan.use(input.buffer, at: moment)
    plan.use(output.buffer, at: moment)
  }

  func bind(on oneDNN: OneDNN) {}

  func forward() {
    for sample in 0..<samples {
      let x = input.buffer.pointer + sample * classes
      let y = output.buffer.pointer + sample * classes
      var largest = -Float.infinity
      for j in 0..<classes { largest = max(largest, x[j]) }
      for j in 0..<classes {
        // In Double, where the C library's variants for different processors agree once rounded.
        y[j] = Float(exp(Double(x[j] - largest)))
      }
      let sum = Self.sum(y, count: classes)
      for j in 0..<classes { y[j] /= sum }
    }
  }

  /// The sum in the order in which TensorFlow's cross-entropy adds: eight lanes, folded in halves,
  /// then what is left over. The gradient is (y - onehot), so its last bits are these.
  private static func sum(_ values: UnsafePointer<Float>, count: Int) -> Float {
    let whole = count / 8 * 8
    var lanes = SIMD8<Float>.zero
    for first in stride(from: 0, to: whole, by: 8) {
      for lane in 0..<8 { lanes[lane] += values[first + lane] }
    }
    let halves = lanes.lowHalf + lanes.highHalf
    let quarters = halves.lowHalf + halves.highHalf
    var rest: Float = 0
    for index in whole..<count { rest += values[index] }
    return (quarters[0] + quarters[1]) + rest
  }
}
