//! A convolution over fixed buffers: forward, or its gradient by data or by kernel. Knows neither
//! folding nor quantizers.

internal import CKernels
internal import COneDNN
package import Diagnostics

/// Extents of a convolution. Maps are NHWC, kernels HWIO; a depthwise kernel is (height, width,
/// channels, 1); a dense layer is a 1x1 convolution on 1x1 maps.
package struct ConvolutionGeometry: Hashable, Sendable {
  package var batch: Int
  package var inputHeight: Int
  package var inputWidth: Int
  package var inputChannels: Int
  package var outputHeight: Int
  package var outputWidth: Int
  package var outputChannels: Int
  package var kernelHeight: Int
  package var kernelWidth: Int
  package var strideHeight: Int
  package var strideWidth: Int
  package var padTop: Int
  package var padLeft: Int
  package var padBottom: Int
  package var padRight: Int
  package var isDepthwise: Bool

  package init(
    batch: Int, input: (height: Int, width: Int, channels: Int),
    output: (height: Int, width: Int, channels: Int), kernel: (height: Int, width: Int),
    stride: (height: Int, width: Int),
    padding: (top: Int, left: Int, bottom: Int, right: Int), isDepthwise: Bool
  ) {
    self.batch = batch
    (inputHeight, inputWidth, inputChannels) = input
    (outputHeight, outputWidth, outputChannels) = output
    (kernelHeight, kernelWidth) = kernel
    (strideHeight, strideWidth) = stride
    (padTop, padLeft, padBottom, padRight) = padding
    self.isDepthwise = isDepthwise
  }

  /// Positions of the output: batch * height * width.
  package var outputRows: Int { batch * outputHeight * outputWidth }
  package var inputCount: Int { batch * inputHeight * inputWidth * inputChannels }
  package var outputCount: Int { outputRows * outputChannels }
  package var kernelCount: Int {
    kernelHeight * kernelWidth * inputChannels * (isDepthwise ? 1 : outputChannels)
  }

  /// Whether each output position needs the input of that position alone.
  var isPointwise: Bool {
    !isDepthwise && kernelHeight == 1 && kernelWidth == 1 && strideHeight == 1 && strideWidth == 1
      && inputHeight == outputHeight && inputWidth == outputWidth
  }

  /// Whether a matrix product, which takes the kernel as it is, is faster than a convolution, which
  /// wants it in a layout of its own: few rows.
  var isSmallProduct: Bool { isPointwise && outputRows <= 128 }

  func depthwise(
    input: UnsafePointer<Float>, kernel: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
    output: UnsafeMutablePointer<Float>?
  ) -> ck_depthwise_sums {
    ck_depthwise_sums(
      x: input, kernel: kernel, bias: bias, y: output, samples: batch, height: inputHeight,
      width: inputWidth, channels: inputChannels, out_height: outputHeight, out_width: outputWidth,
      kernel_height: kernelHeight, kernel_width: kernelWidth, stride_height: strideHeight,
      stride_width: strideWidth, pad_top: padTop, pad_left: padLeft)
  }

  var shim: sw_geometry {
    sw_geometry(
      batch: Int64(batch), in_height: Int64(inputHeight), in_width: Int64(inputWidth),
      in_channels: Int64(inputChannels), out_height: Int64(outputHeight),
      out_width: Int64(outputWidth), out_channels: Int64(outputChannels),
      kernel_height: Int64(kernelHeight), kernel_width: Int64(kernelWidth),
      stride_height: Int64(strideHeight), stride_width: Int64(strideWidth),
      pad_top: Int64(padTop), pad_left: Int64(padLeft), pad_bottom: Int64(padBottom),
      pad_right: Int64(padRight), groups: isDepthwise ? Int64(inputChannels) : 1)
  }
}

/// One convolution bound to its buffers: a oneDNN primitive, or our own loops where oneDNN adds in an
/// order that rounds codes otherwise than TensorFlow's.
package final class Convolution {
  package enum Pass: Sendable {
    /// output = input * kernel (+ bias).
    case forward
    /// output += input * kernel (+ bias).
    case forwardAdding
    /// input's gradient from the output's and the kernel.
    case backwardData
    /// kernel's gradient from the input and the output's gradient.
    case backwardKernel
  }

  private let work: Work

  private enum Work {
    case primitive(ConvolutionPrimitive)
    case product(OrderedProduct)
    case gradient(MatrixGradient)
    case depthwise(ck_depthwise_sums)
    case winograd(WinogradConvolution)
  }

  /// The buffers must outlive the convolution.
  ///
  /// - Parameters:
  ///   - bias: counts in the forward passes alone.
  ///   - mayRegroup: whether sums may run in another order, with at most twice the error: not of codes,
  ///     whose sums are exact.
  package init(
    _ pass: Pass, _ geometry: ConvolutionGeometry, on oneDNN: OneDNN,
    input: UnsafeMutablePointer<Float>, kernel: UnsafeMutablePointer<Float>,
    bias: UnsafeMutablePointer<Float>? = nil, output: UnsafeMutablePointer<Float>,
    mayRegroup: Bool = false
  ) throws(LibraryError) {
    if pass == .forward, geometry.isDepthwise {
      work = .depthwise(
        geometry.depthwise(input: input, kernel: kernel, bias: bias, output: output))
    } else if let gradient = MatrixGradient(
      pass, geometry, input: input, kernel: kernel, output: output)
    {
      work = .gradient(gradient)
    } else if pass == .forward && geometry.isPointwise && OrderedProduct.isNeeded(geometry)
      || (pass == .forward || pass == .forwardAdding && geometry.outputRows == geometry.batch)
        && geometry.isSmallProduct
    {
      work = .product(
        OrderedProduct(
          geometry, input: input, kernel: kernel, bias: bias, output: output,
          adds: pass == .forwardAdding))
    } else if mayRegroup, bias == nil,
      let winograd = WinogradConvolution(
        pass, geometry, on: oneDNN, input: input, kernel: kernel, output: output)
    {
      work = .winograd(winograd)
    } else {
      work = .primitive(
        try ConvolutionPrimitive(
          pass, geometry, on: oneDNN, input: input, kernel: kernel, bias: bias, output: output))
    }
    switch work {
    case .depthwise, .winograd: break
    case .product, .gradient:
      if geometry.outputRows != geometry.batch { oneDNN.threadedConvolutions += 1 }
    case .primitive: oneDNN.threadedConvolutions += 1
    }
  }

  /// `execute` with the kernel's current values.
  package func loadAndExecute() {
    if case .primitive(let primitive) = work { return primitive.loadAndExecute() }
    loadKernel()
    execute()
  }

  /// Takes the kernel's current values; needed after each change of it, before `execute`.
  package func loadKernel() {
    switch work {
    case .primitive(let primitive): primitive.loadKernel()
    case .winograd(let winograd): winograd.loadKernel()
    case .product, .gradient, .depthwise: break
    }
  }

  package func execute() {
    switch work {
    case .primitive(let primitive): primitive.execute()
    case .product(let product): product.execute()
    case .gradient(let gradient): gradient.execute()
    case .depthwise(var depthwise): ck_depthwise_forward(&depthwise)
    case .winograd(let winograd): winograd.execute()
    }
  }
}
