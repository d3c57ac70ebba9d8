// When a descriptor contradicts itself.
//
// Reference  riffle.isa.emulator.contradiction
#ifndef RIFFLE_DESCRIPTOR_RULES_HPP
#define RIFFLE_DESCRIPTOR_RULES_HPP

#include "descriptor.hpp"
#include "pragmas.hpp"

namespace riffle {

RIFFLE_FUNCTION bool is(const Descriptor& d, Opcode opcode) { return d.opcode == static_cast<std::uint32_t>(opcode); }

RIFFLE_FUNCTION bool known(const Descriptor& d) {
  return is(d, Opcode::Conv) || is(d, Opcode::Maxpool) || is(d, Opcode::GlobalAverage);
}

// Slots that one phase of a block takes
RIFFLE_FUNCTION std::uint32_t taps_of(const Descriptor& d) { return d.paired ? 5 : d.taps9 ? 9 : d.taps4 ? 4 : 1; }

RIFFLE_FUNCTION bool contradicts(const Descriptor& d) {
  RIFFLE_INLINE
  const bool conv = is(d, Opcode::Conv), maximum = is(d, Opcode::Maxpool), average = is(d, Opcode::GlobalAverage);
  const bool sizes = d.log2s > kLog2sMax || d.blocks == 0 || d.groups == 0 || d.group_outputs == 0 || d.modulus == 0 ||
                     d.remainder >= d.modulus || (d.stride2 && d.log2s == 0) || (d.paired && !d.taps9) ||
                     (d.taps4 && d.taps9);
  const bool shuffled = d.step_low != 1 || d.step_high != d.modulus;
  const bool outputs = (d.residual && (d.raw || d.duplicate || shuffled)) || (d.raw && d.duplicate);
  const bool weights = conv && taps_of(d) * d.blocks > kPairWeightsMax;
  const bool pool = !conv && (d.paired || d.residual || d.raw || d.duplicate || d.taps4 || d.group_outputs % 2);
  return sizes || outputs || weights || pool || (maximum && (!d.taps9 || d.blocks != 1)) ||
         (average && (d.taps9 || d.log2s || d.blocks > (1u << (2 * kLog2sMax))));
}

}  // namespace riffle
#endif
