//! A data set and its state, in lines for people and in JSON. Changes nothing.

import Catalogue
import Files

enum DataText {
  /// 178.3 MB: powers of ten, as servers and disks count.
  static func size(_ bytes: Int) -> String {
    let units = ["bytes", "kB", "MB", "GB", "TB"]
    var value = Double(bytes)
    var unit = 0
    while value >= 999.5, unit < units.count - 1 {
      value /= 1000
      unit += 1
    }
    return "\(Text.fixed(value, unit == 0 ? 0 : 1)) \(units[unit])"
  }

  static func lines(
    _ set: DataSet, _ inventory: Inventory, data: String, full: Bool
  ) -> [String] {
    var lines = ["\(set.name): \(set.title)"]
    let experiments = set.experiments.map { "experiments/\($0).yaml" }.joined(separator: ", ")
    if !experiments.isEmpty { lines.append("  for       \(experiments)") }
    for entry in inventory.entries {
      let path = data + "/" + entry.place.path
      lines.append("  \(mark(entry))   \(path): \(entry.fault ?? found(entry))")
    }
    if inventory.state != .complete {
      let bytes = set.downloadBytes.map { size($0) } ?? "of unknown size"
      lines.append("  get       shiftwork data get \(set.name)    download \(bytes)")
    }
    lines.append("  licence   \(set.license)")
    if let note = set.note { lines.append("  note      \(note)") }
    guard full else { return lines }
    lines.append("  cite      \(set.citation)")
    for archive in set.archives {
      lines.append("  from      \(archive.url)")
      lines.append("            \(archive.checksum.map { "\($0)" } ?? "no published checksum")")
    }
    return lines
  }

  private static func mark(_ entry: Inventory.Entry) -> String {
    if entry.isMissing { return "missing" }
    return entry.fault == nil ? "found  " : "differs"
  }

  static func found(_ entry: Inventory.Entry) -> String {
    guard let suffix = entry.place.suffix else { return size(entry.bytes) }
    return "\(entry.files) \(suffix) files, \(size(entry.bytes))"
  }

  /// What a place that has no fault was compared with.
  static func checked(_ place: Place) -> String {
    if let checksum = place.checksum { return "\(checksum.algorithm.rawValue) as published" }
    if place.count != nil { return "count as published" }
    return place.bytes != nil ? "size as published" : "nothing is published to compare it with"
  }

  static func json(_ set: DataSet, _ inventory: Inventory, data: String) -> JSONValue {
    .object([
      "name": .string(set.name), "title": .string(set.title),
      "experiments": .array(set.experiments.map { .string($0) }),
      "state": .string(inventory.state.rawValue), "bytes": .int(inventory.bytes),
      "license": .string(set.license), "citation": .string(set.citation),
      "download_bytes": set.downloadBytes.map { .int($0) } ?? .null,
      "urls": .array(set.archives.map { .string($0.url) }),
      "places": .array(
        inventory.entries.map { entry in
          .object([
            "path": .string(data + "/" + entry.place.path), "files": .int(entry.files),
            "bytes": .int(entry.bytes), "missing": .bool(entry.isMissing),
            "fault": entry.fault.map { .string($0) } ?? .null,
          ])
        }),
    ])
  }
}
