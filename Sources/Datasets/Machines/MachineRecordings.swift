//! Recordings of machines by their file names, as DCASE 2020's task 2 lays them out (ToyADMOS,
//! MIMII). Knows nothing of what is in a file.

import Files

/// One recording.
package struct MachineRecording: Hashable, Sendable {
  package var path: String
  /// The file's name alone.
  package var name: String
  /// As in the name: "01".
  package var machine: String
  package var isAnomaly: Bool
}

/// Recordings of one part.
package enum MachineRecordings {
  /// Labels of machine sounds: index 0 and 1.
  package static let classNames = ["normal", "anomaly"]
  /// What follows the name of a ready-made feature file, from MLPerf Tiny's ad01.
  private static let featureSuffix = "_hist_librosa"

  /// The recordings in several folders, by name. A set's additional training part is a folder more.
  ///
  /// - Parameters:
  ///   - folders: each full of files like `normal_id_01_00000000.wav`; others than WAVs, and hidden
  ///     ones, are passed over.
  ///   - takesAnomalies: whether there may be any: a training part has none.
  /// - Throws: `FileError`, `DatasetError.folder`.
  package static func sounds(
    in folders: [String], takesAnomalies: Bool
  ) throws -> [MachineRecording] {
    try scan(
      folders, extension: ".wav", suffix: "", wanted: "WAV files", takesAnomalies: takesAnomalies)
  }

  /// Ready-made features like `normal_id_01_00000000_hist_librosa.bin`.
  package static func features(in folder: String) throws -> [MachineRecording] {
    try scan(
      [folder], extension: ".bin", suffix: featureSuffix, wanted: "feature files (.bin)",
      takesAnomalies: true)
  }

  private static func scan(
    _ folders: [String], extension end: String, suffix: String, wanted: String,
    takesAnomalies: Bool
  ) throws -> [MachineRecording] {
    var found: [MachineRecording] = []
    var homes: [String: String] = [:]
    for folder in folders {
      let names = try Files.list(folder).filter {
        $0.lowercased().hasSuffix(end) && !$0.hasPrefix(".")
      }
      func refuse(_ fault: FolderFault) -> DatasetError { .folder(path: folder, fault) }
      if names.isEmpty { throw refuse(.nothing(wanted: wanted)) }
      let recordings = names.map { recording($0, in: folder, end: end, suffix: suffix) }
      let strange = zip(names, recordings).filter { $0.1 == nil }.map(\.0)
      guard strange.isEmpty else {
        throw refuse(
          .names(
            Array(strange.prefix(FolderFault.shownNames)), count: strange.count,
            expected: "normal_id_NN_NNNNNNNN\(suffix)\(end) or anomaly_id_NN_NNNNNNNN"
              + "\(suffix)\(end)"))
      }
      let known = recordings.compactMap { $0 }
      let anomalies = known.filter(\.isAnomaly).map(\.name)
      if !takesAnomalies, !anomalies.isEmpty {
        throw refuse(
          .anomalies(
            Array(anomalies.prefix(FolderFault.shownNames)), count: anomalies.count))
      }
      for recording in known {
        if let other = homes.updateValue(folder, forKey: recording.name) {
          throw refuse(.duplicate(name: recording.name, other: other))
        }
      }
      found += known
    }
    return found.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }

  /// `normal_id_01_00000000`, then the suffix and the extension.
  private static func recording(
    _ name: String, in folder: String, end: String, suffix: String
  ) -> MachineRecording? {
    let stem = name.dropLast(end.count)
    guard stem.hasSuffix(suffix) else { return nil }
    let parts = stem.dropLast(suffix.count).split(
      separator: "_", omittingEmptySubsequences: false)
    func areDigits(_ text: Substring) -> Bool {
      (1...12).contains(text.utf8.count) && text.utf8.allSatisfy { (48...57).contains($0) }
    }
    guard parts.count == 4, parts[0] == "normal" || parts[0] == "anomaly", parts[1] == "id",
      areDigits(parts[2]), areDigits(parts[3])
    else { return nil }
    return MachineRecording(
      path: folder + "/" + name, name: name, machine: String(parts[2]),
      isAnomaly: parts[0] == "anomaly")
  }
}
