//! Steps without weights: quantization slots, ReLU, sums, pooling, softmax. Each has its forward
//! and backward pass side by side.

import CKernels
import Glibc
import Quantization
import Tensors

/// A quantization slot: one scale per sample.
final class SlotStep {
  private let quantizer: Quantizer
  private let x: UnsafeMutablePointer<Float>
  private let y: UnsafeMutablePointer<Float>
  private let samples: Int
  private let elements: Int
  private let isNonNegative: Bool

  init(
    _ quantizer: Quantizer, x: UnsafeMutablePointer<Float>, y: UnsafeMutablePointer<Float>,
    samples: Int, elements: Int, isNonNegative: Bool
  ) {
    self.quantizer = quantizer
    self.x = x
    self.y = y
    self.samples = samples
    self.elements = elements
    self.isNonNegative = isNonNegative
  }

  func forward() {
    quantizer.quantizeFeatureMap(
      x, into: y, samples: samples, elementsPerSample: elements, isNonNegative: isNonNegative)
  }

  func backward(_ dy: UnsafePointer<Float>, _ dx: UnsafeMutablePointer<Float>) {
    quantizer.backwardFeatureMap(dy, x: x, into: dx, count: samples * elements)
  }
}

/// max(x, 0); x and y may be one.
struct ReLUStep {
  let x: UnsafeMutablePointer<Float>
  let y: UnsafeMutablePointer<Float>
  let count: Int

  func forward() { ck_relu(x, y, count) }

  func backward(_ dy: UnsafePointer<Float>, _ dx: UnsafeMutablePointer<Float>) {
    ck_relu_backward(y, dy, dx, count)
  }
}

/// The sum of two maps; its gradient goes to both unchanged.
struct AddStep {
  let a: UnsafeMutablePointer<Float>
  let b: UnsafeMutablePointer<Float>
  let y: UnsafeMutablePointer<Float>
  let count: Int

  func forward() { ck_add(a, b, y, count) }
}

/// Means over windows without overlap.
struct AveragePoolStep {
  let x: UnsafeMutablePointer<Float>
  let y: UnsafeMutablePointer<Float>
  let samples: Int
  let height: Int
  let width: Int
  let channels: Int
  let window: (height: Int, width: Int)

  func forward() {
    ck_average_pool(x, y, samples, height, width, channels, window.height, window.width)
  }

  func backward(_ dy: UnsafePointer<Float>, _ dx: UnsafeMutablePointer<Float>) {
    ck_average_pool_backward(
      dy, dx, samples, height, width, channels, window.height, window.width)
  }
}

/// Softmax over the last axis; its gradient belongs to the loss, which knows it in closed form.
struct SoftmaxStep {
  let x: UnsafeMutablePointer<Float>
  let y: UnsafeMutablePointer<Float>
  let samples: Int
  let classes: Int

  func forward() {
    for sample in 0..<samples {
      let (x, y) = (x + sample * classes, y + sample * classes)
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
