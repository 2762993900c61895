//! MLPerf Tiny's pretrained networks on real data, against outputs that TensorFlow recorded.

import Datasets
import Files
import Networks
import Records
import Tensors
import TestSupport
import Testing
import Training

@Suite(.enabled(if: TestPaths.sharedData != nil)) struct PretrainedTests {
  private let data = TestPaths.sharedData ?? ""

  /// The float network with a file's weights, run sample by sample.
  private struct Pretrained {
    let network: Network
    private let program: Program

    init(_ kind: String, weights path: String) throws {
      network = try #require(Network.named(kind))
      let tensors = try WeightsFile.read(path)
      try WeightMatch.check(
        expected: network.weights.map { ($0.name, $0.shape) }, found: tensors, file: path)
      let weights = WeightStore(network: network)
      weights.tensors = tensors
      program = try Program(
        network, quantizers: .float, options: .init(batch: 1, mode: .inference), weights: weights,
        on: try OneDNN())
      program.prepare()
    }

    func output(of sample: [Float]) -> [Float] {
      program.input.update(from: sample, count: sample.count)
      program.forward()
      let count = network.outputShape.reduce(1, *)
      return Array(UnsafeBufferPointer(start: program.output, count: count))
    }
  }

  /// The lines of a CSV file without its header. Part of the inputs that they name are kept elsewhere.
  private func rows(_ name: String) throws -> [[Substring]] {
    let path = "\(data)/keras_models/reference_outputs/\(name).csv"
    let text = String(decoding: try Files.read(path, limit: 16 << 20), as: UTF8.self)
    return text.split(whereSeparator: \.isNewline).dropFirst().map { $0.split(separator: ",") }
  }

  private func best(_ values: [Float]) -> Int {
    values.indices.max { values[$0] < values[$1] } ?? 0
  }

  @Test func visualWakeWords() throws {
    let network = try Pretrained("mobilenet_v1", weights: "\(data)/keras_models/vww_96.h5")
    var (agreeing, right, compared) = (0, 0, 0)
    for row in try rows("vww_96__vw_coco2014_96_1000jpg") {
      let path = "\(data)/vww/vw_coco2014_96/\(row[0])"
      guard Files.exists(path) else { continue }
      let image = try JPEG(reading: path)
      try #require(image.height == 96 && image.width == 96)
      let output = network.output(of: image.pixels.map { Float($0) / 255 })
      let reference = try row[2...3].map { try #require(Float($0)) }
      compared += 1
      if best(output) == best(reference) { agreeing += 1 }
      if best(output) == Int(row[1]) { right += 1 }
    }
    print("vww_96: \(compared) images, \(agreeing) agree with TensorFlow's, \(right) right")
    #expect(compared >= 100 && agreeing >= compared - 3)
  }

  @Test func keywordSpotting() throws {
    let network = try Pretrained(
      "ds_cnn", weights: "\(data)/keras_models/kws_ref_model_exported.h5")
    let features = try Files.read(
      "\(data)/speech_commands/mlperf_tiny_kws01/kws01_mfcc_1000x49x10.i8", limit: 1 << 20)
    let rows = try rows("kws_ref_model_exported__kws01_1000")
    try #require(features.count == 490 * rows.count)
    var right = 0
    var largest: Float = 0
    for (index, row) in rows.enumerated() {
      let clip = features[(index * 490)..<((index + 1) * 490)].map {
        (Float(Int8(bitPattern: $0)) - 83) * 0.584_702_9
      }
      let output = network.output(of: clip)
      if best(output) == Int(row[1]) { right += 1 }
      for (value, reference) in zip(output, row[2...]) {
        largest = max(largest, abs(value - (try #require(Float(reference)))))
      }
    }
    print("kws_ref_model: \(right) of \(rows.count) right, largest difference \(largest)")
    #expect(abs(Double(right) / Double(rows.count) - 0.913) <= 0.002)
    #expect(largest < 1e-4)
  }

  @Test func anomalyDetection() throws {
    let network = try Pretrained("fc_autoencoder", weights: "\(data)/keras_models/ad01.h5")
    var (files, largest) = (0, 0.0)
    for row in try rows("ad01__ad01_features") {
      let path = "\(data)/toyadmos/ToyCar/ad01_features/\(row[0])"
      guard Files.exists(path) else { continue }
      let bytes = try Files.read(path, limit: 1 << 20)
      try #require(bytes.count == 200 * 128 * 4)
      let values = bytes.withUnsafeBytes { raw in
        (0..<(200 * 128)).map {
          Float(
            bitPattern: UInt32(
              littleEndian: raw.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
        }
      }
      // 196 windows of five frames, a frame apart.
      let errors = (0..<196).map { window in
        let sample = Array(values[(window * 128)..<(window * 128 + 640)])
        return zip(network.output(of: sample), sample).reduce(0.0) { sum, pair in
          sum + Double(pair.0 - pair.1) * Double(pair.0 - pair.1)
        } / 640
      }
      let reference = try #require(Double(row[2]))
      largest = max(largest, abs(errors.reduce(0, +) / 196 - reference))
      files += 1
    }
    print("ad01: \(files) files, largest difference of a mean squared error \(largest)")
    #expect(files >= 50 && largest <= 1e-4)
  }
}
