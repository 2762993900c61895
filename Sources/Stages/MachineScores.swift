//! Anomaly scores clip by clip, and what they are worth machine by machine, in the files that DCASE
//! 2020's task 2 asks for. Knows no network.

import Datasets
import Files
import Training

/// Errors of windows, gathered by clip: a clip's score is the mean over its windows of their mean
/// squared errors.
struct MachineScores {
  /// DCASE's false positive rate of the partial area.
  static let benchmarkFPR = 0.1

  private let clips: [PreparedClip]
  private var sums: [Double]
  private var counts: [Int]

  init(clips: [PreparedClip]) {
    self.clips = clips
    sums = Array(repeating: 0, count: clips.count)
    counts = Array(repeating: 0, count: clips.count)
  }

  mutating func add(_ error: Double, to clip: Int) {
    sums[clip] += error
    counts[clip] += 1
  }

  /// Clips of which a window was measured.
  private var scored: [Int] { clips.indices.filter { counts[$0] > 0 } }

  private func score(_ clip: Int) -> Double { sums[clip] / Double(counts[clip]) }

  private func curve(_ clips: [Int]) -> ROCCurve {
    ROCCurve(scores: clips.map(score), labels: clips.map { self.clips[$0].label != 0 })
  }

  /// By machine, in the order of their ids, the scored clips.
  private var machines: [(id: String, clips: [Int])] {
    Dictionary(grouping: scored) { clips[$0].group }.sorted { $0.key < $1.key }
      .map { ($0.key, $0.value) }
  }

  /// auc and p_auc: the mean over machines, each machine's (auc_id_01, ...), and of all clips
  /// together (auc_pooled).
  func metrics(maxFPR: Double) -> [String: JSONValue] {
    let all = curve(scored)
    var metrics: [String: JSONValue] = [
      "clips": .int(scored.count), "auc_pooled": .double(all.area),
      "p_auc_pooled": .double(all.standardizedArea(upTo: maxFPR)),
    ]
    let areas = areas(maxFPR: maxFPR)
    for area in areas {
      metrics["auc_id_\(area.id)"] = .double(area.auc)
      metrics["p_auc_id_\(area.id)"] = .double(area.partial)
    }
    metrics["auc"] = .double(Self.mean(areas.map(\.auc)))
    metrics["p_auc"] = .double(Self.mean(areas.map(\.partial)))
    return metrics
  }

  /// The scores' files, the table of areas, and all clips in one table.
  func files(machine: String, maxFPR: Double) -> [(name: String, text: String)] {
    var files = machines.map { id, clips in
      (
        name: "anomaly_score_\(machine)_id_\(id).csv",
        text: clips.map { "\(CSVText.field(self.clips[$0].file)),\(score($0))\n" }.joined()
      )
    }
    let areas = areas(maxFPR: maxFPR)
    var result = machine + "\nid,AUC,pAUC\n"
    for area in areas { result += "\(area.id),\(area.auc),\(area.partial)\n" }
    result += "Average,\(Self.mean(areas.map(\.auc))),\(Self.mean(areas.map(\.partial)))\n\n"
    files.append(("result.csv", result))
    let rows = scored.map { clip in
      "\(CSVText.field(clips[clip].file)),\(clips[clip].group),\(clips[clip].label),"
        + "\(counts[clip]),\(score(clip))\n"
    }
    files.append(("predictions.csv", "file,id,label,windows,score\n" + rows.joined()))
    return files
  }

  private func areas(maxFPR: Double) -> [(id: String, auc: Double, partial: Double)] {
    machines.map { id, clips in
      let curve = curve(clips)
      return (id, curve.area, curve.standardizedArea(upTo: maxFPR))
    }
  }

  private static func mean(_ values: [Double]) -> Double {
    values.isEmpty ? .nan : values.reduce(0, +) / Double(values.count)
  }
}
