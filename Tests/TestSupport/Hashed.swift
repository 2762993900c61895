//! The tensors that the golden scripts rebuild instead of storing, and how far two tensors are apart.

/// The hash behind the golden scripts' numbers: murmur3's 32-bit finalizer of
/// k*0x9E3779B9 + stream*0x85EBCA6B + seed (mod 2^32).
package func hash(_ k: Int, stream: UInt32, seed: UInt32) -> UInt32 {
  var h = UInt32(truncatingIfNeeded: k) &* 0x9E37_79B9 &+ stream &* 0x85EB_CA6B &+ seed
  h ^= h >> 16
  h = h &* 0x85EB_CA6B
  h ^= h >> 13
  h = h &* 0xC2B2_AE35
  h ^= h >> 16
  return h
}

/// Uniform values in [-scale, scale): element k of stream s is its hash divided by 2^31, minus 1,
/// times scale.
package func hashed(_ count: Int, stream: UInt32, scale: Double = 1, seed: UInt32 = 1) -> [Float] {
  (0..<count).map { k in
    Float((Double(hash(k, stream: stream, seed: seed)) / 2_147_483_648 - 1) * scale)
  }
}

/// |actual - expected| / |expected| in the Euclidean norm; 0 where both are zero.
package func relativeDistance(_ actual: [Float], _ expected: [Float]) -> Double {
  relativeDistance(actual.map(Double.init), expected.map(Double.init))
}

package func relativeDistance(_ actual: [Double], _ expected: [Double]) -> Double {
  guard actual.count == expected.count else { return .infinity }
  let distance = norm(zip(actual, expected).map { $0 - $1 })
  let size = norm(expected)
  return distance == 0 ? 0 : distance / size
}

/// The Euclidean norm.
package func norm(_ values: [Double]) -> Double {
  values.reduce(0) { $0 + $1 * $1 }.squareRoot()
}
