//! Machine sounds, prepared: recordings, ready-made features or made sounds to frames.

import Datasets
import Experiments
import Pipeline

extension StageContext {
  func prepareMachineSounds(_ fields: PrepareDataFields, threads: Int) throws -> PreparedContents {
    guard let logMel = fields.logMel else {
      throw StageError.wrongTask("machine sounds without a spectrogram")
    }
    var parameters = LogMelSpectrogram.Parameters()
    parameters.length = logMel.nFFT
    parameters.hop = logMel.hopLength
    parameters.bands = logMel.melBins
    let sounds = MachineSounds(
      parameters, keeping: logMel.fromFrame..<logMel.toFrame, least: logMel.leastFrames)
    let writer = PreparedWriter(
      folder: task.output, classes: MachineRecordings.classNames, threads: threads)
    func write(
      _ clips: [PreparedClip], _ makeWorker: @Sendable () -> (Int) throws -> PreparedRows
    ) throws {
      try writer.write(
        MachineSounds.block, .float32, rowShape: [sounds.bands], clips: clips,
        makeWorker: makeWorker, progress: clipProgress("frames", of: clips.count))
    }
    if let synthetic = fields.synthetic {
      let made = MadeMachines(synthetic, part: fields.part)
      try write(made.clips) {
        let transform = sounds.makeTransform()
        return { try transform(made.samples($0), made.clips[$0].file) }
      }
    } else if fields.layout == .features {
      let recordings = try MachineRecordings.features(
        in: input(InputRole.dataset("features")))
      try write(recordings.map(\.clip)) { { try sounds.frames(of: recordings[$0]) } }
    } else {
      let name = fields.part == .training ? "train" : "test"
      let recordings = try MachineRecordings.sounds(
        in: folders(name, count: fields.roots ?? 1), takesAnomalies: fields.part == .test)
      try write(recordings.map(\.clip)) {
        let transform = sounds.makeTransform()
        return { index in
          let path = recordings[index].path
          let clip = try WAVFile.read(
            path, expectedRate: MachineSounds.sampleRate, channel: fields.channel)
          return try transform(clip.samples, path)
        }
      }
    }
    return try writer.finish()
  }
}

extension MachineRecording {
  fileprivate var clip: PreparedClip {
    PreparedClip(file: name, label: isAnomaly ? 1 : 0, group: machine)
  }
}
