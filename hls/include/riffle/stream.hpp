// The weight stream as the engine takes it: 128-bit words, first come, first used.
//
// Under Vitis HLS it is an hls::stream, which becomes a FIFO port; natively a span of memory that is read to its end.
#ifndef RIFFLE_STREAM_HPP
#define RIFFLE_STREAM_HPP

#include "integers.hpp"
#include "pragmas.hpp"

#if defined(RIFFLE_VENDOR_TYPES)
#include "hls_stream.h"
#endif

namespace riffle {

#if defined(RIFFLE_VENDOR_TYPES)

typedef ap_uint<128> StreamWord;
typedef hls::stream<StreamWord> WeightStream;

// No field of a stream word crosses from one half to the other
RIFFLE_FUNCTION std::uint64_t half_of(const StreamWord& word, unsigned i) {
  RIFFLE_INLINE
  const ap_uint<64> half = word >> (64 * i);
  return half.to_uint64();
}

#else

struct StreamWord {
  std::uint64_t half[2];
};

class WeightStream {
 public:
  WeightStream(const StreamWord* begin, const StreamWord* end) : next_(begin), end_(end) {}
  bool empty() const { return next_ == end_; }
  StreamWord read() { return *next_++; }

 private:
  const StreamWord* next_;
  const StreamWord* end_;
};

RIFFLE_FUNCTION std::uint64_t half_of(const StreamWord& word, unsigned i) { return word.half[i]; }

#endif

template <int Lsb, int Bits>
RIFFLE_FUNCTION std::uint32_t field(const StreamWord& word) {
  static_assert(Lsb / 64 == (Lsb + Bits - 1) / 64, "a field of the stream must lie in one half of a word");
  RIFFLE_INLINE
  return static_cast<std::uint32_t>(half_of(word, Lsb / 64) >> (Lsb % 64)) & ((1u << Bits) - 1);
}

template <int Lsb, int Bits>
RIFFLE_FUNCTION std::int32_t signed_field(const StreamWord& word) {
  RIFFLE_INLINE
  constexpr std::uint32_t sign = 1u << (Bits - 1);
  return static_cast<std::int32_t>(field<Lsb, Bits>(word) ^ sign) - static_cast<std::int32_t>(sign);
}

}  // namespace riffle
#endif
