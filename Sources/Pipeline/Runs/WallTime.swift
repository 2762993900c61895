//! The time of day, for people who look at runs. Nothing of it enters an artifact or a key.

import CPlatform
import Glibc

package enum WallTime {
  /// Seconds since 1970.
  package static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// `2026-11-28T10:15:00Z`.
  package static func utc(_ seconds: Double) -> String {
    spelled(seconds, "%Y-%m-%dT%H:%M:%SZ", gmtime_r)
  }

  /// `2026-11-28 11:15:00`, where the user is.
  package static func local(_ seconds: Double) -> String {
    spelled(seconds, "%Y-%m-%d %H:%M:%S", localtime_r)
  }

  /// `20261128T101500`: names that sort by time.
  static func compact(_ seconds: Double) -> String {
    spelled(seconds, "%Y%m%dT%H%M%S", gmtime_r)
  }

  private static func spelled(
    _ seconds: Double, _ format: String,
    _ split: (UnsafePointer<time_t>, UnsafeMutablePointer<tm>) -> UnsafeMutablePointer<tm>?
  ) -> String {
    guard seconds.isFinite, seconds.magnitude < 1e12 else { return "?" }
    var whole = time_t(seconds)
    var parts = tm()
    guard split(&whole, &parts) != nil else { return "?" }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
      guard let base = buffer.baseAddress else { return "?" }
      let count = strftime(base, buffer.count, format, &parts)
      return String(
        decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }
}
