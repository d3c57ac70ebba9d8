// Grouped 1x1 convolution, requantised, its outputs written through a channel shuffle.
//
// Computes   out[place(g, o)] = clamp(requantise(bias[g, o] + sum over i of weight[g, o, i] * in[g, i]) + zero point or
//            out)
// Reference  riffle.graph.reference.convolution
#ifndef RIFFLE_GROUPED_POINTWISE_HPP
#define RIFFLE_GROUPED_POINTWISE_HPP

#include "map.hpp"
#include "shuffle.hpp"

namespace riffle {

// Sums of one pixel, all channels of it at once; `map` is a ShuffleMap.
// Resources: Outputs * Inputs / Groups multiplications, shared in time as the caller's pipeline interval allows.
template <unsigned Inputs, unsigned Outputs, unsigned Groups, class Map, class Sum, class Pixel, class Sums,
          class Weight, class Bias>
RIFFLE_FUNCTION void grouped_pointwise_pixel(const Pixel& in, Sums& out, const Weight* weight, const Bias* bias) {
  static_assert(Inputs % Groups == 0 && Outputs % Groups == 0, "groups must divide input and output channels");
  RIFFLE_INLINE
Group:
  for (unsigned g = 0; g < Groups; g++) {
    RIFFLE_UNROLL
  Output:
    for (unsigned o = 0; o < Outputs / Groups; o++) {
      RIFFLE_UNROLL
      const unsigned c = g * (Outputs / Groups) + o;
      Sum sum = bias[c];
    Input:
      for (unsigned i = 0; i < Inputs / Groups; i++) {
        RIFFLE_UNROLL
        sum += in[g * (Inputs / Groups) + i] * weight[c * (Inputs / Groups) + i];
      }
      out[Map::position(c)] = sum;
    }
  }
}

// A layer whose sizes come at run time; places are words of the core's memories
struct Pointwise {
  std::uint32_t maps, weights, scales;     // in the input memory; the weights of an output channel begin a word
  std::uint32_t result;                    // in the output memory
  std::uint32_t words;                     // of a channel, in input and output
  std::uint32_t groups, inputs, outputs;   // inputs and outputs of one group
  Shuffle shuffle;                         // of the output channels
  std::int32_t zero_point;                 // of the output; 0 with residual
  bool residual;                           // add what the output memory holds
};

// Whether the sizes contradict each other or the memories
template <unsigned MaxInputs>
RIFFLE_FUNCTION bool possible(const Pointwise& p) {
  RIFFLE_INLINE
  const bool some = p.words > 0 && p.inputs > 0 && p.groups > 0 && p.outputs > 0;
  if (!some || p.inputs > MaxInputs || p.groups > kMapWords || !fits(0, p.groups, p.outputs)) return false;
  const std::uint32_t channels = p.groups * p.outputs;
  return permutes(p.shuffle, channels) && fits(p.maps, p.groups * p.inputs, p.words) &&
         fits(p.weights, channels, words_for(p.inputs)) && fits(p.scales, channels, kScaleWords) &&
         fits(p.result, channels, p.words);
}

// Timing: words * (inputs + a few) cycles per output channel: four multiplications a cycle, II = 1 over the inputs.
// Resources: 4 + 4 DSPs, one block RAM for the weights of an output channel.
template <unsigned MaxInputs>
RIFFLE_FUNCTION void grouped_pointwise(const std::uint32_t* in, std::uint32_t* out, const Pointwise& p) {
  RIFFLE_INLINE
  std::int8_t weight[MaxInputs];
  ShuffleWalk place = {0, 0, 0};
  std::uint32_t group_at = p.maps, weight_at = p.weights, scale_at = p.scales;
Group:
  for (std::uint32_t g = 0; g < p.groups; g++) {
    RIFFLE_TRIPS(1, 8)
  Output:
    for (std::uint32_t o = 0; o < p.outputs; o++) {
      RIFFLE_TRIPS(1, 320)
      const Scale scale = read_scale(in, scale_at);
      scale_at += kScaleWords;
      std::uint32_t four = 0;
    Weights:
      for (std::uint32_t i = 0; i < p.inputs; i++) {
        RIFFLE_TRIPS(1, MaxInputs)
        RIFFLE_PIPELINE(1)
        if (i % kPixels == 0) four = in[weight_at++];
        weight[i] = byte_of(four, i % kPixels);
      }
    Word:
      for (std::uint32_t w = 0; w < p.words; w++) {
        RIFFLE_TRIPS(14, 784)
        std::int32_t sum[kPixels];
        RIFFLE_REGISTERS(sum)
      Begin:
        for (unsigned k = 0; k < kPixels; k++) {
          RIFFLE_UNROLL
          sum[k] = scale.bias;
        }
        std::uint32_t at = group_at + w;
      Input:
        for (std::uint32_t i = 0; i < p.inputs; i++) {
          RIFFLE_TRIPS(1, MaxInputs)
          RIFFLE_PIPELINE(1)
          const std::uint32_t word = in[at];
          at += p.words;
        Pixel:
          for (unsigned k = 0; k < kPixels; k++) {
            RIFFLE_UNROLL
            sum[k] += byte_of(word, k) * weight[i];
          }
        }
        const std::uint32_t target = p.result + place.position * p.words + w;
        const std::uint32_t before = p.residual ? out[target] : 0u;
        std::uint32_t made = 0;
      Finish:
        for (unsigned k = 0; k < kPixels; k++) {
          RIFFLE_UNROLL
          made |= byte_at(scaled(sum[k], scale, p.residual ? byte_of(before, k) : p.zero_point), k);
        }
        out[target] = made;
      }
      place.next(p.shuffle);
    }
    group_at += p.inputs * p.words;
  }
}

}  // namespace riffle
#endif
