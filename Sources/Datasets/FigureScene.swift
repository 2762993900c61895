//! One made picture with or without a figure: its parts drawn once, then painted pixel by pixel.
//! Lengths are in units of half the picture's side, y downwards.

import Tensors

/// Parts over a shaded ground, the later before the earlier.
struct FigureScene {
  /// A line with round ends: a disc where it has no length.
  struct Part {
    var from: (x: Float, y: Float)
    var to: (x: Float, y: Float)
    var radius: Float
    var colour: (Float, Float, Float)

    /// Distance from the part's edge, negative inside.
    func distance(_ x: Float, _ y: Float) -> Float {
      let (dx, dy) = (to.x - from.x, to.y - from.y)
      let (px, py) = (x - from.x, y - from.y)
      let square = dx * dx + dy * dy
      let share = square > 0 ? min(max((px * dx + py * dy) / square, 0), 1) : 0
      let (ex, ey) = (px - share * dx, py - share * dy)
      return (ex * ex + ey * ey).squareRoot() - radius
    }
  }

  private var parts: [Part] = []
  private let ground: (Float, Float, Float)
  private let slope: (x: Float, y: Float)
  /// A faint striped texture under everything.
  private let texture: (x: Float, y: Float, strength: Float)
  private let noise: Float

  init(isPerson: Bool, using random: inout SeededGenerator) {
    ground = Self.colour(&random)
    slope = (random.uniform(-40, 40), random.uniform(-40, 40))
    let grain = Self.direction(180 * random.uniformDouble())
    let density = random.uniform(2, 7)
    texture = (grain.x * density, grain.y * density, random.uniform(0, 18))
    noise = random.uniform(4, 26)
    let background = (0..<random.integer(below: 6) + 3).map { _ in Self.clutter(&random) }
    var body = body(&random)
    if !isPerson { Self.scatter(&body, &random) }
    let foreground = (0..<random.integer(below: 3)).map { _ in Self.clutter(&random) }
    parts = background + body + foreground
  }

  // MARK: What is drawn

  /// The parts of a standing or walking figure.
  private func body(_ random: inout SeededGenerator) -> [Part] {
    let height = random.uniform(0.45, 1.7)
    let (x, top) = (random.uniform(-0.6, 0.6), random.uniform(-0.95, 0.95 - height))
    let lean = random.uniform(-0.12, 0.12) * height
    let skin = contrast(&random)
    let shirt = contrast(&random)
    let trousers = contrast(&random)
    let girth = random.uniform(0.8, 1.25)
    let head = (x: x + lean, y: top + 0.09 * height)
    let neck = (x: x + lean * 0.8, y: top + 0.25 * height)
    let hip = (x: x, y: top + 0.52 * height)
    func limb(
      from start: (x: Float, y: Float), degrees: Double, length: Float, radius: Float,
      _ colour: (Float, Float, Float)
    ) -> Part {
      let way = Self.direction(90 + degrees)
      return Part(
        from: start, to: (start.x + way.x * length * height, start.y + way.y * length * height),
        radius: radius * height * girth, colour: colour)
    }
    func angle(_ range: Double) -> Double { (2 * random.uniformDouble() - 1) * range }
    let width = 0.07 * height * girth
    return [
      limb(
        from: (hip.x - width / 2, hip.y), degrees: 8 + angle(18), length: 0.46, radius: 0.045,
        trousers),
      limb(
        from: (hip.x + width / 2, hip.y), degrees: -8 + angle(18), length: 0.46, radius: 0.045,
        trousers),
      limb(
        from: (neck.x - width, neck.y), degrees: 25 + angle(60), length: 0.34, radius: 0.032, shirt),
      limb(
        from: (neck.x + width, neck.y), degrees: -25 + angle(60), length: 0.34, radius: 0.032, shirt
      ),
      Part(from: neck, to: hip, radius: 0.085 * height * girth, colour: shirt),
      Part(from: head, to: head, radius: 0.085 * height, colour: skin),
    ]
  }

  /// Moves and turns every part by itself.
  private static func scatter(_ parts: inout [Part], _ random: inout SeededGenerator) {
    for index in parts.indices {
      let part = parts[index]
      let (dx, dy) = (part.to.x - part.from.x, part.to.y - part.from.y)
      let length = (dx * dx + dy * dy).squareRoot()
      let way = direction(180 * random.uniformDouble())
      let (x, y) = (random.uniform(-0.9, 0.9), random.uniform(-0.9, 0.9))
      parts[index].from = (x - way.x * length / 2, y - way.y * length / 2)
      parts[index].to = (x + way.x * length / 2, y + way.y * length / 2)
    }
  }

  /// A bar or a disc that belongs to nothing.
  private static func clutter(_ random: inout SeededGenerator) -> Part {
    let way = direction(180 * random.uniformDouble())
    let length = random.coin() ? random.uniform(0.1, 0.9) : 0
    let (x, y) = (random.uniform(-1, 1), random.uniform(-1, 1))
    return Part(
      from: (x, y), to: (x + way.x * length, y + way.y * length),
      radius: random.uniform(0.03, 0.16), colour: colour(&random))
  }

  private static func direction(_ degrees: Double) -> (x: Float, y: Float) {
    let (sine, cosine) = sineAndCosine(degrees: degrees)
    return (Float(cosine), Float(sine))
  }

  private static func colour(_ random: inout SeededGenerator) -> (Float, Float, Float) {
    (random.uniform(15, 240), random.uniform(15, 240), random.uniform(15, 240))
  }

  /// A colour at some distance from the ground's, faint to strong.
  private func contrast(_ random: inout SeededGenerator) -> (Float, Float, Float) {
    let share = random.uniform(0.25, 1)
    let other = Self.colour(&random)
    return (
      ground.0 + share * (other.0 - ground.0), ground.1 + share * (other.1 - ground.1),
      ground.2 + share * (other.2 - ground.2)
    )
  }

  // MARK: Painting

  func paint(side: Int, using random: inout SeededGenerator) -> [UInt8] {
    let softness = 2.4 / Float(side)
    var pixels: [UInt8] = []
    pixels.reserveCapacity(side * side * 3)
    for row in 0..<side {
      for column in 0..<side {
        let x = (2 * Float(column) + 1) / Float(side) - 1
        let y = (2 * Float(row) + 1) / Float(side) - 1
        let grain = x * texture.x + y * texture.y
        let wave = abs(grain - grain.rounded(.down) - 0.5) * 4 - 1
        let light = x * slope.x + y * slope.y + wave * texture.strength
        var colour = (ground.0 + light, ground.1 + light, ground.2 + light)
        for part in parts {
          let cover = min(max(0.5 - part.distance(x, y) / softness, 0), 1)
          if cover > 0 {
            colour.0 += cover * (part.colour.0 + light / 2 - colour.0)
            colour.1 += cover * (part.colour.1 + light / 2 - colour.1)
            colour.2 += cover * (part.colour.2 + light / 2 - colour.2)
          }
        }
        pixels.append(random.noisyByte(colour.0, deviation: noise))
        pixels.append(random.noisyByte(colour.1, deviation: noise))
        pixels.append(random.noisyByte(colour.2, deviation: noise))
      }
    }
    return pixels
  }
}
