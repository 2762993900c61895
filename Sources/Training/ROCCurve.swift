//! The areas under a receiver operating characteristic. Knows scores and labels, not where they
//! come from.

/// A binary classifier's ROC curve, with a point for each distinct score, as scikit-learn's
/// roc_curve has it: equal scores are one step, so a tie counts half.
package struct ROCCurve: Sendable {
  /// Running counts from the highest score down, without the origin.
  private var points: [(falsePositives: Int, truePositives: Int)] = []
  private var positives = 0
  private var negatives = 0
  private var isOrdered = true

  /// - Parameters:
  ///   - scores: higher for what is more likely positive.
  ///   - labels: as many; true for the positive class.
  package init(scores: [Double], labels: [Bool]) {
    precondition(scores.count == labels.count, "a label for each score")
    guard !scores.contains(where: \.isNaN) else {
      isOrdered = false
      return
    }
    let order = scores.indices.sorted { scores[$0] > scores[$1] }
    for (position, index) in order.enumerated() {
      if labels[index] { positives += 1 } else { negatives += 1 }
      let next = position + 1
      if next == order.count || scores[order[next]] != scores[index] {
        points.append((negatives, positives))
      }
    }
  }

  /// Whether there are both classes, and no score is NaN.
  private var isDefined: Bool { isOrdered && positives > 0 && negatives > 0 }

  /// The area, 0...1: scikit-learn's roc_auc_score. NaN where only one class occurs or a score is
  /// NaN, which scikit-learn refuses.
  package var area: Double { isDefined ? partialArea(upTo: 1) : .nan }

  /// The area up to a false positive rate, standardised after McClish so that chance has 0.5 and a
  /// perfect classifier 1: scikit-learn's roc_auc_score(max_fpr=).
  ///
  /// - Parameter rate: 0 < rate <= 1.
  package func standardizedArea(upTo rate: Double) -> Double {
    precondition(rate > 0 && rate <= 1, "a rate lies in 0...1")
    guard isDefined else { return .nan }
    guard rate < 1 else { return area }
    let least = 0.5 * rate * rate
    return 0.5 * (1 + (partialArea(upTo: rate) - least) / (rate - least))
  }

  /// The trapezoids left of `rate`.
  private func partialArea(upTo rate: Double) -> Double {
    let limit = rate * Double(negatives)
    var (x, y, sum) = (0, 0, 0.0)
    for point in points {
      let width = Double(point.falsePositives - x)
      let left = limit - Double(x)
      if width > left {
        let height = Double(y) + Double(point.truePositives - y) * left / width
        sum += left * (Double(y) + height) / 2
        break
      }
      sum += width * Double(y + point.truePositives) / 2
      (x, y) = (point.falsePositives, point.truePositives)
    }
    return sum / (Double(positives) * Double(negatives))
  }
}
