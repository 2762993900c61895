//! The sounds that made words consist of, with the places of their formants. Knows no voice.

/// A sound of speech as a synthesizer wants it; formants are an average man's (Peterson and Barney,
/// "Control methods used in a study of the vowels", 1952, for the vowels).
struct SyntheticPhone: Hashable, Sendable {
  /// Hz.
  var formants: (first: Float, second: Float, third: Float) { (first, second, third) }
  private let first: Float
  private let second: Float
  private let third: Float
  /// Strength of the voice, and of the noise about its own centre in Hz.
  let voice: Float
  let noise: Float
  let centre: Float
  let seconds: Float

  private init(
    _ first: Float, _ second: Float, _ third: Float, voice: Float = 1, noise: Float = 0,
    centre: Float = 4000, seconds: Float = 0.1
  ) {
    self.first = first
    self.second = second
    self.third = third
    self.voice = voice
    self.noise = noise
    self.centre = centre
    self.seconds = seconds
  }

  private static func closure(_ formants: (Float, Float), _ voice: Float) -> SyntheticPhone {
    SyntheticPhone(250, formants.0, formants.1, voice: voice, seconds: 0.05)
  }

  private static func burst(_ formants: (Float, Float), _ centre: Float) -> SyntheticPhone {
    SyntheticPhone(
      300, formants.0, formants.1, voice: 0, noise: 0.8, centre: centre, seconds: 0.025)
  }

  private static let inventory: [String: [SyntheticPhone]] = [
    "AA": [SyntheticPhone(730, 1090, 2440, seconds: 0.15)],
    "AE": [SyntheticPhone(660, 1720, 2410, seconds: 0.14)],
    "AH": [SyntheticPhone(640, 1190, 2390, seconds: 0.11)],
    "AO": [SyntheticPhone(570, 840, 2410, seconds: 0.15)],
    "EH": [SyntheticPhone(530, 1840, 2480, seconds: 0.12)],
    "IH": [SyntheticPhone(390, 1990, 2550, seconds: 0.1)],
    "IY": [SyntheticPhone(270, 2290, 3010, seconds: 0.13)],
    "OW": [
      SyntheticPhone(540, 900, 2400, seconds: 0.1), SyntheticPhone(340, 820, 2240, seconds: 0.1),
    ],
    "UH": [SyntheticPhone(440, 1020, 2240, seconds: 0.1)],
    "UW": [SyntheticPhone(300, 870, 2240, seconds: 0.14)],
    "ER": [SyntheticPhone(490, 1350, 1690, seconds: 0.14)],
    "M": [SyntheticPhone(250, 1000, 2200, voice: 0.35, seconds: 0.08)],
    "N": [SyntheticPhone(250, 1650, 2600, voice: 0.35, seconds: 0.09)],
    "L": [SyntheticPhone(360, 1100, 2700, voice: 0.6, seconds: 0.07)],
    "R": [SyntheticPhone(310, 1060, 1380, voice: 0.6, seconds: 0.08)],
    "W": [SyntheticPhone(290, 610, 2150, voice: 0.6, seconds: 0.08)],
    "Y": [SyntheticPhone(260, 2200, 3000, voice: 0.6, seconds: 0.07)],
    "V": [SyntheticPhone(280, 1100, 2300, voice: 0.4, noise: 0.12, centre: 5500, seconds: 0.07)],
    "Z": [SyntheticPhone(280, 1600, 2500, voice: 0.3, noise: 0.4, centre: 6000, seconds: 0.09)],
    "S": [SyntheticPhone(300, 1600, 2500, voice: 0, noise: 0.6, centre: 6200, seconds: 0.13)],
    "SH": [SyntheticPhone(300, 1700, 2500, voice: 0, noise: 0.7, centre: 3200, seconds: 0.13)],
    "F": [SyntheticPhone(300, 1100, 2300, voice: 0, noise: 0.18, centre: 5200, seconds: 0.12)],
    "TH": [SyntheticPhone(300, 1400, 2500, voice: 0, noise: 0.15, centre: 5800, seconds: 0.1)],
    "H": [SyntheticPhone(500, 1500, 2500, voice: 0.05, noise: 0.25, centre: 1600, seconds: 0.07)],
    "P": [closure((900, 2200), 0), burst((900, 2200), 1100)],
    "B": [closure((900, 2200), 0.15), burst((900, 2200), 900)],
    "T": [closure((1700, 2600), 0), burst((1700, 2600), 4600)],
    "D": [closure((1700, 2600), 0.15), burst((1700, 2600), 3800)],
    "K": [closure((2000, 2500), 0), burst((2000, 2500), 2300)],
    "G": [closure((2000, 2500), 0.15), burst((2000, 2500), 2000)],
  ]

  /// The sounds of a word that is spelled as phones; an unknown one is our own mistake.
  static func sequence(_ spelling: String) -> [SyntheticPhone] {
    spelling.split(separator: " ").flatMap { name in
      guard let phones = inventory[String(name)] else {
        preconditionFailure("no phone is called \(name)")
      }
      return phones
    }
  }
}
