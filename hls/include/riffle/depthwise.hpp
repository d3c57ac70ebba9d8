// Depthwise 3x3 convolution, stride 1 or 2, padding 1, requantised. With weights of 1 it is the average pool.
//
// Computes   out[c, y, x] = clamp(requantise(bias[c] + sum over taps of weight[c, tap] * in[c, s*y + dy, s*x + dx]) +
//            zero point)
// Reference  riffle.graph.reference.convolution with groups = channels
#ifndef RIFFLE_DEPTHWISE_HPP
#define RIFFLE_DEPTHWISE_HPP

#include "map.hpp"

namespace riffle {

constexpr unsigned kTaps = 9;         // row by row
constexpr unsigned kTapWords = 3;     // nine weights of a channel, filled up to words

// Sums of one pixel, all channels at once: window[tap][channel], weight[channel * 9 + tap].
template <unsigned Channels, class Sum, class Window, class Sums, class Weight, class Bias>
RIFFLE_FUNCTION void depthwise_pixel(const Window& window, Sums& out, const Weight* weight, const Bias* bias) {
  RIFFLE_INLINE
Channel:
  for (unsigned c = 0; c < Channels; c++) {
    RIFFLE_UNROLL
    Sum sum = bias[c];
  Tap:
    for (unsigned t = 0; t < kTaps; t++) {
      RIFFLE_UNROLL
      sum += window[t][c] * weight[c * kTaps + t];
    }
    out[c] = sum;
  }
}

// A layer whose sizes come at run time; places are words of the core's memories
struct Depthwise {
  std::uint32_t maps, weights, scales;    // in the input memory; three words of weights per channel
  std::uint32_t result;                   // in the output memory
  std::uint32_t channels, height, width;  // of the input
  std::uint32_t stride;                   // 1 or 2
  std::int32_t fill;                      // what lies around the map: the input's zero point
  std::int32_t zero_point;                // of the output
};

RIFFLE_FUNCTION std::uint32_t strided(std::uint32_t size, std::uint32_t stride) {
  RIFFLE_INLINE
  return (size + stride - 1) / stride;
}

RIFFLE_FUNCTION bool possible(const Depthwise& d) {
  RIFFLE_INLINE
  if ((d.stride != 1 && d.stride != 2) || d.channels == 0 || d.channels > kMapWords) return false;
  if (d.height == 0 || d.width == 0 || d.height > kMapWords || d.width > kMapWords) return false;
  const std::uint32_t input = d.channels * words_for(d.width);
  const std::uint32_t output = d.channels * words_for(strided(d.width, d.stride));
  return fits(d.maps, input, d.height) &&
         fits(d.weights, d.channels, kTapWords) && fits(d.scales, d.channels, kScaleWords) &&
         fits(d.result, output, strided(d.height, d.stride));
}

// Timing: nine words are read for four output pixels, II = 1: 36 useful multiplications in nine cycles.
// Resources: 16 multiplications of 8 x 8 bits, as each byte of a word may belong to each of the four pixels; nine
// weights in registers.
RIFFLE_FUNCTION void depthwise(const std::uint32_t* in, std::uint32_t* out, const Depthwise& d) {
  RIFFLE_INLINE
  const std::uint32_t pitch = words_for(d.width);
  const std::uint32_t rows = strided(d.height, d.stride), out_pitch = words_for(strided(d.width, d.stride));
  std::uint32_t map_at = d.maps, scale_at = d.scales, target = d.result;
Channel:
  for (std::uint32_t c = 0; c < d.channels; c++) {
    RIFFLE_TRIPS(1, 960)
    const Scale scale = read_scale(in, scale_at);
    scale_at += kScaleWords;
    std::int8_t weight[kTaps];
    RIFFLE_REGISTERS(weight)
    std::uint32_t four = 0;
  Weights:
    for (unsigned t = 0; t < kTaps; t++) {
      RIFFLE_PIPELINE(1)
      if (t % kPixels == 0) four = in[d.weights + c * kTapWords + t / kPixels];
      weight[t] = byte_of(four, t % kPixels);
    }
  Row:
    for (std::uint32_t y = 0; y < rows; y++) {
      RIFFLE_TRIPS(7, 56)
    Word:
      for (std::uint32_t w = 0; w < out_pitch; w++) {
        RIFFLE_TRIPS(2, 14)
        std::int32_t sum[kPixels];
        RIFFLE_REGISTERS(sum)
      Begin:
        for (unsigned k = 0; k < kPixels; k++) {
          RIFFLE_UNROLL
          sum[k] = scale.bias;
        }
      Tap:
        for (unsigned t = 0; t < 9; t++) {
          RIFFLE_PIPELINE(1)
          // one of three words in one of three rows: the word before that of the first pixel, that word, the next
          const unsigned dy = t / 3, part = t % 3;
          const std::int32_t row = static_cast<std::int32_t>(d.stride * y + dy) - 1;
          const std::int32_t place = static_cast<std::int32_t>(d.stride * w + part) - 1;
          const bool inside = row >= 0 && row < static_cast<std::int32_t>(d.height) && place >= 0 &&
                              place < static_cast<std::int32_t>(pitch);
          const std::uint32_t word = inside ? in[map_at + row * pitch + place] : 0u;
        Byte:
          for (unsigned b = 0; b < kPixels; b++) {
            RIFFLE_UNROLL
            const std::int32_t x = place * static_cast<std::int32_t>(kPixels) + static_cast<std::int32_t>(b);
            const bool within = inside && x < static_cast<std::int32_t>(d.width);
            const std::int32_t pixel = within ? byte_of(word, b) : d.fill;
          Pixel:
            for (unsigned k = 0; k < kPixels; k++) {
              RIFFLE_UNROLL
              // pixel k's window begins one byte before byte 4 + stride * k of the three words
              const std::uint32_t dx = part * kPixels + b - (kPixels - 1) - d.stride * k;
              if (dx < 3) sum[k] += pixel * weight[3 * dy + dx];
            }
          }
        }
        std::uint32_t made = 0;
      Finish:
        for (unsigned k = 0; k < kPixels; k++) {
          RIFFLE_UNROLL
          made |= byte_at(scaled(sum[k], scale, d.zero_point), k);
        }
        out[target++] = made;
      }
    }
    map_at += d.height * pitch;
  }
}

}  // namespace riffle
#endif
