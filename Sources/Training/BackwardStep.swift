//! One entry of a program's backward list: which gradient goes where.

import CKernels
import Tensors

/// A layer's backward pass between two gradient buffers.
enum BackwardStep {
  case weighted(any TrainingStep)
  case slot(SlotStep, Route)
  case relu(ReLUStep, Route)
  case averagePool(AveragePoolStep, Route)
  /// The gradient goes on unchanged.
  case identity(Route)

  /// From an output's gradient to an input's.
  struct Route {
    let from: UnsafeMutablePointer<Float>
    let to: GradientTarget
    /// Of the input.
    let count: Int
    let scratch: UnsafeMutablePointer<Float>

    /// Lets `body` write the gradient, and adds it where another path's part already stands.
    func deliver(_ body: (UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void) {
      if to.accumulates {
        body(from, scratch)
        ck_accumulate(scratch, to.pointer, count)
      } else {
        body(from, to.pointer)
      }
    }
  }

  func run() {
    switch self {
    case .weighted(let step): step.runBackward()
    case .slot(let step, let route): route.deliver(step.backward)
    case .relu(let step, let route): route.deliver(step.backward)
    case .averagePool(let step, let route): route.deliver(step.backward)
    case .identity(let route):
      if route.to.accumulates {
        ck_accumulate(route.from, route.to.pointer, route.count)
      } else if route.from != route.to.pointer {
        route.to.pointer.update(from: route.from, count: route.count)
      }
    }
  }
}
