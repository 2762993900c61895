//! What no single field of a training can say: whether loss, metrics, callbacks, network and the
//! data's classes go together. Knows no file of the data.

import Diagnostics
import Networks
import Specs

/// The check of one stage's training, whose faults point at what the user wrote.
struct TrainingCheck {
  let network: NetworkSpec?
  let data: DatasetSpec?
  let entry: StageEntry
  let faults: FaultCollector
  /// Where the fields were written.
  let nodes: [String: Node]

  /// Loss and metrics against each other and the network.
  func check(_ loss: LossKind, _ metrics: [MetricFields]) {
    guard let spec = network else { return }
    let network = spec.network
    let inputs = network.inputShape.reduce(1, *)
    let outputs = network.outputShape.reduce(1, *)
    if loss == .meanSquaredError {
      if inputs != outputs {
        add(
          "`mse` compares the output with the input, and \(network.name) has \(inputs) values in "
            + "and \(outputs) out", at: "loss")
      }
    } else if let data, data.classes == nil {
      add(
        "\(data.fields.kind.rawValue) trains on normal examples alone, and "
          + "`\(loss.rawValue)` wants classes", at: "loss", suggestion: "write `loss: mse`")
    } else if let data, let classes = data.classes, outputs != classes {
      faults.add(
        spec.output.diagnostic(
          "\(network.name) gives \(outputs) values, and \(data.fields.kind.rawValue) has "
            + "\(classes) classes"))
    } else if case .own = spec.fields, network.layers.last?.operation != .softmax {
      faults.add(
        spec.output.diagnostic(
          "`\(loss.rawValue)` wants class probabilities: the last layer is a `softmax`"))
    } else if network.layers.last?.operation != .softmax {
      add(
        "`\(loss.rawValue)` wants class probabilities, and \(network.name) ends in no softmax",
        at: "loss", suggestion: "write `loss: mse`")
    }
    for metric in metrics {
      if metric == .accuracy, loss == .meanSquaredError {
        add("`accuracy` counts labels, and `mse` has none", at: "metrics")
      } else if metric.ranks, loss != .meanSquaredError, outputs > 2 {
        add(
          "`\(metric.name)` is of two classes, and \(network.name) has \(outputs)", at: "metrics")
      }
    }
  }

  /// The whole of a fit.
  ///
  /// - Parameter validates: whether there is a validation set.
  func check(_ fields: TrainingFields, validates: Bool) {
    check(fields.loss, fields.metrics)
    for (callback, monitor) in fields.callbacks.monitors {
      let place = "callbacks.\(callback)"
      if monitor.validates, !validates {
        faults.add(
          entry.key.diagnostic(
            "stage `\(entry.name)` watches the validation set, and dataset.split.validation is 0"))
      }
      guard let metric = monitor.metric else { continue }
      if let data, data.classes == nil, MetricFields.ranks(metric) {
        add(
          "`\(monitor.rawValue)` has no value: \(data.fields.kind.rawValue) validates on normal "
            + "examples alone", at: place, suggestion: "watch `val_loss`")
        continue
      }
      let names = fields.metrics.map(\.name) + [metric.rawValue]
      guard let listed = fields.metrics.first(where: { $0.kind == metric }) else {
        add(
          "`\(monitor.rawValue)` is not logged: `\(metric.rawValue)` is not among the metrics",
          at: place,
          suggestion: "write `metrics: [\(names.joined(separator: ", "))]`")
        continue
      }
      if listed.ranks, fields.loss == .meanSquaredError, !monitor.validates {
        add(
          "`\(monitor.rawValue)` has no value while an autoencoder trains", at: place,
          suggestion: "did you mean `val_\(monitor.rawValue)`?")
      }
    }
    if fields.callbacks.reduceLROnPlateau != nil, fields.learningRate.isSchedule {
      add(
        "reduce_lr_on_plateau has no effect under a schedule, which sets the rate anew each epoch",
        at: "callbacks.reduce_lr_on_plateau", suggestion: "give learning_rate as one number",
        severity: .warning)
    }
  }

  /// A fault where `path` was written, else at the stage.
  private func add(
    _ message: String, at path: String, suggestion: String? = nil,
    severity: Diagnostic.Severity = .error
  ) {
    faults.add(
      (nodes[path] ?? entry.key).diagnostic(message, severity: severity, suggestion: suggestion))
  }
}
