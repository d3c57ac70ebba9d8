// Channel shuffle of maps that lie in a memory already: each channel is copied to its place.
//
// A convolution writes through the same map for nothing (grouped_pointwise.hpp); this is for channels that no
// convolution wrote, and for seeing the map work.
#ifndef RIFFLE_CHANNEL_COPY_HPP
#define RIFFLE_CHANNEL_COPY_HPP

#include "map.hpp"
#include "shuffle.hpp"

namespace riffle {

struct ChannelCopy {
  std::uint32_t maps, result;     // words of the core's memories
  std::uint32_t channels, words;  // words of a channel
  Shuffle shuffle;
};

RIFFLE_FUNCTION bool possible(const ChannelCopy& c) {
  RIFFLE_INLINE
  return c.channels > 0 && c.words > 0 && permutes(c.shuffle, c.channels) && fits(c.maps, c.channels, c.words) &&
         fits(c.result, c.channels, c.words);
}

// Timing: a word a cycle, II = 1, and a few cycles per channel. Resources: no DSP but for the address, no memory.
RIFFLE_FUNCTION void channel_copy(const std::uint32_t* in, std::uint32_t* out, const ChannelCopy& c) {
  RIFFLE_INLINE
  ShuffleWalk place = {0, 0, 0};
  std::uint32_t from = c.maps;
Channel:
  for (std::uint32_t i = 0; i < c.channels; i++) {
    RIFFLE_TRIPS(1, 960)
    const std::uint32_t to = c.result + place.position * c.words;
  Word:
    for (std::uint32_t w = 0; w < c.words; w++) {
      RIFFLE_TRIPS(14, 784)
      RIFFLE_PIPELINE(1)
      out[to + w] = in[from + w];
    }
    from += c.words;
    place.next(c.shuffle);
  }
}

}  // namespace riffle
#endif
