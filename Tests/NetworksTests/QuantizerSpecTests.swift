//! Quantizers' strings: every form that users paste, and every fault in its place.

import Networks
import Testing

@Suite struct QuantizerSpecTests {
  @Test(arguments: [
    "quantized_bits(4,4,1,1,alpha='auto')",
    "quantized_bits(16,16,1,1,alpha='auto_po2')",
    "quantized_bits(8,0,1,1,alpha='best_po2')",
    "quantized_bits(8,0,0,0,alpha=1.0)",
    "quantized_bits(8,0,1,1)",
    "quantized_bits_featuremap(8,8,1,1,alpha='auto',scale_axis=0)",
    "quantized_bits(8,8,1,1,alpha='auto',use_stochastic_rounding=True,qnoise_factor=0.5,use_ste=False)",
  ])
  func canonicalStringsReadBack(text: String) throws {
    #expect(try QuantizerSpec(parsing: text).description == text)
  }

  @Test func defaultsAreTheConstructors() throws {
    let short = try QuantizerSpec(parsing: " quantized_bits( 4, 1, alpha = \"auto\" ) ")
    #expect(short.bits == 4 && short.integer == 1 && short.alpha == .auto)
    #expect(!short.symmetric && short.keepNegative && short.scaleAxis == nil && short.useSTE)
    let three = try QuantizerSpec(parsing: "quantized_bits(8,0,1)")
    #expect(three.symmetric && three.alpha == .none && three.qnoiseFactor == 1)
    #expect(try QuantizerSpec(parsing: "quantized_bits_featuremap(4)").scaleAxis == 0)
    #expect(try QuantizerSpec(parsing: "quantized_bits(8,0,True,False,None)").keepNegative == false)
  }

  @Test(arguments: [
    ("quantized_bits(8,8,1,1,alpha='auto')", Slot.Role.activation, true),
    ("quantized_bits(8,8,1,1,alpha='best_po2')", .activation, false),
    ("quantized_bits(8,0,1)", .activation, false),
    ("quantized_bits_featuremap(8,8,1,1,alpha='auto',scale_axis=0)", .activation, false),
    ("quantized_bits_featuremap(8,8,1,1,alpha='auto',scale_axis=1)", .activation, true),
    ("quantized_bits_featuremap(8)", .kernel, true),
    ("quantized_bits(8,8,1,1,alpha='auto',scale_axis=2)", .kernel, true),
    ("quantized_bits(8,8,1,1,alpha='auto',use_stochastic_rounding=True)", .kernel, true),
    ("quantized_bits(8,0,1,1,alpha=0)", .bias, true),
    ("quantized_bits(16,16,1,1,alpha='auto')", .bias, false),
  ])
  func whatTheEngineLacksIsRefused(text: String, role: Slot.Role, isRefused: Bool) throws {
    #expect(try (QuantizerSpec(parsing: text).refusal(as: role) != nil) == isRefused)
  }

  @Test(arguments: [
    ("", "a quantizer starts with its name", 0),
    ("quantised_bits(4)", "no quantizer is called `quantised_bits`", 0),
    ("quantized_bits", "expected `(`", 13),
    ("quantized_bits(4", "expected `)`", 15),
    ("quantized_bits(4) x", "nothing may follow", 18),
    ("quantized_bits(4,4,1,1,alfa='auto')", "no argument is called `alfa`", 23),
    ("quantized_bits(4,4,1,1,alpha='atuo')", "`alpha` takes", 29),
    ("quantized_bits(4,4,1,1,alpha='auto)", "a string without its closing quote", 29),
    ("quantized_bits(4,bits=4)", "`bits` is given twice", 17),
    ("quantized_bits(bits=4,4)", "a positional argument may not follow", 22),
    ("quantized_bits(four)", "`four` is no number", 15),
    ("quantized_bits(4,,1)", "an argument is missing", 17),
    ("quantized_bits(99999999999999999999)", "`bits` takes a whole number", 15),
    ("quantized_bits(0)", "bits must lie in 1...32", 0),
    ("quantized_bits(4,4,2)", "`symmetric` takes", 19),
    ("quantized_bits(1,alpha='auto')", "a scale of its own needs at least 2 bits", 0),
  ])
  func faultsNameTheirPlace(text: String, message: String, offset: Int) {
    #expect {
      _ = try QuantizerSpec(parsing: text)
    } throws: { error in
      guard let error = error as? QuantizerSyntaxError else { return false }
      return error.message.hasPrefix(message) && error.offset == offset
    }
  }
}
