//! The word that somebody probably meant.

/// The candidate nearest to `word` by insertions, deletions, substitutions and swaps of neighbours;
/// nil when none is near: a third of the word may differ, at least one character.
package func closest(to word: String, among candidates: some Sequence<String>) -> String? {
  let letters = Array(word.lowercased())
  guard !letters.isEmpty, letters.count <= 64 else { return nil }
  var best: (distance: Int, word: String)?
  for candidate in candidates {
    let limit = max(1, max(letters.count, candidate.count) / 3)
    guard abs(candidate.count - letters.count) <= limit else { continue }
    let distance = editDistance(letters, Array(candidate.lowercased()))
    // A word of which nothing remains is no misspelling.
    guard distance <= limit, distance < max(letters.count, candidate.count) else { continue }
    if distance < best?.distance ?? .max { best = (distance, candidate) }
  }
  return best?.word
}

/// Damerau-Levenshtein (optimal string alignment).
private func editDistance(_ one: [Character], _ other: [Character]) -> Int {
  var beforePrevious: [Int] = []
  var previous = Array(0...other.count)
  for (i, letter) in one.enumerated() {
    var row = [i + 1]
    for (j, target) in other.enumerated() {
      var distance = min(previous[j + 1] + 1, row[j] + 1, previous[j] + (letter == target ? 0 : 1))
      if i > 0, j > 0, letter == other[j - 1], one[i - 1] == target {
        distance = min(distance, beforePrevious[j - 1] + 1)
      }
      row.append(distance)
    }
    (beforePrevious, previous) = (previous, row)
  }
  return previous[other.count]
}
