//! What is measured besides the loss, resolved, and the columns of the log that can be watched.

/// A metric, in Keras's and scikit-learn's names.
package enum MetricFields: Hashable, Sendable {
  case accuracy
  /// The area under the ROC curve, of two classes or of an autoencoder's errors.
  case auc
  /// The same up to a false positive rate, standardised.
  case partialAUC(maxFPR: Double)
  /// 1 / (1 + loss^10): what AutoQKeras is given for a regression.
  case autoQKeras

  /// The spelling in YAML, which is the column's name as well.
  package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
    case accuracy, auc
    case partialAUC = "p_auc"
    case autoQKeras = "autoqkeras"
  }

  package var kind: Kind {
    switch self {
    case .accuracy: .accuracy
    case .auc: .auc
    case .partialAUC: .partialAUC
    case .autoQKeras: .autoQKeras
    }
  }

  package var name: String { kind.rawValue }

  /// Whether it ranks examples of two classes.
  package var ranks: Bool { Self.ranks(kind) }

  static func ranks(_ kind: Kind) -> Bool { kind == .auc || kind == .partialAUC }
}

/// `"accuracy"`, or `{"kind": "p_auc", "max_fpr": 0.1}`.
extension MetricFields: Codable {
  package enum CodingKeys: String, CodingKey {
    case kind
    case maxFPR = "max_fpr"
  }

  package init(from decoder: any Decoder) throws {
    if let container = try? decoder.container(keyedBy: CodingKeys.self) {
      self = .partialAUC(maxFPR: try container.decode(Double.self, forKey: .maxFPR))
      return
    }
    let container = try decoder.singleValueContainer()
    switch try container.decode(Kind.self) {
    case .accuracy: self = .accuracy
    case .auc: self = .auc
    case .autoQKeras: self = .autoQKeras
    case .partialAUC:
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "p_auc has a max_fpr")
    }
  }

  package func encode(to encoder: any Encoder) throws {
    if case .partialAUC(let maxFPR) = self {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(kind, forKey: .kind)
      try container.encode(maxFPR, forKey: .maxFPR)
    } else {
      var container = encoder.singleValueContainer()
      try container.encode(kind)
    }
  }
}

/// A column of the log that a callback watches. The test set's are none: nothing is chosen by it.
package enum MonitorKind: String, Hashable, Sendable, Codable, CaseIterable {
  case loss, accuracy, auc
  case partialAUC = "p_auc"
  case autoQKeras = "autoqkeras"
  case valLoss = "val_loss"
  case valAccuracy = "val_accuracy"
  case valAUC = "val_auc"
  case valPartialAUC = "val_p_auc"
  case valAutoQKeras = "val_autoqkeras"

  /// The validation set's column of a metric.
  package init(validating metric: MetricFields.Kind) {
    self =
      switch metric {
      case .accuracy: .valAccuracy
      case .auc: .valAUC
      case .partialAUC: .valPartialAUC
      case .autoQKeras: .valAutoQKeras
      }
  }

  package var validates: Bool { rawValue.hasPrefix("val_") }

  /// nil: the loss.
  package var metric: MetricFields.Kind? {
    MetricFields.Kind(rawValue: String(validates ? rawValue.dropFirst(4) : rawValue[...]))
  }

  /// More of every metric is better, and less of the loss. Keras infers so for the accuracy in all
  /// its callbacks, for the area under a curve in EarlyStopping alone.
  package var naturalMode: MonitorMode { metric == nil ? .min : .max }
}

/// Whether less or more of the watched column is better.
package enum MonitorMode: String, Hashable, Sendable, Codable, CaseIterable {
  case min, max
}
