//! The convolutions written out: what tests compare oneDNN's with. Slow on purpose.

/// Naive twins of `Convolution`, accumulating in Double.
package enum ConvolutionReference {
  /// output[n,y,x,o] = bias[o] + sum of input[n,y',x',i] * kernel[ky,kx,i,o].
  package static func forward(
    _ g: ConvolutionGeometry, input: [Float], kernel: [Float], bias: [Float]? = nil
  ) -> [Float] {
    var output = [Double](repeating: 0, count: g.outputCount)
    visit(g) { i, k, o in output[o] += Double(input[i]) * Double(kernel[k]) }
    return output.enumerated().map { index, value in
      Float(value + Double(bias?[index % g.outputChannels] ?? 0))
    }
  }

  package static func backwardData(
    _ g: ConvolutionGeometry, kernel: [Float], outputGradient: [Float]
  ) -> [Float] {
    var gradient = [Double](repeating: 0, count: g.inputCount)
    visit(g) { i, k, o in gradient[i] += Double(outputGradient[o]) * Double(kernel[k]) }
    return gradient.map { Float($0) }
  }

  package static func backwardKernel(
    _ g: ConvolutionGeometry, input: [Float], outputGradient: [Float]
  ) -> [Float] {
    var gradient = [Double](repeating: 0, count: g.kernelCount)
    visit(g) { i, k, o in gradient[k] += Double(outputGradient[o]) * Double(input[i]) }
    return gradient.map { Float($0) }
  }

  /// Calls `body` with the offsets of every (input, kernel, output) triple that meets.
  private static func visit(_ g: ConvolutionGeometry, _ body: (Int, Int, Int) -> Void) {
    for n in 0..<g.batch {
      for y in 0..<g.outputHeight {
        for x in 0..<g.outputWidth {
          for ky in 0..<g.kernelHeight {
            for kx in 0..<g.kernelWidth {
              let iy = y * g.strideHeight + ky - g.padTop
              let ix = x * g.strideWidth + kx - g.padLeft
              guard (0..<g.inputHeight).contains(iy), (0..<g.inputWidth).contains(ix) else {
                continue
              }
              let input = ((n * g.inputHeight + iy) * g.inputWidth + ix) * g.inputChannels
              let output = ((n * g.outputHeight + y) * g.outputWidth + x) * g.outputChannels
              let kernel = (ky * g.kernelWidth + kx) * g.inputChannels
              for i in 0..<g.inputChannels {
                if g.isDepthwise {
                  body(input + i, kernel + i, output + i)
                } else {
                  for o in 0..<g.outputChannels {
                    body(input + i, (kernel + i) * g.outputChannels + o, output + o)
                  }
                }
              }
            }
          }
        }
      }
    }
  }
}
