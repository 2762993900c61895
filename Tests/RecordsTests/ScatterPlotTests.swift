//! A figure's whole text, and axes around odd values.

import Records
import Testing

@Suite struct ScatterPlotTests {
  private func figure(_ points: [(Double, Double)]) -> ScatterPlot {
    var figure = ScatterPlot(title: "a < b", xLabel: "trial", yLabel: "score")
    figure.points = points.map { ScatterPlot.Point(x: $0.0, y: $0.1) }
    return figure
  }

  /// The texts of the ticks, in their order.
  private func ticks(_ figure: ScatterPlot) -> [String] {
    figure.svg.matches(of: /middle">([-0-9.e]+)<|end">([-0-9.e]+)</).map {
      String($0.output.1 ?? $0.output.2 ?? "")
    }
  }

  @Test func everyPointIsDrawnWhereItBelongs() {
    var figure = figure([(0, 0.5), (10, 1)])
    figure.line = figure.points
    figure.marked = figure.points[1]
    let lines = figure.svg.split(separator: "\n")
    #expect(lines.first?.hasPrefix("<svg xmlns=") == true && lines.last == "</svg>")
    #expect(lines[2].contains(">a &lt; b<"))
    let drawn = lines.filter { $0.hasPrefix("<circle") || $0.contains("V") }
    #expect(
      drawn == [
        "<circle cx=\"76.0\" cy=\"384.0\" r=\"3\" fill=\"#36c\" fill-opacity=\"0.6\"/>",
        "<circle cx=\"700.0\" cy=\"40.0\" r=\"3\" fill=\"#36c\" fill-opacity=\"0.6\"/>",
        "<path d=\"M76.0 384.0H700.0V40.0\" fill=\"none\" stroke=\"#c22\" stroke-opacity=\"0.7\"/>",
        "<circle cx=\"700.0\" cy=\"40.0\" r=\"7\" fill=\"none\" stroke=\"#c22\" stroke-width=\"2\"/>",
      ])
    #expect(
      ticks(figure) == ["0", "2", "4", "6", "8", "10", "0.5", "0.6", "0.7", "0.8", "0.9", "1"])
  }

  @Test func oddValuesHaveAxesToo() {
    #expect(ticks(figure([])).count > 4)
    #expect(ticks(figure([(3, 7), (3, 7)])).count > 4)
    #expect(ticks(figure([(1, .nan), (.infinity, 2), (1e9, 0)])).count > 4)
    #expect(ticks(figure([(-1e12, 1e-7), (1e12, 2e-7)])).count > 4)
  }
}
