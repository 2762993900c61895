//! The architectures of MLPerf Tiny that the thesis quantizes, with its activation slots.

extension Network {
  /// The kinds that an experiment can name.
  package static let kinds = ["resnet", "ds_cnn", "mobilenet_v1", "fc_autoencoder"]

  /// The network of that kind; nil for an unknown one.
  package static func named(_ kind: String) -> Network? {
    switch kind {
    case "resnet": resnet()
    case "ds_cnn": dsCNN()
    case "mobilenet_v1": mobilenetV1()
    case "fc_autoencoder": fcAutoencoder()
    default: nil
    }
  }

  /// MLPerf Tiny's CIFAR-10 ResNet with 16 filters: 32x32x3 to 10 classes, 78,666 weights.
  package static func resnet() -> Network {
    var build = NetworkBuilder()
    build.initializer = .heNormal
    build.denseInitializer = .heNormal
    build.l2 = 1e-4
    var x = build.slot(build.input([32, 32, 3]))
    x = build.slot(build.relu(build.conv(x, 16, 3, 3)))
    for (filters, stride) in [(16, 1), (32, 2), (64, 2)] {
      var y = build.slot(build.relu(build.conv(x, filters, 3, 3, stride: stride)))
      y = build.slot(build.conv(y, filters, 3, 3))
      if stride != 1 {
        x = build.slot(build.conv(x, filters, 1, 1, stride: stride, normalized: false))
      }
      x = build.slot(build.relu(build.add(x, y)))
    }
    x = build.flatten(build.slot(build.averagePool(x, 8, 8)))
    _ = build.softmax(build.slot(build.dense(x, 10)))
    return Network(name: "resnet", layers: build.layers, inputIsNonNegative: true)
  }

  /// MLPerf Tiny's DS-CNN for keyword spotting: 49x10x1 to 12 classes.
  package static func dsCNN() -> Network {
    var build = NetworkBuilder()
    build.l2 = 1e-4
    var x = build.slot(build.input([49, 10, 1]))
    x = build.slot(build.relu(build.conv(x, 64, 10, 4, stride: 2)))
    for _ in 0..<4 {
      x = build.slot(build.relu(build.depthwise(x, 3)))
      x = build.slot(build.relu(build.conv(x, 64, 1, 1)))
    }
    x = build.flatten(build.slot(build.averagePool(x, 25, 5)))
    _ = build.softmax(build.slot(build.dense(x, 12)))
    return Network(name: "ds_cnn", layers: build.layers, inputIsNonNegative: false)
  }

  /// MLPerf Tiny's MobileNetV1 of width 0.25 for visual wake words: 96x96x3 to 2 classes.
  package static func mobilenetV1() -> Network {
    var build = NetworkBuilder()
    build.initializer = .heNormal
    build.l2 = 1e-4
    var x = build.slot(build.input([96, 96, 3]))
    x = build.slot(build.relu(build.conv(x, 8, 3, 3, stride: 2)))
    let blocks = [
      (16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), (128, 1), (128, 1), (128, 1), (128, 1),
      (128, 1), (256, 2), (256, 1),
    ]
    for (filters, stride) in blocks {
      x = build.slot(build.relu(build.depthwise(x, 3, stride: stride)))
      x = build.slot(build.relu(build.conv(x, filters, 1, 1)))
    }
    x = build.flatten(build.slot(build.averagePool(x, 3, 3)))
    _ = build.softmax(build.slot(build.dense(x, 2)))
    return Network(name: "mobilenet_v1", layers: build.layers, inputIsNonNegative: true)
  }

  /// MLPerf Tiny's fully connected autoencoder for anomaly detection: 640 to 640.
  package static func fcAutoencoder() -> Network {
    var build = NetworkBuilder()
    var x = build.slot(build.input([640]))
    for units in [128, 128, 128, 128, 8, 128, 128, 128, 128] {
      x = build.slot(build.relu(build.dense(x, units, normalized: true)))
    }
    _ = build.slot(build.dense(x, 640))
    return Network(name: "fc_autoencoder", layers: build.layers, inputIsNonNegative: false)
  }
}
