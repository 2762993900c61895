//! What editors say of a key, by its path; `*` is a name of the user's own or a list's element. A
//! test holds that every key here is one that is read.

enum SchemaDescriptions {
  private static let training: [String: String] = [
    "epochs": "Passes over the training set.",
    "batch_size": "Examples of one step.",
    "optimizer": "A name, or {kind: ..., options}.",
    "learning_rate": "A number, or a schedule by epoch: {kind: cosine, initial: 0.001, ...}.",
    "loss": "What training makes small.",
    "metrics": "What is measured besides the loss.",
    "l2": "Weight of the L2 penalty on kernels; the network's own unless it is given.",
    "callbacks": "What happens after each epoch: names, or {name: options}.",
    "test_metrics": "Whether the test set is measured after each epoch too.",
    "augment": "Whether training examples are varied, where the data set says how.",
    "subset": "Fewer examples than there are.",
  ]

  private static func nested(_ descriptions: [String: String], in sections: [String])
    -> [String: String]
  {
    var result: [String: String] = [:]
    for section in sections {
      for (key, text) in descriptions { result["\(section).\(key)"] = text }
    }
    return result
  }

  private static let both: [String: String] = [
    "variables": "Values by name; ${name} stands for them, here and in the other file.",
    "environment": "Variables of the environment that ${env.NAME} may use, with their values where "
      + "they are not set; null where they must be.",
  ]

  static var experiment: [String: String] {
    nested(training, in: ["training", "pretrain", "fine_tune", "search"])
      .merging(both) { first, _ in first }
      .merging(experimentKeys) { _, own in own }
  }

  private static let experimentKeys: [String: String] = [
    "experiment": "The experiment's name; the file is experiments/NAME.yaml.",
    "dataset": "What is learnt from, and what is done to it.",
    "dataset.kind": "The data set.",
    "dataset.source": "The files, or examples made from a seed.",
    "dataset.root": "The folder of its files, as in ${data}/cifar-10-batches-py.",
    "dataset.test_root": "The folder of the test set, where it has one of its own.",
    "dataset.test_features": "The test set as ready-made features.",
    "dataset.test_index": "The rows of the test set that test: an .npy file or a list.",
    "dataset.scale": "What pixels are multiplied by.",
    "dataset.format": "How CIFAR-10's files are written.",
    "dataset.split": "What of the training set validates.",
    "dataset.split.validation": "The share of the training set that validates.",
    "dataset.split.seed": "What draws it.",
    "dataset.split.by": "How examples are divided.",
    "dataset.augment": "How training examples are varied.",
    "dataset.features": "What is computed of a sound.",
    "dataset.synthetic": "How many examples are made, where the source is synthetic.",
    "dataset.subset": "Fewer examples of each part.",
    "dataset.channel": "The microphone of recordings that have several.",
    "dataset.machine": "What score files are called by.",
    "network": "A kind that the program knows, or layers.",
    "network.kind": "A network of MLPerf Tiny, or another one that the program knows.",
    "network.layers": "The network layer by layer: a kind, or {kind: options}.",
    "network.input": "The input's shape: [height, width, channels] or [features].",
    "pretrained": "What load_pretrained reads.",
    "pretrained.path": "A file of weights in Keras's HDF5 layout.",
    "training": "How pretrain, search and fine_tune train; each may override any field.",
    "pretrain": "What pretrain does otherwise than training says.",
    "fine_tune": "What fine_tune does otherwise than training says.",
    "quantizers": "What quantize puts into the network's slots, in QKeras's spelling.",
    "quantizers.file": "A listing as AutoQKeras prints it, beside this file.",
    "quantizers.kernel": "The quantizer of kernels, or float.",
    "quantizers.bias": "The quantizer of biases, or float.",
    "quantizers.activation": "The quantizer of feature maps, or float.",
    "quantizers.layers": "Exceptions by a layer's name, a regex of whole names, or a class.",
    "search": "The search for quantizers that cost little and lose little.",
    "search.tuner":
      "random; bayesian, AutoQKeras's; hyperband; or additive, which learns the metric as a sum over "
      + "slots.",
    "search.trials": "How many networks are tried.",
    "search.initial_trials":
      "Random trials before bayesian's first model; three times the choices.",
    "search.factor": "What each round of hyperband multiplies the epochs by.",
    "search.batch": "Trials that the tuner proposes at once, and that may run at once.",
    "search.threads": "Threads of one trial.",
    "search.max_consecutive_failed_trials": "So many failed trials in a row end the search.",
    "search.epochs": "Epochs of one trial.",
    "search.choices": "Candidates by role.",
    "search.limit":
      "[kernel, bias, activation] by regex or class: at most so many bits, or lists of what is allowed.",
    "search.frozen": "Layers that keep the experiment's quantizers: names, classes and regexes.",
    "search.transfer_weights": "Whether trials start from the weights of the stage that is needed.",
    "search.stopping": "When a hopeless trial ends before its last epoch.",
    "search.stopping.rule":
      "median: its best score is below the median of what finished trials averaged so far.",
    "search.stopping.after_epochs": "Epochs that every trial gets.",
    "search.stopping.after_trials": "Finished trials before the first one may be stopped.",
    "search.goal": "What a trial is rewarded for.",
    "search.goal.kind": "What costs: bits, or the energy of an inference as QKeras reckons it.",
    "search.goal.delta_p": "Per cent of the metric that halving the cost is worth.",
    "search.goal.delta_n": "Per cent of the metric that doubling the cost loses.",
    "search.goal.energy": "Picojoules of operations; polynomials, the highest power first.",
    "evaluate": "How evaluate measures.",
    "seed": "Of initialisers, shuffling, augmentation and the tuner.",
    "numerics": "What the last bit of a result depends on besides the seed.",
    "numerics.threads": "Threads of a training; auto is this machine's cores.",
    "numerics.isa": "The widest instruction set used; auto is this machine's.",
  ]

  static var pipeline: [String: String] {
    nested(training, in: ["stages.*"]).merging(both) { first, _ in first }
      .merging(pipelineKeys) { _, own in own }
  }

  private static let pipelineKeys: [String: String] = [
    "pipeline": "The pipeline's name; results lie in results/NAME/.",
    "experiment": "A name, or the path of an experiment's file. Commands alone need none.",
    "set": "Overrides of the experiment's fields, by path: fine_tune.epochs: 20.",
    "stages": "What is done, by name. A stage's name is its kind unless it has one.",
    "stages.*.kind": "What the stage does.",
    "stages.*.needs": "The stage whose network it works on; of a command one or several.",
    "stages.*.to": "Where scales come from afterwards.",
    "stages.*.layers": "The layers to switch: names, classes and regexes, or all.",
    "stages.*.run": "A line for the shell, or a program and its arguments. ${inputs.NAME}, "
      + "${output} and ${params.NAME} stand for paths and parameters.",
    "stages.*.params": "Parameters of a command; a changed one runs the stage again.",
    "stages.*.inputs": "Files and folders that a command reads, by name.",
    "stages.*.outputs": "What a command must leave below ${output}.",
    "stages.*.resources": "What the stage takes of the machine while it runs.",
    "stages.*.resources.cores": "Cores of a command.",
    "stages.*.resources.memory_gb": "Memory in GB.",
    "stages.*.retries": "How often the stage is tried again after a failure.",
    "sweep": "How fields vary: the pipeline runs once for each point. A list unites sweeps.",
    "sweep.product": "Every combination of the fields' values.",
    "sweep.zip": "Fields that vary together; all have as many values.",
    "sweep.list": "Points one by one.",
    "sweep.exclude": "Points that are left out, by some of their values.",
    "sweep.override": "Fields that are set at some points alone: {when: {...}, set: {...}}.",
  ]
}
