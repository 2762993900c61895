//! One made picture: its figure, colours and disturbances, drawn once and then painted pixel by
//! pixel. Lengths are in units of half the picture's side; knows no labels but as figures.

import Tensors

/// A figure over a shaded ground, with clutter and noise.
struct SyntheticScene {
  /// A point or a direction of the plane.
  struct Vector {
    var x: Float
    var y: Float
  }

  struct Colour {
    var red: Float
    var green: Float
    var blue: Float
  }

  /// A small piece that means nothing: a bar of a random length, turn and colour.
  struct Clutter {
    var centre: Vector
    var axis: Vector
    var length: Float
    var thickness: Float
    var colour: Colour
  }

  private let label: Int
  private let centre: Vector
  /// The figure's own x direction.
  private let axis: Vector
  private let radius: Float
  /// Width of the line of rings and crosses, as a share of the radius.
  private let line: Float
  private let period: Float
  private let phase: Vector
  private let figure: Colour
  private let ground: Colour
  /// How the ground's brightness changes across the picture.
  private let slope: Vector
  /// A faint striped texture under everything, so that stripes alone tell little.
  private let texture: Vector
  private let textureStrength: Float
  private let noise: Float
  private let dots: [Vector]
  private let clutter: [Clutter]

  init(label: Int, using random: inout SeededGenerator) {
    self.label = label
    // The two classes of stripes differ by their turn alone; the rest may stand in any.
    let turn: Double = 2 * random.uniformDouble() - 1
    let degrees =
      switch label {
      case 0: 90 + 27 * turn
      case 1: 27 * turn
      default: 180 * turn
      }
    axis = Self.direction(degrees)
    centre = Vector(x: random.uniform(-0.35, 0.35), y: random.uniform(-0.35, 0.35))
    radius = random.uniform(0.36, 0.72)
    line = random.uniform(0.28, 0.42)
    period = random.uniform(0.26, 0.62)
    phase = Vector(x: random.uniform(), y: random.uniform())
    ground = Self.colour(&random)
    figure = Self.contrast(to: ground, &random)
    slope = Vector(x: random.uniform(-28, 28), y: random.uniform(-28, 28))
    let grain = Self.direction(180 * random.uniformDouble())
    let density = random.uniform(2, 5)
    texture = Vector(x: grain.x * density, y: grain.y * density)
    textureStrength = random.uniform(0, 14)
    noise = random.uniform(4, 24)
    dots = (0..<random.integer(below: 4) + 5).map { _ in
      Vector(x: random.uniform(-0.85, 0.85), y: random.uniform(-0.85, 0.85))
    }
    clutter = (0..<random.integer(below: 5) + 1).map { _ in
      Clutter(
        centre: Vector(x: random.uniform(-1, 1), y: random.uniform(-1, 1)),
        axis: Self.direction(180 * random.uniformDouble()), length: random.uniform(0.08, 0.36),
        thickness: random.uniform(0.05, 0.12), colour: Self.colour(&random))
    }
  }

  private static func direction(_ degrees: Double) -> Vector {
    let (sine, cosine) = sineAndCosine(degrees: degrees)
    return Vector(x: Float(cosine), y: Float(sine))
  }

  private static func colour(_ random: inout SeededGenerator) -> Colour {
    Colour(
      red: random.uniform(20, 235), green: random.uniform(20, 235), blue: random.uniform(20, 235))
  }

  /// A colour at a drawn distance from another, faint to strong.
  private static func contrast(
    to ground: Colour, _ random: inout SeededGenerator
  ) -> Colour {
    let distance = random.uniform(55, 160)
    while true {
      let other = colour(&random)
      let red = other.red - ground.red
      let green = other.green - ground.green
      let blue = other.blue - ground.blue
      let length = (red * red + green * green + blue * blue).squareRoot()
      if length < 30 { continue }
      let factor = distance / length
      return Colour(
        red: ground.red + red * factor, green: ground.green + green * factor,
        blue: ground.blue + blue * factor)
    }
  }
}

// How far the figure covers a point.
extension SyntheticScene {
  /// 0 outside the figure, 1 inside, between them on a border of `softness`.
  private func coverage(_ point: Vector, softness: Float) -> Float {
    let dx = point.x - centre.x
    let dy = point.y - centre.y
    // In the figure's own directions.
    let x = dx * axis.x + dy * axis.y
    let y = dy * axis.x - dx * axis.y
    let distance =
      switch label {
      case 0, 1: stripe(x, phase.x)
      case 2: checker(stripe(x, phase.x), stripe(y, phase.y))
      case 3: length(x, y) - radius
      case 4: abs(length(x, y) - radius * (1 - line / 2)) - radius * line / 2
      case 5: max(abs(x), abs(y)) - radius * 0.85
      case 6: max(-y, max(0.8660254 * x + 0.5 * y, 0.5 * y - 0.8660254 * x)) - radius * 0.6
      case 7:
        min(
          max(abs(x) - radius, abs(y) - radius * line * 0.7),
          max(abs(y) - radius, abs(x) - radius * line * 0.7))
      case 8: nearestDot(point) - radius * 0.27
      // A disc with a quarter cut out.
      default: max(length(x, y) - radius, min(x, y))
      }
    return min(max(0.5 - distance / softness, 0), 1)
  }

  private func length(_ x: Float, _ y: Float) -> Float { (x * x + y * y).squareRoot() }

  /// Distance from the edge of parallel bars: negative on a bar.
  private func stripe(_ x: Float, _ phase: Float) -> Float {
    let turns = x / period + phase
    let place = turns - turns.rounded(.down)
    return (0.25 - abs(place - 0.5)) * period
  }

  /// Two gratings of opposite sign cross to squares.
  private func checker(_ a: Float, _ b: Float) -> Float {
    let nearest = min(abs(a), abs(b))
    return (a < 0) == (b < 0) ? -nearest : nearest
  }

  private func nearestDot(_ point: Vector) -> Float {
    var nearest: Float = 4
    for dot in dots { nearest = min(nearest, length(point.x - dot.x, point.y - dot.y)) }
    return nearest
  }

  /// Paints the picture, (height, width, 3).
  func paint(
    _ pixels: UnsafeMutableBufferPointer<UInt8>, height: Int, width: Int,
    using random: inout SeededGenerator
  ) {
    let softness = 2.4 / Float(min(height, width))
    for row in 0..<height {
      for column in 0..<width {
        let point = Vector(
          x: (2 * Float(column) + 1) / Float(width) - 1,
          y: (2 * Float(row) + 1) / Float(height) - 1)
        let colour = shade(point, softness: softness)
        let target = (row * width + column) * 3
        pixels[target] = random.noisyByte(colour.red, deviation: noise)
        pixels[target + 1] = random.noisyByte(colour.green, deviation: noise)
        pixels[target + 2] = random.noisyByte(colour.blue, deviation: noise)
      }
    }
  }

  /// The colour of a point before noise.
  private func shade(_ point: Vector, softness: Float) -> Colour {
    let grain = point.x * texture.x + point.y * texture.y
    let wave = abs(grain - grain.rounded(.down) - 0.5) * 4 - 1
    let light = point.x * slope.x + point.y * slope.y + wave * textureStrength
    let cover = coverage(point, softness: softness)
    var colour = Colour(
      red: ground.red + cover * (figure.red - ground.red) + light,
      green: ground.green + cover * (figure.green - ground.green) + light,
      blue: ground.blue + cover * (figure.blue - ground.blue) + light)
    for piece in clutter {
      let dx = point.x - piece.centre.x
      let dy = point.y - piece.centre.y
      let along = abs(dx * piece.axis.x + dy * piece.axis.y) - piece.length
      let across = abs(dy * piece.axis.x - dx * piece.axis.y) - piece.thickness
      if along < 0 && across < 0 { colour = piece.colour }
    }
    return colour
  }
}

extension SeededGenerator {
  /// Adds noise to a pixel and rounds. The sum of a word's eight bytes is close to normal and costs
  /// one draw.
  mutating func noisyByte(_ value: Float, deviation: Float) -> UInt8 {
    let word = next()
    let pairs = (word & 0x00FF_00FF_00FF_00FF) &+ ((word >> 8) & 0x00FF_00FF_00FF_00FF)
    let sum = Int((pairs &* 0x0001_0001_0001_0001) >> 48)
    // Eight uniform bytes: mean 1020, standard deviation sqrt(8 (256^2 - 1) / 12) = 209.02.
    let noisy = value + deviation * Float(sum - 1020) / 209.02
    return UInt8(min(max(noisy, 0), 255).rounded())
  }
}
