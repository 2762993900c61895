//! Images made smaller as scikit-image's resize with anti-aliasing makes them. Knows no files.

import Glibc

/// A Gaussian of sigma (factor - 1) / 2, cut off at four sigmas, then bilinear sampling at pixel
/// centres, both with mirrored edges (scikit-image 0.24's `resize(image, shape, anti_aliasing=True)`
/// of bytes). Both are linear and act on rows and columns apart, so each output row and column is
/// one weighted sum of input rows and columns; the order of the sums is ours.
package struct AntiAliasedResize: Sendable {
  private let rows: Axis
  private let columns: Axis
  private let height: Int
  private let width: Int

  package init(height: Int, width: Int, toHeight: Int, toWidth: Int) {
    precondition(
      height > 0 && width > 0 && toHeight > 0 && toWidth > 0,
      "\(height) x \(width) to \(toHeight) x \(toWidth)")
    rows = Axis(from: height, to: toHeight)
    columns = Axis(from: width, to: toWidth)
    self.height = height
    self.width = width
  }

  /// - Parameter pixels: (height, width, 3).
  /// - Returns: (toHeight, toWidth, 3), rounded down, as NumPy's conversion to bytes does.
  package func callAsFunction(_ pixels: [UInt8]) -> [UInt8] {
    precondition(pixels.count == height * width * 3, "\(pixels.count) bytes")
    let (toHeight, toWidth) = (rows.windows.count, columns.windows.count)
    var output = [UInt8](repeating: 0, count: toHeight * toWidth * 3)
    var line = [Float](repeating: 0, count: width * 3)
    pixels.withUnsafeBufferPointer { pixels in
      line.withUnsafeMutableBufferPointer { line in
        for row in 0..<toHeight {
          let window = rows.windows[row]
          for place in line.indices { line[place] = 0 }
          for tap in 0..<window.count {
            let weight = rows.weights[window.weights + tap]
            let start = (window.start + tap) * width * 3
            for place in line.indices { line[place] += weight * Float(pixels[start + place]) }
          }
          for column in 0..<toWidth {
            let window = columns.windows[column]
            var (red, green, blue) = (Float(0), Float(0), Float(0))
            for tap in 0..<window.count {
              let weight = columns.weights[window.weights + tap]
              let place = (window.start + tap) * 3
              red += weight * line[place]
              green += weight * line[place + 1]
              blue += weight * line[place + 2]
            }
            let place = (row * toWidth + column) * 3
            output[place] = Self.byte(red)
            output[place + 1] = Self.byte(green)
            output[place + 2] = Self.byte(blue)
          }
        }
      }
    }
    return output
  }

  /// A flat area keeps its value although its weights' sum is rounded.
  private static func byte(_ value: Float) -> UInt8 { UInt8(min(max(value + 0x1p-10, 0), 255)) }

  /// The weighted sums along one direction.
  private struct Axis: Sendable {
    struct Window {
      var start: Int
      var count: Int
      /// Where its weights begin.
      var weights: Int
    }

    var windows: [Window] = []
    var weights: [Float] = []

    init(from count: Int, to outputs: Int) {
      let factor = Double(count) / Double(outputs)
      let sigma = max(0, (factor - 1) / 2)
      let radius = Int(4 * sigma + 0.5)
      var gaussian = (-radius...radius).map { place in
        sigma > 0 ? exp(-0.5 * Double(place * place) / (sigma * sigma)) : 1
      }
      let sum = gaussian.reduce(0, +)
      gaussian = gaussian.map { $0 / sum }
      for output in 0..<outputs {
        let centre = (Double(output) + 0.5) * factor - 0.5
        let left = centre.rounded(.down)
        let share = centre - left
        var taps: [Int: Double] = [:]
        for (side, weight) in [(0, 1 - share), (1, share)] where weight > 0 {
          let middle = Self.mirror(Int(left) + side, count)
          for (place, value) in gaussian.enumerated() {
            taps[Self.mirror(middle + place - radius, count), default: 0] += weight * value
          }
        }
        let start = taps.keys.min() ?? 0
        let end = taps.keys.max() ?? 0
        windows.append(Window(start: start, count: end - start + 1, weights: weights.count))
        for place in start...end { weights.append(Float(taps[place] ?? 0)) }
      }
    }

    /// ... 2 1 | 0 1 2 ...: the edge itself is not repeated.
    private static func mirror(_ place: Int, _ count: Int) -> Int {
      guard count > 1 else { return 0 }
      let period = 2 * (count - 1)
      let turn = ((place % period) + period) % period
      return turn < count ? turn : period - turn
    }
  }
}
