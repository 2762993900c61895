//! Documents that use every key and every form of value once, for the schema. They are read and never
//! run; a test holds that no key is without a form.

enum SchemaProbes {
  private static let training = """
    epochs: 1
    batch_size: 1
    optimizer: {kind: adam}
    learning_rate: 0.1
    loss: mean_squared_error
    metrics: [accuracy, {auc: {}}, {p_auc: {max_fpr: 0.1}}]
    l2: 0
    callbacks:
      - csv_logger
      - {model_checkpoint: {}}
      - {early_stopping: {patience: 1, baseline: 1}}
      - {reduce_lr_on_plateau: {}}
      - {tensorboard: {}}
      - {terminate_on_nan: {}}
      - {layer_statistics: {}}
    test_metrics: true
    augment: true
    subset: {training: 1, validation: 1}
    """

  /// One for each form that `training` has once and not several times.
  private static let others = [
    "optimizer: adam\nlearning_rate: {kind: constant, initial: 0.1}\ncallbacks: [{csv_logger: {}}]",
    "optimizer: {kind: sgd}\nlearning_rate: {kind: exponential, initial: 0.1}",
    "learning_rate: {kind: piecewise, steps: [{from_epoch: 0, rate: 0.1}]}",
    "learning_rate: {kind: cosine, initial: 0.1, decay_epochs: 1}",
    "learning_rate: {kind: table, rates: [1, 0.1]}",
  ]

  private static func indented(_ text: String, by spaces: Int) -> String {
    text.split(separator: "\n").map { String(repeating: " ", count: spaces) + $0 }
      .joined(separator: "\n") + "\n"
  }

  static var experiments: [String] {
    let sections = ([training] + others).map { form in
      ["training", "pretrain", "fine_tune"].map { "\($0):\n" + indented(form, by: 2) }.joined()
        + "search:\n" + indented(form, by: 2) + "  trials: 1\n"
    }
    return sections.map {
      "experiment: x\ndataset: {kind: cifar10, root: x}\n"
        + "network: {kind: resnet}\n" + $0
    } + [whole] + datasets + [layers]
  }

  private static let whole = """
    experiment: x
    variables: {bits: 8, list: [1, true, null], more: {a: 1}}
    environment: {SCRATCH: /tmp, COUNT: 1, FLAG: true, TOKEN: null}
    dataset:
      kind: cifar10
      root: x
      test_index: x
      split: {validation: 0.1}
      augment: {shift: 0.1}
      synthetic: {seed: 1}
      subset: {training: 1, validation: 1, test: 1}
    network: {kind: resnet}
    pretrained: {path: x}
    quantizers:
      kernel: float
      bias: float
      activation: float
      layers: {Conv2D: {kernel: float, bias: float}, Activation: {activation: float}}
    search:
      tuner: bayesian
      trials: 1
      initial_trials: 1
      epochs: 1
      choices:
        kernel: ["quantized_bits(8,8,1,1,alpha='auto')"]
        bias: ["quantized_bits(8,8,1,1,alpha='auto')"]
        activation: ["quantized_bits_featuremap(8,8,1,1,alpha='auto',scale_axis=0)"]
      limit:
        Conv2D: [8, 16, 8]
        Dense: [[8, "quantized_bits(8,8,1,1,alpha='auto')"], [8], 8]
        Activation: [8]
      frozen: [activation]
      transfer_weights: true
      stopping: {rule: median}
      goal:
        kind: energy
        energy:
          integer_add: [1, 0.1]
          integer_multiply: [1, 0.1]
          sram_access: [1, 0.1]
          dram_access: [1, 0.1]
    evaluate: {batch_size: 1}
    seed: 1
    numerics: {threads: auto, isa: auto}

    """

  private static let datasets = [
    """
    experiment: x
    dataset: {kind: cifar10, root: x}
    network: {kind: resnet}
    search: {tuner: hyperband, trials: 1, factor: 3}
    """,
    """
    experiment: x
    dataset:
      kind: dcase2020
      root: [x]
      test_features: x
      split: {by: clip}
      features: {kind: log_mel, n_fft: 1024, to_frame: 250}
      synthetic: {seed: 1}
      machine: x
      channel: 0
    network: {kind: fc_autoencoder}
    numerics: {threads: 2, isa: sse41}
    """,
    """
    experiment: x
    dataset:
      kind: speech_commands
      root: x
      test_root: x
      split: {by: hash}
      features: {kind: mfcc, coefficients: 10}
      augment: {background_noise: {probability: 0.8}}
      synthetic: {seed: 1}
    network: {kind: ds_cnn}
    """,
    """
    experiment: x
    dataset: {kind: speech_commands, root: x, test_features: x}
    network: {kind: ds_cnn}
    """,
    """
    experiment: x
    dataset:
      kind: visual_wake_words
      root: null
      source: synthetic
      split: {validation: 0.1}
      augment: {shift: 0.1}
      test: {kind: clean}
      synthetic: {seed: 1}
    network: {kind: mobilenet_v1}
    """,
  ]

  private static let layers = """
    experiment: x
    dataset: {kind: cifar10, root: x}
    network:
      input: [32, 32, 3]
      slots: auto
      non_negative_input: true
      count_softmax: true
      defaults:
        conv2d: {kernel_initializer: he_normal, l2: 0, batch_norm: true, strides: [1, 1]}
        depthwise_conv2d: {kernel_initializer: he_normal, l2: 0, batch_norm: true, strides: [1, 1]}
        dense: {kernel_initializer: he_normal, l2: 0, batch_norm: false}
        average_pooling2d: {pool_size: 2}
        global_average_pooling2d: {keepdims: true}
        dropout: {rate: 0.1}
        relu: {}
        relu6: {}
        swish: {}
        sigmoid: {}
        add: {}
        multiply: {}
        flatten: {}
        softmax: {}
        quantize: {}
      layers:
        - {conv2d: {filters: 4, kernel_size: [3, 3], strides: [1, 1], batch_norm: true}}
        - relu
        - {conv2d: {filters: 4, strides: 1, kernel_size: 3, name: w, as: v}}
        - {conv2d: {filters: 4, name: x, as: a, from: v, batch_norm: bn_x}}
        - {depthwise_conv2d: {kernel_size: 3, strides: 1, name: y, as: b, from: a, batch_norm: false}}
        - {depthwise_conv2d: {kernel_size: [3, 3], strides: [1, 1], batch_norm: y_bn, as: b2}}
        - {add: {inputs: [a, b2], name: z, as: c}}
        - {global_average_pooling2d: {keepdims: true, name: se, as: se1, from: c}}
        - {multiply: {inputs: [c, se1], name: m, as: d}}
        - {relu: {name: r, as: r1, from: d}}
        - {relu6: {name: r6, as: r2, from: r1}}
        - {swish: {name: s, as: s1, from: r2}}
        - {sigmoid: {name: g, as: g1, from: s1}}
        - {dropout: {rate: 0.1, name: o, as: o1, from: g1}}
        - {average_pooling2d: {pool_size: 2, name: p, as: p1, from: o1}}
        - {average_pooling2d: {pool_size: [2, 2], as: p2}}
        - {quantize: {name: q, as: q1, from: p2}}
        - {repeat: 2, layers: [relu]}
        - {global_average_pooling2d: {keepdims: true, name: gp, as: gp1}}
        - {flatten: {name: f, as: f1, from: gp1}}
        - {dense: {units: 10, name: d1, as: e1, from: f1, batch_norm: false}}
        - {dense: {units: 10, batch_norm: bn_d, as: e2}}
        - {softmax: {name: soft, as: h, from: e2}}

    """

  static var pipelines: [String] {
    let kinds = ["pretrain", "search", "fine_tune"]
    let trained = ([training] + others).map { form in
      "pipeline: x\nexperiment: x\nstages:\n"
        + kinds.map { kind in
          "  \(kind):\n" + indented(form, by: 4) + (kind == "pretrain" ? "" : "    needs: x\n")
        }.joined()
    }
    return trained + [stages, ranges]
  }

  private static let stages = """
    pipeline: x
    experiment: x
    variables: {bits: 8, list: [1, true, null], more: {a: 1}}
    environment: {SCRATCH: /tmp, COUNT: 1, FLAG: true, TOKEN: null}
    set: {seed: 1, fine_tune.learning_rate: 0.1, quantizers.kernel: float, a: [1], b: {c: 1, f: x, g: [1], h: true}, d: true, e: null}
    stages:
      load_pretrained: {resources: {memory_gb: 1}, retries: 1}
      quantize: {needs: x}
      evaluate: {kind: evaluate, needs: x}
      switch_to_auto_po2: {needs: x, layers: [x]}
      switch_alpha: {needs: x, to: auto, layers: all}
      one:
        kind: command
        run: x
        params: {a: 1, b: x, c: [1], d: {e: 1}, f: true, g: null}
        inputs: {a: x}
        outputs: [x]
        needs: x
        resources: {cores: 1, memory_gb: 1}
      two: {kind: command, run: [x, 1], needs: [x]}
      three: {kind: command, run: x, needs: {a: x}}
    sweep:
      product: {seed: [1, 0.1, x, true, null, [1], {a: 1}]}
      zip: {a: [1, 2], b: [1, 2]}
      list: [{c: 1, d: 2}]
      exclude: [{seed: 1}]
      override: [{when: {seed: 1}, set: {e: 1}}]

    """

  private static let ranges = """
    pipeline: x
    experiment: x
    stages: {pretrain: {}}
    sweep:
      - product:
          a: {range: {from: 1, to: 2, step: 1}}
          b: {range: {from: 1, to: 2, count: 2}}
          c: {log: {from: 1, to: 2, count: 2}}
        list: [{f: 1}]
        exclude: [{f: 2}]
        override: [{when: {f: 1}, set: {g: 1}}]
      - zip: [{d: {range: {from: 1, to: 2, step: 1}}, e: {log: {from: 1, to: 2, count: 2}}}]

    """
}
