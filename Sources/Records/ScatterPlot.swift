//! Points, a line through some of them and one that is marked, as an SVG image. Knows not what they
//! stand for.

import Glibc

/// A figure whose bytes follow from its points.
package struct ScatterPlot {
  package struct Point: Hashable, Sendable {
    package var x: Double
    package var y: Double

    package init(x: Double, y: Double) {
      self.x = x
      self.y = y
    }
  }

  package var title: String
  package var xLabel: String
  package var yLabel: String
  package var points: [Point] = []
  /// Drawn as steps: level up to the next point.
  package var line: [Point] = []
  package var marked: Point?

  private static let width = 720.0
  private static let height = 440.0
  private static let left = 76.0
  private static let right = 20.0
  private static let top = 40.0
  private static let bottom = 56.0

  package init(title: String, xLabel: String, yLabel: String) {
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
  }

  /// Numbers between which an axis goes, and where it has ticks.
  struct Axis: Hashable {
    var low: Double
    var high: Double
    var ticks: [Double]

    /// Whole multiples of 1, 2 or 5 times a power of ten, about five of them, around all `values`.
    init(around values: [Double]) {
      let finite = values.filter(\.isFinite)
      var (least, most) = (finite.min() ?? 0, finite.max() ?? 1)
      // Of values that are all but equal no step could be told.
      if most - least < 1e-9 * max(1, least.magnitude) {
        (least, most) = (least - 0.5, least + 0.5)
      }
      let rough = (most - least) / 5
      let power = pow(10, floor(log10(rough)))
      let step = ([1, 2, 5].first { $0 * power >= rough } ?? 10) * power
      let (first, last) = (floor(least / step), ceil(most / step))
      low = first * step
      high = last * step
      let digits = max(0, -Int(floor(log10(step))))
      let scale = pow(10, Double(digits))
      ticks = stride(from: first, through: last, by: 1).map {
        ($0 * step * scale).rounded() / scale
      }
    }

    func place(of value: Double) -> Double { (value - low) / (high - low) }
  }

  /// 720 by 440, in grey, blue and red, on white; text in the viewer's own sans-serif.
  package var svg: String {
    let drawn = points.filter { $0.x.isFinite && $0.y.isFinite }
    let (xAxis, yAxis) = (Axis(around: drawn.map(\.x)), Axis(around: drawn.map(\.y)))
    let (plotWidth, plotHeight) = (
      Self.width - Self.left - Self.right, Self.height - Self.top - Self.bottom
    )
    func place(_ point: Point) -> (x: String, y: String) {
      (
        Self.text(Self.left + xAxis.place(of: point.x) * plotWidth),
        Self.text(Self.top + (1 - yAxis.place(of: point.y)) * plotHeight)
      )
    }
    let end = (x: Self.text(Self.left + plotWidth), y: Self.text(Self.top + plotHeight))
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Int(Self.width)) "
        + "\(Int(Self.height))\" font-family=\"sans-serif\" font-size=\"13\">",
      "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>",
      Self.label(title, at: (Self.text(Self.width / 2), "24"), anchor: "middle"),
    ]
    for tick in xAxis.ticks {
      let x = place(Point(x: tick, y: yAxis.low)).x
      lines.append(Self.grid((x, Self.text(Self.top)), (x, end.y)))
      lines.append(
        Self.label(
          Self.tick(tick), at: (x, Self.text(Self.top + plotHeight + 18)), anchor: "middle"))
    }
    for tick in yAxis.ticks {
      let y = place(Point(x: xAxis.low, y: tick)).y
      lines.append(Self.grid((Self.text(Self.left), y), (end.x, y)))
      lines.append(Self.label(Self.tick(tick), at: (Self.text(Self.left - 8), y), anchor: "end"))
    }
    lines.append(
      Self.label(xLabel, at: (Self.text(Self.left + plotWidth / 2), "428"), anchor: "middle"))
    lines.append(
      Self.label(
        yLabel, at: ("18", Self.text(Self.top + plotHeight / 2)), anchor: "middle", turned: true))
    for point in drawn {
      let (x, y) = place(point)
      lines.append("<circle cx=\"\(x)\" cy=\"\(y)\" r=\"3\" fill=\"#36c\" fill-opacity=\"0.6\"/>")
    }
    lines += steps(place)
    if let marked, marked.x.isFinite, marked.y.isFinite {
      let (x, y) = place(marked)
      lines.append(
        "<circle cx=\"\(x)\" cy=\"\(y)\" r=\"7\" fill=\"none\" stroke=\"#c22\" stroke-width=\"2\"/>"
      )
    }
    return (lines + ["</svg>"]).map { $0 + "\n" }.joined()
  }

  private func steps(_ place: (Point) -> (x: String, y: String)) -> [String] {
    let finite = line.filter { $0.x.isFinite && $0.y.isFinite }
    guard let first = finite.first, finite.count > 1 else { return [] }
    var path = "M\(place(first).x) \(place(first).y)"
    for point in finite.dropFirst() { path += "H\(place(point).x)V\(place(point).y)" }
    return ["<path d=\"\(path)\" fill=\"none\" stroke=\"#c22\" stroke-opacity=\"0.7\"/>"]
  }

  private static func grid(_ from: (x: String, y: String), _ to: (x: String, y: String)) -> String {
    "<path d=\"M\(from.x) \(from.y)L\(to.x) \(to.y)\" stroke=\"#ddd\"/>"
  }

  private static func label(
    _ text: String, at place: (x: String, y: String), anchor: String, turned: Bool = false
  ) -> String {
    let turn = turned ? " transform=\"rotate(-90 \(place.x) \(place.y))\"" : ""
    return "<text x=\"\(place.x)\" y=\"\(place.y)\" dy=\"0.35em\" text-anchor=\"\(anchor)\"\(turn)>"
      + "\(escaped(text))</text>"
  }

  private static func escaped(_ text: String) -> String {
    text.reduce(into: "") { result, character in
      switch character {
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "&": result += "&amp;"
      default: result.append(character)
      }
    }
  }

  /// A tenth of a pixel is enough.
  private static func text(_ number: Double) -> String { "\((number * 10).rounded() / 10)" }

  private static func tick(_ number: Double) -> String {
    Int(exactly: number).map { "\($0)" } ?? "\(number)"
  }
}
