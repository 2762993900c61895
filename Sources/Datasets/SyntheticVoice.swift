//! A made speaker, and how it says a sequence of phones: pulses and noise through moving formants.
//! Knows no words.

import Tensors

/// What stays the same when one speaker speaks twice.
struct SyntheticVoice {
  private let pitch: Float
  /// Formants of a short throat lie higher.
  private let throat: Float
  private let pace: Float
  private let breath: Float
  private let darkness: Float
  /// How far this speaker's formants lie from the average ones, each its own way.
  private let accent: (Float, Float, Float)

  init(using random: inout SeededGenerator) {
    let height = random.uniform()
    pitch = 90 + 130 * height + random.uniform(-20, 40)
    throat = 0.88 + 0.26 * height + random.uniform(-0.05, 0.05)
    pace = random.uniform(0.75, 1.35)
    breath = random.uniform(0.01, 0.12)
    darkness = random.uniform(0.5, 0.9)
    accent = (
      random.uniform(0.9, 1.1), random.uniform(0.92, 1.08), random.uniform(0.95, 1.05)
    )
  }

  /// The controls of five milliseconds.
  private struct Frame {
    var formants: (Float, Float, Float)
    var voice: Float
    var noise: Float
    var centre: Float
  }

  private static let block = 80

  /// Says phones; the loudest sample is about 1.
  func say(_ phones: [SyntheticPhone], using random: inout SeededGenerator) -> [Float] {
    let frames = smoothed(targets(phones, using: &random))
    var samples = [Float](repeating: 0, count: frames.count * Self.block)
    var formants = (Resonator(), Resonator(), Resonator(hertz: 2500 * throat))
    var high = Resonator(hertz: 3600 * throat, bandwidth: 250)
    var hiss = Resonator()
    var glottis = OnePole(keep: darkness)
    var phase = SyntheticSound.phase(&random)
    let rise = random.uniform(-0.25, 0.2)
    let base = pitch * random.uniform(0.9, 1.12)
    for (number, frame) in frames.enumerated() {
      formants.0.tune(frame.formants.0, 70)
      formants.1.tune(frame.formants.1, 100)
      formants.2.tune(frame.formants.2, 150)
      hiss.tunePeak(frame.centre, 1400)
      let place = Float(number) / Float(frames.count)
      let hertz = base * (1 + rise * place) * random.uniform(0.985, 1.015)
      let step = SyntheticSound.step(hertz)
      for index in number * Self.block..<(number + 1) * Self.block {
        let before = phase
        phase &+= step
        // One pulse a turn, as high as it is rare.
        let pulse: Float = phase < before ? 4 : 0
        let white = random.uniform(-1, 1)
        let source = frame.voice * (glottis.next(pulse) + breath * white)
        let tract = formants.2.next(formants.1.next(formants.0.next(source)))
        samples[index] =
          0.75 * tract + 0.25 * high.next(tract) + 0.5 * frame.noise * hiss.next(white)
      }
    }
    let largest = samples.reduce(0) { max($0, $1.magnitude) }
    return largest > 0 ? samples.map { $0 / largest } : samples
  }

  /// Each phone for its time, with this speaker's formants, anew each time.
  private func targets(
    _ phones: [SyntheticPhone], using random: inout SeededGenerator
  ) -> [Frame] {
    let tempo = pace * random.uniform(0.85, 1.18)
    let slur = random.uniform(0.94, 1.06)
    return phones.flatMap { phone in
      let seconds = phone.seconds * tempo * random.uniform(0.75, 1.3)
      let frame = Frame(
        formants: (
          phone.formants.first * throat * accent.0 * random.uniform(0.93, 1.07),
          phone.formants.second * throat * accent.1 * slur * random.uniform(0.94, 1.06),
          phone.formants.third * throat * accent.2
        ),
        voice: phone.voice * random.uniform(0.7, 1.2),
        noise: phone.noise * random.uniform(0.5, 1.4),
        centre: min(phone.centre * (0.7 + 0.3 * throat) * random.uniform(0.9, 1.1), 7000))
      let count = max(3, Int(seconds * SyntheticSound.rate / Float(Self.block)))
      return [Frame](repeating: frame, count: count)
    }
  }

  /// A tongue takes its time: the mean of the neighbouring frames, formants over nine, strengths
  /// over three.
  private func smoothed(_ frames: [Frame]) -> [Frame] {
    func mean(_ index: Int, _ reach: Int, _ value: (Frame) -> Float) -> Float {
      let range = max(0, index - reach)...min(frames.count - 1, index + reach)
      return range.reduce(0) { $0 + value(frames[$1]) } / Float(range.count)
    }
    return frames.indices.map { index in
      let isEnd = index == 0 || index == frames.count - 1
      return Frame(
        formants: (
          mean(index, 4) { $0.formants.0 }, mean(index, 4) { $0.formants.1 },
          mean(index, 4) { $0.formants.2 }
        ),
        voice: (isEnd ? 0.4 : 1) * mean(index, 1) { $0.voice },
        noise: (isEnd ? 0.4 : 1) * mean(index, 1) { $0.noise },
        centre: mean(index, 1) { $0.centre })
    }
  }
}
