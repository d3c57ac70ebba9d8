// From sums back to int8: multiply, round, shift, add zero point or residual, clamp.
//
// Computes   requantise: (accumulator * multiplier + 2^(shift - 1)) >> shift, arithmetically
//            clamped:    limited to -128..127; what is added before is the output's zero point, or a residual that has
//            it
// Contract   |accumulator| < 2^24, multiplier < 2^17, shift 16..31
// Resources  one 25 x 17 multiplication (one DSP48E1), one adder of 42 bits, one shifter of 16 places
// Reference  riffle.graph.reference.requantise, riffle.graph.reference.clamp
#ifndef RIFFLE_REQUANTISE_HPP
#define RIFFLE_REQUANTISE_HPP

#include "integers.hpp"
#include "pragmas.hpp"

namespace riffle {

// What one output channel needs beside its weights
struct Scale {
  std::int32_t bias;
  std::uint32_t multiplier;
  std::uint32_t shift;
};

RIFFLE_FUNCTION std::int32_t requantise(std::int32_t accumulator, std::uint32_t multiplier, std::uint32_t shift) {
  RIFFLE_INLINE
  const Int<25> a = accumulator;
  const Int<18> m = static_cast<std::int32_t>(multiplier);
  const Int<43> half = static_cast<Int<43> >(1) << (shift - 1);
  return static_cast<std::int32_t>((product<25, 18>(a, m) + half) >> shift);
}

RIFFLE_FUNCTION std::int8_t clamped(std::int32_t value) {
  RIFFLE_INLINE
  return static_cast<std::int8_t>(value < -128 ? -128 : value > 127 ? 127 : value);
}

// The whole way of a sum. `added`: the output's zero point, or what the output held before (residual add)
RIFFLE_FUNCTION std::int8_t scaled(std::int32_t accumulator, const Scale& scale, std::int32_t added) {
  RIFFLE_INLINE
  return clamped(requantise(accumulator, scale.multiplier, scale.shift) + added);
}

}  // namespace riffle
#endif
