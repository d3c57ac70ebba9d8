// 3x3 convolution over all channels (the first layer), one window at a time.
//
// Reference  riffle.graph.reference.convolution with groups = 1
#ifndef RIFFLE_CONVOLUTION_HPP
#define RIFFLE_CONVOLUTION_HPP

#include "depthwise.hpp"

namespace riffle {

// window[tap][channel], weight[(output * Inputs + input) * 9 + tap]
// Resources: 9 * Inputs * Outputs multiplications, shared in time as the caller's pipeline interval allows.
template <unsigned Inputs, unsigned Outputs, class Sum, class Window, class Sums, class Weight, class Bias>
RIFFLE_FUNCTION void convolution_pixel(const Window& window, Sums& out, const Weight* weight, const Bias* bias) {
  RIFFLE_INLINE
Output:
  for (unsigned o = 0; o < Outputs; o++) {
    RIFFLE_UNROLL
    Sum sum = bias[o];
  Input:
    for (unsigned i = 0; i < Inputs; i++) {
      RIFFLE_UNROLL
    Tap:
      for (unsigned t = 0; t < kTaps; t++) {
        RIFFLE_UNROLL
        sum += window[t][i] * weight[(o * Inputs + i) * kTaps + t];
      }
    }
    out[o] = sum;
  }
}

}  // namespace riffle
#endif
