//! Machine sounds: names, merged folders, windows of prepared frames.

import Datasets
import Foundation
import TestSupport
import Testing

@Suite struct MachineSoundTests {
  private let workspace: Workspace

  init() throws { workspace = try Workspace() }

  private func message(_ folders: [String], takesAnomalies: Bool = false) -> String {
    do {
      _ = try MachineRecordings.sounds(
        in: folders.map(workspace.path), takesAnomalies: takesAnomalies)
      return ""
    } catch { return "\(error)".replacingOccurrences(of: workspace.root + "/", with: "") }
  }

  @Test func foldersAreMergedByName() throws {
    try workspace.write("", to: "a/normal_id_03_00000001.wav")
    try workspace.write("", to: "a/.hidden.wav")
    try workspace.write("", to: "a/notes.txt")
    try workspace.write("", to: "b/normal_id_01_00000000.WAV")
    let recordings = try MachineRecordings.sounds(
      in: [workspace.path("a"), workspace.path("b")], takesAnomalies: false)
    #expect(recordings.map(\.machine) == ["01", "03"])
    #expect(recordings.allSatisfy { !$0.isAnomaly })
  }

  @Test func wrongFoldersAreNamed() throws {
    try workspace.write("", to: "a/normal_id_01_00000000.wav")
    try workspace.write("", to: "b/normal_id_01_00000000.wav")
    #expect(
      message(["a", "b"])
        == "b: `normal_id_01_00000000.wav` is in a as well: the same recording would count twice")
    try workspace.write("", to: "c/anomaly_id_01_00000002.wav")
    #expect(
      message(["c"])
        == "c: training takes normal clips alone, and here is `anomaly_id_01_00000002.wav`")
    #expect(message(["c"], takesAnomalies: true) == "")
    for name in ["odd", "normal_id_1x_00000000", "normal_id__0", "anomaly_01_00000000"] {
      try workspace.write("", to: "d/\(name).wav")
    }
    #expect(
      message(["d"]).hasPrefix(
        "d: what is `anomaly_01_00000000.wav`, `normal_id_1x_00000000.wav`, "
          + "`normal_id__0.wav`, `odd.wav`? A file here is called normal_id_NN_NNNNNNNN.wav"))
    try workspace.write("", to: "e/readme.txt")
    #expect(message(["e"]) == "e: holds no WAV files")
    #expect(message(["f"]).hasPrefix("f: cannot list: No such file"))
  }

  private func prepare(threads: Int, to name: String) throws -> PreparedFolder {
    let folder = workspace.path(name)
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let sounds = MachineSounds(.init(), keeping: 2..<14, least: 5)
    let writer = PreparedWriter(
      folder: folder, classes: MachineRecordings.classNames, threads: threads)
    // Clips of different lengths: 9, 10, ... frames.
    let clips = (0..<40).map {
      PreparedClip(file: "clip,\"\($0)\"", label: Int32($0 % 2), group: "0\($0 % 3)")
    }
    try writer.write(
      MachineSounds.block, .float32, rowShape: [sounds.bands], clips: clips,
      makeWorker: {
        let transform = sounds.makeTransform()
        return { index in
          let count = 512 * (8 + index % 7)
          return try transform(
            (0..<count).map { Float($0 &* (index + 11) % 1999) / 1999 - 0.5 }, "clip")
        }
      })
    _ = try writer.finish()
    return try PreparedFolder(folder)
  }

  @Test func windowsAreFramesOnEnd() throws {
    let folder = try prepare(threads: 2, to: "prepared")
    let windows = try MachineWindows(folder, frames: 5)
    let block = try folder.block(MachineSounds.block, .float32)
    #expect(block.clips.map(\.rows).prefix(7) == [7, 8, 9, 10, 11, 12, 12])
    #expect(windows.count == block.clips.map { $0.rows - 4 }.reduce(0, +))
    var writer = windows.makeWriter(ExampleDraw(seed: 0, epoch: 0, augments: false))
    var example = [Float](repeating: 0, count: windows.exampleSize)
    var frames = [Float](repeating: 0, count: windows.exampleSize)
    var row = 0
    for (index, clip) in block.clips.enumerated() {
      #expect(windows.windows(of: index).lowerBound == row)
      for window in 0..<clip.rows - 4 {
        #expect(windows.group(of: row) == Int32(index) && windows.label(of: row) == clip.label)
        try example.withUnsafeMutableBufferPointer {
          if let base = $0.baseAddress { try writer.write(row, to: base) }
        }
        try frames.withUnsafeMutableBytes {
          try block.read(rows: clip.firstRow + window..<clip.firstRow + window + 5, into: $0)
        }
        #expect(example == frames)
        row += 1
      }
    }
    #expect(block.clips[7].file == "clip,\"7\"" && block.clips[7].group == "01")
  }

  @Test func threadsDecideNothing() throws {
    _ = try prepare(threads: 1, to: "one")
    _ = try prepare(threads: 5, to: "five")
    for file in ["frames.samples", "frames.csv", "prepared.json"] {
      let one = try Data(contentsOf: URL(fileURLWithPath: workspace.path("one/" + file)))
      let five = try Data(contentsOf: URL(fileURLWithPath: workspace.path("five/" + file)))
      #expect(one == five && !one.isEmpty)
    }
  }

  @Test func aShortClipIsNamed() throws {
    let sounds = MachineSounds(.init(), keeping: 50..<250, least: 5)
    #expect(throws: DatasetError.self) {
      try sounds.makeTransform()([Float](repeating: 0, count: 16_000), "short.wav")
    }
  }
}
