//! The public data sets of the four benchmarks. A checksum stands here only where somebody
//! publishes it: the data set's authors, Zenodo, or the loaders of torchvision and torchaudio.

import Files

extension Catalogue {
  static let cifar10 = DataSet(
    name: "cifar10", title: "CIFAR-10, python version", experiments: ["cifar10", "own_network"],
    license: "none stated; its author asks to be cited",
    citation: "Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009",
    archives: [
      Archive(
        url: "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz", bytes: 170_498_071,
        checksum: Checksum("md5:c58f30108f718f92721af3b95e74349a"), target: "cifar-10-batches-py",
        folder: "cifar-10-batches-py", unpackedLimit: 1 << 30)
    ],
    places: [
      ("data_batch_1", "c99cafc152244af753f735de768cd75f"),
      ("data_batch_2", "d4bba439e000b95fd0a9bffe97cbabec"),
      ("data_batch_3", "54ebc095f3ab1f0389bbae665268c751"),
      ("data_batch_4", "634d18415352ddfa80567beed471001a"),
      ("data_batch_5", "482c414d41f54cd18b22e5b47cb7c3cb"),
      ("test_batch", "40351d587109b95175f43aff81a1287e"),
    ].map { Place("cifar-10-batches-py/\($0)", checksum: Checksum("md5:\($1)")) })

  static let cifar10Binary = DataSet(
    name: "cifar10_binary", title: "CIFAR-10, binary version", experiments: ["cifar10"],
    license: cifar10.license, citation: cifar10.citation,
    archives: [
      Archive(
        url: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", bytes: 170_052_171,
        checksum: Checksum("md5:c32a1d4ab5d03f1284b67883e8d87530"), target: "cifar-10-batches-bin",
        folder: "cifar-10-batches-bin", unpackedLimit: 1 << 30)
    ],
    places: ((1...5).map { "data_batch_\($0).bin" } + ["test_batch.bin"]).map {
      // 10,000 rows of a label and 3,072 pixels.
      Place("cifar-10-batches-bin/\($0)", bytes: 30_730_000)
    },
    note: "instead of cifar10: set dataset.root to it")

  static let speechCommands = DataSet(
    name: "speech_commands", title: "Speech Commands v0.02, 35 words",
    experiments: ["keyword_spotting"], license: "CC BY 4.0",
    citation: "Warden, Speech Commands: A Dataset for Limited-Vocabulary Speech Recognition, 2018",
    archives: [
      Archive(
        url: "http://download.tensorflow.org/data/speech_commands_v0.02.tar.gz",
        bytes: 2_428_923_189,
        checksum: Checksum(
          "sha256:af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58"),
        target: "speech_commands_v0.02", unpackedLimit: 8 << 30)
    ],
    places: [
      // 105,829 words and six long noises.
      Place("speech_commands_v0.02", suffix: ".wav", count: 105_835),
      Place("speech_commands_v0.02/_background_noise_", suffix: ".wav", count: 6),
      Place("speech_commands_v0.02/validation_list.txt"),
      Place("speech_commands_v0.02/testing_list.txt"),
    ])

  static let speechCommandsTest = DataSet(
    name: "speech_commands_test", title: "Speech Commands v0.02, the 12-class test set",
    experiments: ["keyword_spotting"], license: "CC BY 4.0", citation: speechCommands.citation,
    archives: [
      Archive(
        url: "http://download.tensorflow.org/data/speech_commands_test_set_v0.02.tar.gz",
        bytes: 112_563_277, target: "speech_commands_test_set_v0.02", unpackedLimit: 1 << 30)
    ],
    places: [Place("speech_commands_test_set_v0.02", suffix: ".wav", count: 4_890)])

  /// Zenodo's MD5 by archive.
  private static let zenodo = [
    "dev_data_ToyCar": "4dec75ca8d9f666aa9e4c1894a740501",
    "dev_data_ToyConveyor": "03b6aa1bfd09a39d53af0ba39f71fa91",
    "dev_data_fan": "649bdfc06263ae7a838963f43b6641e6",
    "dev_data_pump": "90e7091ef722b7238a7f1009365779cd",
    "dev_data_slider": "da24a757719f0d94d5aa2d646bbfdc86",
    "dev_data_valve": "34d2672f55bb041589ef79c10dc89934",
    "eval_data_train_ToyCar": "a5d4ccd498af70b04dd74b644b820006",
    "eval_data_train_ToyConveyor": "0e808ac0b761e9fb13d5e0c65caff00d",
    "eval_data_train_fan": "567798854130c8019df8b664c095ed1e",
    "eval_data_train_pump": "4e33ae9c0db5cc88437675f5e317caee",
    "eval_data_train_slider": "f84f186f4295fc23754abcdd1b0580a7",
    "eval_data_train_valve": "057cdd560caffb8305449541afd28c6d",
  ]

  static func dcase2020(_ machine: String) -> DataSet {
    func archive(_ name: String, record: Int, bytes: Int?, target: String) -> Archive {
      Archive(
        url: "https://zenodo.org/records/\(record)/files/\(name)_\(machine).zip", bytes: bytes,
        checksum: zenodo["\(name)_\(machine)"].flatMap { Checksum("md5:\($0)") },
        target: "\(target)/\(machine)", folder: machine, unpackedLimit: 8 << 30)
    }
    let isToyCar = machine == "ToyCar"
    return DataSet(
      name: "dcase2020_\(machine.lowercased())",
      title: "DCASE 2020 task 2, \(machine): development and additional training",
      experiments: ["anomaly_detection"],
      license: "CC BY-NC-SA 4.0 (no commercial use)",
      citation: "Koizumi et al., Description and Discussion on DCASE2020 Challenge Task 2, 2020",
      archives: [
        archive(
          "dev_data", record: 3_678_171, bytes: isToyCar ? 1_816_443_231 : nil,
          target: "dcase2020"),
        archive(
          "eval_data_train", record: 3_727_685, bytes: isToyCar ? 861_354_584 : nil,
          target: "dcase2020_additional"),
      ],
      places: [
        Place(
          "dcase2020/\(machine)/train", suffix: ".wav", count: isToyCar ? 4_000 : nil),
        Place(
          "dcase2020/\(machine)/test", suffix: ".wav", count: isToyCar ? 2_459 : nil),
        Place(
          "dcase2020_additional/\(machine)/train", suffix: ".wav",
          count: isToyCar ? 3_000 : nil),
      ],
      note: "both train with dataset.root: [${data}/dcase2020/\(machine), "
        + "${data}/dcase2020_additional/\(machine)]")
  }

  static let visualWakeWords = DataSet(
    name: "visual_wake_words", title: "Visual wake words, 96x96, as MLPerf Tiny trains on them",
    experiments: ["visual_wake_words"],
    license: "COCO's images have Flickr licences of their own, annotations CC BY 4.0",
    citation: "Chowdhery et al., Visual Wake Words Dataset, 2019; Lin et al., Microsoft COCO, 2014",
    archives: [
      Archive(
        url: "https://www.silabs.com/public/files/github/machine_learning/benchmarks/datasets/"
          + "vw_coco2014_96.tar.gz", target: "vw_coco2014_96", folder: "vw_coco2014_96",
        unpackedLimit: 4 << 30)
    ],
    places: [
      Place("vw_coco2014_96", suffix: ".jpg", count: 109_619),
      Place("vw_coco2014_96/person", suffix: ".jpg", count: 53_140),
      Place("vw_coco2014_96/non_person", suffix: ".jpg", count: 56_479),
    ],
    note: "or make it from coco2014: shiftwork data build-vww")

  static let coco2014 = DataSet(
    name: "coco2014", title: "COCO 2014, images and boxes to build visual wake words from",
    experiments: ["visual_wake_words"], license: visualWakeWords.license,
    citation: "Lin et al., Microsoft COCO: Common Objects in Context, 2014",
    archives: [
      coco(
        "annotations/annotations_trainval2014.zip", bytes: nil,
        "031296bbc80c45a1d1f76bf9a90ead27e94e99ec629208449507a4917a3bf009", "annotations"),
      coco(
        "zips/val2014.zip", bytes: nil,
        "fe9be816052049c34717e077d9e34aa60814a55679f804cd043e3cbee3b9fde0", "val2014"),
      coco(
        "zips/train2014.zip", bytes: 13_510_573_713,
        "ede4087e640bddba550e090eae701092534b554b42b05ac33f0300b984b31775", "train2014"),
    ],
    places: [
      Place("coco2014/annotations/instances_train2014.json"),
      Place("coco2014/annotations/instances_val2014.json"),
      Place("coco2014/train2014", suffix: ".jpg", count: 82_783),
      Place("coco2014/val2014", suffix: ".jpg", count: 40_504),
    ],
    note: "20 GB; only for those who build visual wake words themselves")

  private static func coco(
    _ path: String, bytes: Int?, _ sha256: String, _ folder: String
  ) -> Archive {
    Archive(
      url: "http://images.cocodataset.org/\(path)", bytes: bytes,
      checksum: Checksum("sha256:\(sha256)"), target: "coco2014/\(folder)", folder: folder,
      unpackedLimit: 32 << 30)
  }

  static let pretrained = DataSet(
    name: "pretrained", title: "MLPerf Tiny's pretrained networks",
    experiments: ["anomaly_detection", "cifar10", "visual_wake_words"], license: "Apache-2.0",
    citation: "Banbury et al., MLPerf Tiny Benchmark, 2021",
    archives: models.map { model in
      Archive(
        url: "https://raw.githubusercontent.com/mlcommons/tiny/"
          + "1afd2c9820f795965a6134facd0b4dfae41ef23f/benchmark/training/\(model.folder)/"
          + "trained_models/\(model.name)", bytes: model.bytes,
        checksum: Checksum("sha256:\(model.sha256)"), target: "keras_models/\(model.name)",
        isPlainFile: true)
    },
    places: models.map {
      Place(
        "keras_models/\($0.name)", bytes: $0.bytes, checksum: Checksum("sha256:\($0.sha256)"))
    },
    note: "the keyword spotting network is published as a SavedModel, which is not read")

  private static let models = [
    (
      name: "ad01.h5", folder: "anomaly_detection", bytes: 3_411_016,
      sha256: "651a62de1b7facd68d1269373992a2d09ffd28e6a816935d4834fcc558bde512"
    ),
    (
      name: "pretrainedResnet.h5", folder: "image_classification", bytes: 1_116_712,
      sha256: "5f938a8eea605438cc7360aa13c987bc6d7bd0c8d931b2917361ae7ae4eeda2f"
    ),
    (
      name: "vww_96.h5", folder: "visual_wake_words", bytes: 3_124_024,
      sha256: "af9111d50e6e85b2f2123345e0316ef1c384865ebf6b06340ddac7e66017450f"
    ),
  ]
}
