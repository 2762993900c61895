//! The resolved fields of each kind of stage: exactly what changes its result. The manifest hashes
//! their JSON, the worker decodes it. They know no YAML, no path and no default.

package import Files
package import Networks

/// Fields of `load_pretrained`. Input: `pretrained`.
package struct LoadPretrainedFields: Hashable, Sendable, Codable {
  package var network: NetworkFields
}

/// Fields of `pretrain`. Inputs: the training files of the data set.
package struct PretrainFields: Hashable, Sendable, Codable {
  package var network: NetworkFields
  package var dataset: DatasetFields
  package var training: TrainingFields
  package var seed: Int
  package var numerics: NumericsFields
}

/// Fields of `quantize`. Input: `model`.
package struct QuantizeFields: Hashable, Sendable, Codable {
  package var network: NetworkFields
  /// The quantizer of every slot of the network that has one.
  package var quantizers: QuantizerMap
}

/// Fields of `search`. Inputs: `model`, from whose weights every trial starts, and the training
/// files of the data set.
package struct SearchStageFields: Hashable, Sendable, Codable {
  package var network: NetworkFields
  /// What a trial trains and validates on: the subset that the search asks for.
  package var dataset: DatasetFields
  /// How one trial trains; `epochs` is of one trial.
  package var training: TrainingFields
  package var search: SearchFields
  package var seed: Int
  package var numerics: NumericsFields
}

/// Fields of `switch_alpha`. Input: `model`.
package struct SwitchAlphaFields: Hashable, Sendable, Codable {
  package enum Target: String, Hashable, Sendable, Codable, CaseIterable {
    case auto
    case autoPo2 = "auto_po2"
    case bestPo2 = "best_po2"
  }

  package var network: NetworkFields
  package var to: Target
  /// Names of the slots to switch, in the network's order; nil: all.
  package var layers: [String]?
}

/// Fields of `fine_tune`. Inputs: `model`, and the training files of the data set.
package struct FineTuneFields: Hashable, Sendable, Codable {
  package var network: NetworkFields
  package var dataset: DatasetFields
  package var training: TrainingFields
  package var seed: Int
  package var numerics: NumericsFields
}

/// Fields of `evaluate`. Inputs: `model`, and the test files of the data set.
package struct EvaluateFields: Hashable, Sendable, Codable {
  package enum CodingKeys: String, CodingKey {
    case network, dataset, loss, metrics, l2, numerics
    case batchSize = "batch_size"
  }

  package var network: NetworkFields
  package var dataset: DatasetFields
  package var loss: LossKind
  package var metrics: [MetricFields]
  /// Weight of the L2 penalty that the loss contains; nil: the network's own.
  package var l2: Double?
  package var batchSize: Int
  package var numerics: NumericsFields
}

/// Fields of `command`. Inputs: what the user names, by the user's names.
package struct CommandFields: Hashable, Sendable {
  /// A line for the shell, or a program and its arguments; `${inputs.NAME}` and `${output}` stand
  /// for paths, `${params.NAME}` for a parameter.
  package enum Run: Hashable, Sendable {
    case text(String)
    case words([String])
  }

  package var run: Run
  package var params: [String: JSONValue]
  package var outputs: [String]

  /// As manifests have it.
  var json: JSONValue {
    let run: JSONValue =
      switch run {
      case .text(let text): .string(text)
      case .words(let words): .array(words.map { .string($0) })
      }
    return .object([
      "run": run, "params": .object(params), "outputs": .array(outputs.map { .string($0) }),
    ])
  }
}

/// What floating-point results depend on besides the program.
package struct NumericsFields: Hashable, Sendable, Codable {
  /// Instruction sets in the words of oneDNN's ONEDNN_MAX_CPU_ISA.
  package enum InstructionSet: String, Hashable, Sendable, Codable, CaseIterable {
    case sse41
    case avx2
    case avx512Core = "avx512_core"
  }

  package var threads: Int
  package var isa: InstructionSet

  /// What the environment of a process with these settings has; oneDNN and libgomp read it.
  package var environment: [String: String] {
    ["OMP_NUM_THREADS": String(threads), "ONEDNN_MAX_CPU_ISA": isa.rawValue.uppercased()]
  }
}
