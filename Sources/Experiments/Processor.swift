//! What `auto` means on this machine: the number of cores and the instruction set. Knows no spec.

import CPlatform
import Glibc

/// The machine that plans, which is the one that runs.
package enum Processor {
  package static var cores: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

  /// The widest instruction set that the processor and the system offer.
  package static var instructionSet: NumericsFields.InstructionSet {
    switch shiftwork_instruction_set() {
    case 2: .avx512Core
    case 1: .avx2
    default: .sse41
    }
  }
}

extension NumericsFields.InstructionSet: Comparable {
  private var width: Int {
    switch self {
    case .sse41: 0
    case .avx2: 1
    case .avx512Core: 2
    }
  }

  package static func < (one: Self, other: Self) -> Bool { one.width < other.width }
}
