//! A fit between two epochs on disk, for the process that goes on after this one was killed. Knows
//! bytes and files, no training.

import Files
import FoundationEssentials
import Networks
package import Training

/// What a killed fit left: where it stood, and the files that its epochs had written.
package struct FitCheckpoint: Hashable, Sendable {
  package var state: FitState
  /// By their path in the fit's folder: log.csv, event files.
  package var files: [String: [UInt8]]

  package init(state: FitState, files: [String: [UInt8]]) {
    self.state = state
    self.files = files
  }

  /// What a checkpoint belongs to: it is good for nothing else.
  package struct Owner: Hashable, Sendable, Codable {
    /// The key of the stage or trial.
    package var key: String
    package var kind: String
    /// Of the kind's code.
    package var version: Int

    package init(key: String, kind: String, version: Int) {
      self.key = key
      self.kind = kind
      self.version = version
    }
  }

  /// Raised with the layout of the bytes.
  private static let format = 1
  private static let magic = Array("shiftwork fit\n".utf8)

  /// What stands before the numbers. Numbers that JSON cannot spell are strings in it.
  private struct Header: Codable {
    struct File: Codable {
      var path: String
      var size: Int
    }

    var format: Int
    var owner: Owner
    var log: [[String: Double]]
    var callbacks: CallbackState
    var step: Int
    var moments: Int
    var checkpoint: Int?
    var earlyStopping: Int?
    var files: [File]
  }

  /// Why bytes are no checkpoint.
  package enum Refusal: Error, Hashable, CustomStringConvertible {
    case damaged
    case otherOwner
    case otherFormat(Int)
    case doesNotSuit

    package var description: String {
      switch self {
      case .damaged: "it is damaged"
      case .otherOwner: "it belongs to another stage"
      case .otherFormat(let format):
        "it is of format \(format), this program writes \(Self.own)"
      case .doesNotSuit: "it does not suit this fit"
      }
    }

    private static var own: Int { FitCheckpoint.format }
  }
}

// MARK: - Bytes

extension FitCheckpoint {
  /// Magic, the header's length and the header as JSON; arrays of float32, each behind its count;
  /// the files; the SHA-256 of all that. Little endian.
  package func bytes(of owner: Owner) throws -> [UInt8] {
    let paths = files.keys.sorted()
    let header = Header(
      format: Self.format, owner: owner, log: state.log.map(\.values), callbacks: state.callbacks,
      step: state.optimizer.step, moments: state.optimizer.moments.count,
      checkpoint: state.checkpoint?.epoch, earlyStopping: state.earlyStopping?.epoch,
      files: paths.map { Header.File(path: $0, size: files[$0]?.count ?? 0) })
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let text = Array(try encoder.encode(header))
    var bytes = Self.magic
    Self.append(text.count, to: &bytes)
    bytes += text
    for array in arrays {
      Self.append(array.count, to: &bytes)
      array.withUnsafeBytes { bytes += $0 }
    }
    for path in paths { bytes += files[path] ?? [] }
    return bytes + Array(SHA256.digest(of: bytes).hex.utf8)
  }

  /// Checks and reads what `bytes(of:)` made.
  package init(parsing bytes: [UInt8], of owner: Owner) throws {
    guard bytes.count > 64, bytes.starts(with: Self.magic),
      Array(SHA256.digest(of: Array(bytes.dropLast(64))).hex.utf8) == Array(bytes.suffix(64))
    else { throw Refusal.damaged }
    var rest = bytes.dropLast(64).dropFirst(Self.magic.count)
    let text = try Self.take(try Self.count(&rest), from: &rest)
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    guard let format = try? decoder.decode(Format.self, from: Data(text)).format else {
      throw Refusal.damaged
    }
    guard format == Self.format else { throw Refusal.otherFormat(format) }
    guard let header = try? decoder.decode(Header.self, from: Data(text)) else {
      throw Refusal.damaged
    }
    guard header.owner == owner else { throw Refusal.otherOwner }
    func snapshot() throws -> WeightStore.Snapshot {
      WeightStore.Snapshot(trainable: try Self.floats(&rest), statistics: try Self.floats(&rest))
    }
    func kept(_ epoch: Int?) throws -> FitState.Kept? {
      try epoch.map { FitState.Kept(epoch: $0, weights: try snapshot()) }
    }
    guard (0...2).contains(header.moments) else { throw Refusal.damaged }
    state = FitState(
      log: header.log.enumerated().map { EpochLog(epoch: $0, values: $1) },
      weights: try snapshot(),
      optimizer: OptimizerState(
        step: header.step, moments: try (0..<header.moments).map { _ in try Self.floats(&rest) }),
      callbacks: header.callbacks, checkpoint: try kept(header.checkpoint),
      earlyStopping: try kept(header.earlyStopping))
    files = [:]
    for file in header.files { files[file.path] = Array(try Self.take(file.size, from: &rest)) }
    guard rest.isEmpty else { throw Refusal.damaged }
  }

  private struct Format: Decodable { var format: Int }

  /// In the order in which they are read.
  private var arrays: [[Float]] {
    let snapshots = [state.checkpoint, state.earlyStopping].compactMap { $0?.weights }
    return [state.weights.trainable, state.weights.statistics] + state.optimizer.moments
      + snapshots.flatMap { [$0.trainable, $0.statistics] }
  }

  private static func append(_ count: Int, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: UInt64(count).littleEndian) { bytes += $0 }
  }

  private static func take(
    _ count: Int, from rest: inout ArraySlice<UInt8>
  ) throws -> ArraySlice<UInt8> {
    guard count >= 0, count <= rest.count else { throw Refusal.damaged }
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
  }

  private static func count(_ rest: inout ArraySlice<UInt8>) throws -> Int {
    let value = try take(8, from: &rest).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard let count = Int(exactly: value) else { throw Refusal.damaged }
    return count
  }

  private static func floats(_ rest: inout ArraySlice<UInt8>) throws -> [Float] {
    let count = try count(&rest)
    guard count <= rest.count / 4 else { throw Refusal.damaged }
    let bytes = try take(4 * count, from: &rest)
    return [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      UnsafeMutableRawBufferPointer(buffer).copyBytes(from: bytes)
      initialized = count
    }
  }
}
