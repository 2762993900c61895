//! Products of small matrices by oneDNN. Knows no layer.

internal import COneDNN

private let plain = CChar(UInt8(ascii: "N"))
private let transposed = CChar(UInt8(ascii: "T"))

/// Row-major matrices in float32.
package enum MatrixProduct {
  /// c (rows, columns) = a (rows, inner) * b (inner, columns). Each value is one chain of fused
  /// multiply-adds, while `inner` is at most 256.
  ///
  /// - Parameters:
  ///   - aStride: values from row to row of a; nil: `inner`.
  ///   - bStride: of b and c; nil: `columns`.
  ///   - adds: to what stands in c.
  package static func multiply(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>,
    rows: Int, inner: Int, columns: Int, aStride: Int? = nil, bStride: Int? = nil,
    adds: Bool = false
  ) {
    let stride = Int64(bStride ?? columns)
    let status = dnnl_sgemm(
      plain, plain, Int64(rows), Int64(columns), Int64(inner), 1, a, Int64(aStride ?? inner), b,
      stride, adds ? 1 : 0, c, stride)
    precondition(status == dnnl_success, "oneDNN: product failed with \(status.rawValue)")
  }

  /// c (rows, columns) = a^T * b, a being (inner, rows).
  ///
  /// - Parameter aStride: values from row to row of a; nil: `rows`.
  package static func multiplyTransposing(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>,
    rows: Int, inner: Int, columns: Int, aStride: Int? = nil
  ) {
    let status = dnnl_sgemm(
      transposed, plain, Int64(rows), Int64(columns), Int64(inner), 1, a, Int64(aStride ?? rows), b,
      Int64(columns), 0, c, Int64(columns))
    precondition(status == dnnl_success, "oneDNN: product failed with \(status.rawValue)")
  }

  /// c (rows, columns) = a (rows, inner) * b^T, b being (columns, inner).
  ///
  /// - Parameters:
  ///   - aStride: values from row to row of a; nil: `inner`.
  ///   - adds: to what stands in c.
  package static func multiplyTransposed(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>,
    rows: Int, inner: Int, columns: Int, aStride: Int? = nil, adds: Bool = false
  ) {
    let status = dnnl_sgemm(
      plain, transposed, Int64(rows), Int64(columns), Int64(inner), 1, a, Int64(aStride ?? inner),
      b, Int64(inner), adds ? 1 : 0, c, Int64(columns))
    precondition(status == dnnl_success, "oneDNN: product failed with \(status.rawValue)")
  }
}
