//! A search's trials as figures: score and metric over trials, as the thesis's Figures 3.17 and
//! 3.18 have them, and metric against cost. Knows no axis.

import Records

struct TrialFigures {
  /// Those with a score, in their order.
  let trials: [SearchTrial]
  let best: SearchTrial
  /// The metric's column.
  let metric: String

  /// scores.svg, metric.svg, pareto.svg.
  var files: [(name: String, text: String)] {
    [
      ("scores.svg", overTrials("score") { $0.score }),
      ("metric.svg", overTrials(metric) { $0.metric }),
      ("pareto.svg", front),
    ]
  }

  private func overTrials(_ name: String, _ value: (SearchTrial) -> Double) -> String {
    var figure = ScatterPlot(
      title:
        "\(name) over trials: \(shortened(value(best))) in trial \(best.number), the best by score",
      xLabel: "trial", yLabel: name)
    figure.points = trials.map { ScatterPlot.Point(x: Double($0.number), y: value($0)) }
    figure.marked = ScatterPlot.Point(x: Double(best.number), y: value(best))
    var highest = -Double.infinity
    figure.line = figure.points.map { point in
      highest = max(highest, point.y)
      return ScatterPlot.Point(x: point.x, y: highest)
    }
    return figure.svg
  }

  private var front: String {
    let isEnergy = best.cost.energy != nil
    func point(_ trial: SearchTrial) -> ScatterPlot.Point {
      ScatterPlot.Point(
        x: trial.cost.size / (isEnergy ? 1e6 : 8192), y: trial.metric)
    }
    var figure = ScatterPlot(
      title: "\(metric) against \(isEnergy ? "energy" : "size"), with the trials that none beats",
      xLabel: isEnergy ? "microjoules an inference" : "KiB of parameters and activations",
      yLabel: metric)
    figure.points = trials.map(point)
    figure.line = TrialTables.front(of: trials).map(point)
    figure.marked = point(best)
    return figure.svg
  }

  private func shortened(_ value: Double) -> String { "\((value * 10_000).rounded() / 10_000)" }
}
