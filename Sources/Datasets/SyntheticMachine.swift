//! One made machine: what it sounds like, how its speed and load change that, what a fault does.
//! Knows neither other machines nor files.

import Tensors

/// What is wrong with a machine in one recording; all strengths grow from hardly there to plain.
struct MachineFault {
  enum Kind: Int, CaseIterable {
    /// Some partials are weaker.
    case missing
    /// Periodic knocks, as of a damaged bearing.
    case knocks
    /// The speed wanders.
    case drift
    /// Bursts of a loose part's noise.
    case rattle
    /// A tone that belongs to no shaft.
    case whine
  }

  let kind: Kind
  /// 0...1.
  let strength: Float
  /// A frequency in the kind's own range, Hz, and a slow one.
  let hertz: Float
  let slowHertz: Float

  init(using random: inout SeededGenerator) {
    kind = Kind(rawValue: random.integer(below: Kind.allCases.count)) ?? .missing
    strength = random.uniform(0.15, 1)
    hertz = random.uniform(1200, 5500)
    slowHertz = kind == .drift ? random.uniform(0.3, 2) : random.uniform(3, 11)
  }
}

/// Two shafts with their partials, and flow noise in two resonances that breathes with the first.
struct SyntheticMachine {
  /// One sine: its frequency at unit speed, strength, and how that follows the load.
  private struct Partial {
    var hertz: Float
    var strength: Float
    var sensitivity: Float
  }

  private struct Flow {
    var hertz: Float
    var bandwidth: Float
    var strength: Float
    var sensitivity: Float
    /// How deep, and how often a turn, it swells.
    var depth: Float
    var swells: Float
  }

  private let speed: Float
  private var partials: [Partial] = []
  private var flows: [Flow] = []

  init(using random: inout SeededGenerator) {
    speed = random.uniform(42, 95)
    let gear = random.uniform(1.37, 3.1)
    for (shaft, count) in [(Float(1), 14), (gear, 8)] {
      var envelope = random.uniform(0.5, 1)
      for order in 1...count {
        partials.append(
          Partial(
            hertz: speed * shaft * Float(order), strength: envelope * random.uniform(0.15, 1),
            sensitivity: random.uniform(-0.8, 0.8)))
        envelope *= random.uniform(0.72, 0.95)
      }
    }
    for centre in [random.uniform(500, 1800), random.uniform(2200, 6000)] {
      flows.append(
        Flow(
          hertz: centre, bandwidth: centre * random.uniform(0.15, 0.5),
          strength: random.uniform(0.3, 0.9), sensitivity: random.uniform(-0.7, 0.7),
          depth: random.uniform(0.1, 0.6), swells: Float(random.integer(below: 4) + 1) / 8))
    }
  }

  /// Samples of one recording.
  func record(
    count: Int, fault: MachineFault?, using random: inout SeededGenerator
  ) -> [Float] {
    // What differs from clip to clip.
    let turn = 1 + random.uniform(-0.035, 0.035)
    let load = random.uniform(-1, 1)
    let level = random.uniform(0.045, 0.16)
    let speeds = swaying(count: count, by: turn, fault: fault, using: &random)
    var samples = hum(count, speeds, load: load, fault: fault, using: &random)
    for flow in flows {
      add(flow, speed: turn, load: load, to: &samples, using: &random)
    }
    if let fault { add(fault, to: &samples, using: &random) }
    // The hall around it, of another colour each time.
    let hall = SyntheticSound.noise(
      count: count, colour: random.uniform(0.3, 0.95), using: &random)
    let hallLevel = random.uniform(0.04, 0.25)
    for index in 0..<count { samples[index] = level * (samples[index] + hallLevel * hall[index]) }
    return samples
  }

  /// The speed in blocks of 64 samples, which no machine holds exactly.
  private func swaying(
    count: Int, by turn: Float, fault: MachineFault?, using random: inout SeededGenerator
  ) -> [Float] {
    var sway = OnePole(keep: 0.995)
    var phase = SyntheticSound.phase(&random)
    let isDrifting = fault?.kind == .drift
    let step = SyntheticSound.step((fault?.slowHertz ?? 0) * 64)
    let depth = isDrifting ? 0.01 + 0.05 * (fault?.strength ?? 0) : 0
    return SyntheticSound.sines.withUnsafeBufferPointer { sines in
      (0...count / 64).map { _ in
        phase &+= step
        let wander = 0.06 * sway.next(random.uniform(-1, 1))
        return turn * (1 + wander + depth * SyntheticSound.sine(phase, sines))
      }
    }
  }

  private func hum(
    _ count: Int, _ speeds: [Float], load: Float, fault: MachineFault?,
    using random: inout SeededGenerator
  ) -> [Float] {
    var samples = [Float](repeating: 0, count: count)
    var factors = partials.map { $0.strength * (1 + $0.sensitivity * load) }
    if let fault, fault.kind == .missing {
      for _ in 0..<8 {
        factors[random.integer(below: factors.count)] *= 1 - 0.95 * fault.strength
      }
    }
    SyntheticSound.sines.withUnsafeBufferPointer { sines in
      for (partial, factor) in zip(partials, factors) {
        var phase = SyntheticSound.phase(&random)
        for (block, speed) in speeds.enumerated() {
          let step = SyntheticSound.step(partial.hertz * speed)
          for index in block * 64..<min(block * 64 + 64, count) {
            samples[index] += factor * SyntheticSound.sine(phase, sines)
            phase &+= step
          }
        }
      }
    }
    return samples
  }

  private func add(
    _ flow: Flow, speed turn: Float, load: Float, to samples: inout [Float],
    using random: inout SeededGenerator
  ) {
    var resonator = Resonator()
    resonator.tunePeak(flow.hertz * (1 + 0.1 * (turn - 1)), flow.bandwidth)
    var phase = SyntheticSound.phase(&random)
    let step = SyntheticSound.step(speed * turn * flow.swells)
    let factor = flow.strength * (1 + flow.sensitivity * load)
    SyntheticSound.sines.withUnsafeBufferPointer { sines in
      for index in samples.indices {
        let swell = 1 + flow.depth * SyntheticSound.sine(phase, sines)
        samples[index] += factor * swell * resonator.next(3 * random.uniform(-1, 1))
        phase &+= step
      }
    }
  }

  /// Knocks, rattling and whining; missing partials and drift are in the hum.
  private func add(
    _ fault: MachineFault, to samples: inout [Float], using random: inout SeededGenerator
  ) {
    let period = Int(SyntheticSound.rate / fault.slowHertz)
    var left = random.integer(below: period)
    var resonator = Resonator()
    resonator.tunePeak(fault.hertz, fault.kind == .knocks ? 160 : 900)
    var phase = SyntheticSound.phase(&random)
    let step = SyntheticSound.step(fault.hertz)
    SyntheticSound.sines.withUnsafeBufferPointer { sines in
      for index in samples.indices {
        left -= 1
        // A period is never quite the same.
        if left < 0 { left = period + random.integer(below: period / 4) - period / 8 }
        switch fault.kind {
        case .knocks:
          samples[index] += resonator.next(left == 0 ? 170 * fault.strength : 0)
        case .rattle:
          let isLoose = left < period / 5
          samples[index] += resonator.next(
            isLoose ? 4 * fault.strength * random.uniform(-1, 1) : 0)
        case .whine:
          samples[index] += 0.2 * fault.strength * SyntheticSound.sine(phase, sines)
          phase &+= step
        case .missing, .drift: return
        }
      }
    }
  }
}
