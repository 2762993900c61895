//! Random affine maps of images as Keras draws and applies them; knows no batches and no epochs.

package import Tensors

/// How far images may be moved, as the arguments of Keras's ImageDataGenerator (TensorFlow 2.12).
package struct Augmentation: Hashable, Sendable {
  /// Rotation is uniform in -r...r.
  package var rotationDegrees: Double
  /// Shift down is uniform in -s...s times the height.
  package var heightShift: Double
  /// Shift to the right is uniform in -s...s times the width.
  package var widthShift: Double
  /// Height and width are each scaled by a factor of their own, uniform in 1-z...1+z.
  package var zoom: Double
  /// Whether half of the images are mirrored.
  package var horizontalFlip: Bool

  package init(
    rotationDegrees: Double = 0, heightShift: Double = 0, widthShift: Double = 0,
    zoom: Double = 0, horizontalFlip: Bool = false
  ) {
    precondition(
      (0...180).contains(rotationDegrees) && (0...1).contains(heightShift)
        && (0...1).contains(widthShift) && (0..<1).contains(zoom),
      "an augmentation out of range")
    self.rotationDegrees = rotationDegrees
    self.heightShift = heightShift
    self.widthShift = widthShift
    self.zoom = zoom
    self.horizontalFlip = horizontalFlip
  }

  /// The map of one sample. Five numbers are drawn whatever the ranges are, so that switching one
  /// kind of movement off leaves the others as they were.
  package func draw(height: Int, width: Int, using random: inout SeededGenerator) -> AffineMap {
    func symmetric(_ range: Double) -> Double { range * (2 * random.uniformDouble() - 1) }
    var map = AffineMap()
    map.rotationDegrees = symmetric(rotationDegrees)
    map.rowShift = symmetric(heightShift) * Double(height)
    map.columnShift = symmetric(widthShift) * Double(width)
    map.rowZoom = 1 + symmetric(zoom)
    map.columnZoom = 1 + symmetric(zoom)
    map.isFlipped = random.coin() && horizontalFlip
    return map
  }
}

/// One affine map about an image's centre, then perhaps a mirroring.
///
/// The map goes from places of the output to places of the input, so a positive shift moves the
/// picture up or to the left and a zoom below 1 enlarges it. With (row, column) from the centre
/// (height - 1, width - 1) / 2, the place read is R (T + Z (row, column)): zoomed, shifted, then
/// turned, which is Keras's product rotation * shift * zoom. keras-preprocessing up to 1.1.2 set
/// the centre one pixel further down and right; its later versions and Keras 2.12 do not.
package struct AffineMap: Hashable, Sendable {
  package var rotationDegrees = 0.0
  package var rowShift = 0.0
  package var columnShift = 0.0
  package var rowZoom = 1.0
  package var columnZoom = 1.0
  package var isFlipped = false

  package init() {}

  /// One coordinate of the place read: row * r + column * c + offset for the output's (r, c).
  struct Coordinate {
    var row: Double
    var column: Double
    var offset: Double
  }

  /// The input's row and column as functions of the output's.
  func coordinates(height: Int, width: Int) -> (rows: Coordinate, columns: Coordinate) {
    let (sine, cosine) = sineAndCosine(degrees: rotationDegrees)
    let centreRow = Double(height - 1) / 2
    let centreColumn = Double(width - 1) / 2
    let a = cosine * rowZoom
    let b = -sine * columnZoom
    let c = sine * rowZoom
    let d = cosine * columnZoom
    let offsetRow = cosine * rowShift - sine * columnShift
    let offsetColumn = sine * rowShift + cosine * columnShift
    return (
      Coordinate(
        row: a, column: b, offset: offsetRow + centreRow - a * centreRow - b * centreColumn),
      Coordinate(
        row: c, column: d, offset: offsetColumn + centreColumn - c * centreRow - d * centreColumn)
    )
  }

  /// Writes the mapped image: bilinear, pixels beyond the edge as the edge, each value times
  /// `scale`. Allocates nothing.
  ///
  /// - Parameters:
  ///   - input: height x width x channels bytes.
  ///   - output: as many floats.
  package func apply(
    to input: UnsafePointer<UInt8>, height: Int, width: Int, channels: Int,
    output: UnsafeMutablePointer<Float>, scale: Float
  ) {
    precondition(height > 0 && width > 0 && height <= 1 << 20 && width <= 1 << 20)
    let map = coordinates(height: height, width: width)
    // Places are fixed-point numbers of 32 fractional bits: sums are exact, so every pixel of a
    // row is as precise as its first, and the same on every machine.
    let rowStep = fixed(map.rows.column)
    let columnStep = fixed(map.columns.column)
    let lastRow = Int64(height - 1) << 32
    let lastColumn = Int64(width - 1) << 32
    let stride = width * channels
    let direction = isFlipped ? -channels : channels
    for y in 0..<height {
      var row = fixed(map.rows.row * Double(y) + map.rows.offset)
      var column = fixed(map.columns.row * Double(y) + map.columns.offset)
      var target = output + y * stride + (isFlipped ? stride - channels : 0)
      for _ in 0..<width {
        let r = min(max(row, 0), lastRow)
        let c = min(max(column, 0), lastColumn)
        let down = r < lastRow ? stride : 0
        let right = c < lastColumn ? channels : 0
        let source = input + Int(r >> 32) * stride + Int(c >> 32) * channels
        let lower = Float((r & 0xFFFF_FFFF) >> 8) * 0x1p-24
        let later = Float((c & 0xFFFF_FFFF) >> 8) * 0x1p-24
        for channel in 0..<channels {
          let p00 = Float(source[channel])
          let p01 = Float(source[channel + right])
          let p10 = Float(source[channel + down])
          let p11 = Float(source[channel + down + right])
          let upper = p00 + later * (p01 - p00)
          let under = p10 + later * (p11 - p10)
          target[channel] = (upper + lower * (under - upper)) * scale
        }
        row += rowStep
        column += columnStep
        target += direction
      }
    }
  }

  private func fixed(_ value: Double) -> Int64 { Int64((value * 0x1p32).rounded()) }
}

/// Sine and cosine of an angle of at most a full turn, by their power series: libm's last bits
/// differ from system to system, and augmented images would with them.
func sineAndCosine(degrees: Double) -> (sine: Double, cosine: Double) {
  let x = degrees * (Double.pi / 180)
  let square = x * x
  var sine = 0.0
  var cosine = 0.0
  // Horner from the 40th power down: at 2 pi the first term left out is below 1e-17.
  var n = 40.0
  while n >= 2 {
    cosine = 1 - cosine * square / (n * (n - 1))
    sine = 1 - sine * square / (n * (n + 1))
    n -= 2
  }
  return (x * sine, cosine)
}
