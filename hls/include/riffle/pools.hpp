// Pools over one 3x3 window, or over everything; all channels of a pixel at once.
//
// Reference  riffle.graph.reference.max_pool, riffle.graph.reference.global_average; an average is a sum that is requantised
#ifndef RIFFLE_POOLS_HPP
#define RIFFLE_POOLS_HPP

#include "depthwise.hpp"

namespace riffle {

// out[c] = largest of window[tap][c]
template <unsigned Channels, class Window, class Result>
RIFFLE_FUNCTION void maximum_pixel(const Window& window, Result& out) {
  RIFFLE_INLINE
Channel:
  for (unsigned c = 0; c < Channels; c++) {
    RIFFLE_UNROLL
    out[c] = window[0][c];
  Tap:
    for (unsigned t = 1; t < kTaps; t++) {
      RIFFLE_UNROLL
      if (window[t][c] > out[c]) out[c] = window[t][c];
    }
  }
}

// out[c] = start + sum of window[tap][c]
template <unsigned Channels, class Sum, class Window, class Sums>
RIFFLE_FUNCTION void sum_pixel(const Window& window, Sums& out, std::int32_t start) {
  RIFFLE_INLINE
Channel:
  for (unsigned c = 0; c < Channels; c++) {
    RIFFLE_UNROLL
    Sum sum = start;
  Tap:
    for (unsigned t = 0; t < kTaps; t++) {
      RIFFLE_UNROLL
      sum += window[t][c];
    }
    out[c] = sum;
  }
}

// sum[c] += pixel[c]: a global average, pixel by pixel
template <unsigned Channels, class Pixel, class Sums>
RIFFLE_FUNCTION void accumulate_pixel(const Pixel& pixel, Sums& sum) {
  RIFFLE_INLINE
Channel:
  for (unsigned c = 0; c < Channels; c++) {
    RIFFLE_UNROLL
    sum[c] += pixel[c];
  }
}

}  // namespace riffle
#endif
