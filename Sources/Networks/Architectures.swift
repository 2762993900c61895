//! The architectures of MLPerf Tiny that the thesis quantizes, with its activation slots.

extension Network {
  /// The kinds that an experiment can name.
  package static let kinds = [
    "fc_autoencoder", "ds_cnn", "resnet", "mobilenet_v1", "mobilenet_v2", "efficientnet_b0",
  ]

  /// The network of that kind; nil for an unknown one.
  package static func named(_ kind: String) -> Network? {
    switch kind {
    case "resnet": resnet()
    case "ds_cnn": dsCNN()
    case "mobilenet_v1": mobilenetV1()
    case "fc_autoencoder": fcAutoencoder()
    case "mobilenet_v2": mobilenetV2()
    case "efficientnet_b0": efficientNetB0()
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
    x = build.dropout(x, 0.2)
    for _ in 0..<4 {
      x = build.slot(build.relu(build.depthwise(x, 3)))
      x = build.slot(build.relu(build.conv(x, 64, 1, 1)))
    }
    x = build.dropout(x, 0.4)
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

  /// A row of the tables by which MobileNetV2 and EfficientNet are published: `repeats` blocks,
  /// the first of which has the stride.
  private struct BlockGroup {
    var expansion: Int
    var filters: Int
    var repeats: Int
    var stride: Int
    var kernel = 3
  }

  /// MobileNetV2 of width 1 for visual wake words (thesis, table 1.9): 96x96x3 to 2 classes. Its
  /// first block has an expansion, too.
  package static func mobilenetV2() -> Network {
    let groups = [
      BlockGroup(expansion: 1, filters: 16, repeats: 1, stride: 1),
      BlockGroup(expansion: 6, filters: 24, repeats: 2, stride: 2),
      BlockGroup(expansion: 6, filters: 32, repeats: 3, stride: 2),
      BlockGroup(expansion: 6, filters: 64, repeats: 4, stride: 2),
      BlockGroup(expansion: 6, filters: 96, repeats: 3, stride: 1),
      BlockGroup(expansion: 6, filters: 160, repeats: 3, stride: 2),
      BlockGroup(expansion: 6, filters: 320, repeats: 1, stride: 1),
    ]
    var build = NetworkBuilder()
    var x = build.slot(build.input([96, 96, 3]))
    x = build.slot(build.relu6(build.conv(x, 32, 3, 3, stride: 2)))
    for group in groups {
      for index in 0..<group.repeats {
        let stride = index == 0 ? group.stride : 1
        let channels = build.shape(x)[2]
        var y = build.slot(build.relu6(build.conv(x, channels * group.expansion, 1, 1)))
        y = build.slot(build.relu6(build.depthwise(y, group.kernel, stride: stride)))
        y = build.slot(build.conv(y, group.filters, 1, 1))
        let isResidual = stride == 1 && channels == group.filters
        x = isResidual ? build.slot(build.add(build.slot(x), y)) : y
      }
    }
    x = build.slot(build.relu6(build.conv(x, 1280, 1, 1)))
    x = build.slot(build.averagePool(x, 3, 3))
    x = build.slot(build.conv(x, 2, 1, 1, normalized: false))
    _ = build.softmax(build.flatten(x))
    return Network(
      name: "mobilenet_v2", layers: build.layers, inputIsNonNegative: true, countsSoftmax: true)
  }

  /// EfficientNet-B0 for visual wake words (thesis, table 1.11): 96x96x3 to 2 classes, its layers
  /// named as keras.applications names them.
  package static func efficientNetB0() -> Network {
    let groups = [
      BlockGroup(expansion: 1, filters: 16, repeats: 1, stride: 1),
      BlockGroup(expansion: 6, filters: 24, repeats: 2, stride: 2),
      BlockGroup(expansion: 6, filters: 40, repeats: 2, stride: 2, kernel: 5),
      BlockGroup(expansion: 6, filters: 80, repeats: 3, stride: 2),
      BlockGroup(expansion: 6, filters: 112, repeats: 3, stride: 1, kernel: 5),
      BlockGroup(expansion: 6, filters: 192, repeats: 4, stride: 2, kernel: 5),
      BlockGroup(expansion: 6, filters: 320, repeats: 1, stride: 1),
    ]
    var build = NetworkBuilder()
    build.initializer = .fanOutNormal
    build.depthwiseInitializer = .fanOutNormal
    build.denseInitializer = .fanOutUniform
    var x = build.slot(build.input([96, 96, 3]))
    x = build.swish(
      build.conv(x, 32, 3, 3, stride: 2, name: "stem_conv", normalization: "stem_bn"))
    for (number, group) in groups.enumerated() {
      for (index, letter) in "abcdefg".prefix(group.repeats).enumerated() {
        x = build.invertedResidual(
          x, group.expansion, filters: group.filters, kernel: group.kernel,
          stride: index == 0 ? group.stride : 1, block: "block\(number + 1)\(letter)_")
      }
    }
    x = build.swish(build.conv(x, 1280, 1, 1, name: "top_conv", normalization: "top_bn"))
    x = build.slot(build.globalAveragePool(x, keepsExtents: false))
    _ = build.softmax(build.slot(build.dense(x, 2, name: "predictions")))
    return Network(name: "efficientnet_b0", layers: build.layers, inputIsNonNegative: true)
  }
}

extension NetworkBuilder {
  /// EfficientNet's MBConv block: expansion, depthwise, squeeze and excite, projection.
  fileprivate mutating func invertedResidual(
    _ x: LayerID, _ expansion: Int, filters: Int, kernel: Int, stride: Int, block: String
  ) -> LayerID {
    let channels = shape(x)[2]
    let wide = channels * expansion
    var y = x
    if expansion != 1 {
      y = swish(
        conv(
          y, wide, 1, 1, name: block + "expand_conv", normalization: block + "expand_bn"))
    }
    y = swish(
      depthwise(
        y, kernel, stride: stride, name: block + "dwconv", normalization: block + "bn"))
    var gate = slot(globalAveragePool(y, keepsExtents: true))
    gate = swish(
      conv(gate, max(1, channels / 4), 1, 1, normalized: false, name: block + "se_reduce"))
    gate = slot(conv(gate, wide, 1, 1, normalized: false, name: block + "se_expand"))
    gate = slot(sigmoid(gate))
    y = slot(multiply(y, gate))
    y = slot(
      conv(
        y, filters, 1, 1, name: block + "project_conv", normalization: block + "project_bn"))
    return stride == 1 && channels == filters ? slot(add(x, y)) : y
  }
}
