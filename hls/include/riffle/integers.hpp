// Integers of as many bits as the hardware has: ap_int where Vitis HLS compiles, elsewhere the next standard type.
//
// Contract   values stay within their bits (docs/numeric-contract.md proves it), so both give the same results
// Macros     RIFFLE_VENDOR_TYPES chooses ap_int, for the tests of that claim
#ifndef RIFFLE_INTEGERS_HPP
#define RIFFLE_INTEGERS_HPP

#include <cstdint>
#include <type_traits>

#include "pragmas.hpp"

#if defined(__VITIS_HLS__) && !defined(RIFFLE_VENDOR_TYPES)
#define RIFFLE_VENDOR_TYPES
#endif

#if defined(RIFFLE_VENDOR_TYPES)
#include "ap_int.h"
#endif

namespace riffle {

#if defined(RIFFLE_VENDOR_TYPES)
template <int Bits>
using Int = ap_int<Bits>;
#else
template <int Bits>
using Int = typename std::conditional<
    Bits <= 8, std::int8_t,
    typename std::conditional<Bits <= 16, std::int16_t,
                              typename std::conditional<Bits <= 32, std::int32_t, std::int64_t>::type>::type>::type;
#endif

// a * b, exactly. A multiplier of A x B bits: written as a product of two wide numbers it would become a wide one
template <int A, int B>
RIFFLE_FUNCTION Int<A + B> product(const Int<A>& a, const Int<B>& b) {
  RIFFLE_INLINE
#if defined(RIFFLE_VENDOR_TYPES)
  return a * b;
#else
  return static_cast<Int<A + B> >(a) * b;
#endif
}

}  // namespace riffle
#endif
