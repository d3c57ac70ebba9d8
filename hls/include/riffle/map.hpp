// Feature maps in a memory of 32-bit words, as the stand-alone cores and the processor share them.
//
// Layout     channel after channel; of a channel row after row; a row is filled up to a multiple of four pixels. Pixel
//            x of a row lies in word x div 4, byte x mod 4 (lowest first). What fills a row up may hold anything.
// Scales     two words per output channel: the bias; multiplier in bits 16..0 and shift in bits 21..17
#ifndef RIFFLE_MAP_HPP
#define RIFFLE_MAP_HPP

#include "requantise.hpp"

namespace riffle {

constexpr unsigned kPixels = 4;       // of a word
constexpr unsigned kScaleWords = 2;   // per output channel
constexpr unsigned kMapWords = 65536; // of a core's memory: 256 KB, 64 of the 140 block RAMs of an XC7Z020

RIFFLE_FUNCTION std::int8_t byte_of(std::uint32_t word, unsigned k) {
  RIFFLE_INLINE
  return static_cast<std::int8_t>(word >> (8 * k));
}

RIFFLE_FUNCTION std::uint32_t byte_at(std::int8_t value, unsigned k) {
  RIFFLE_INLINE
  return static_cast<std::uint32_t>(static_cast<std::uint8_t>(value)) << (8 * k);
}

RIFFLE_FUNCTION std::uint32_t words_for(std::uint32_t bytes) {
  RIFFLE_INLINE
  return (bytes + kPixels - 1) / kPixels;
}

RIFFLE_FUNCTION Scale read_scale(const std::uint32_t* memory, std::uint32_t at) {
  RIFFLE_INLINE
  const std::uint32_t word = memory[at + 1];
  Scale scale;
  scale.bias = static_cast<std::int32_t>(memory[at]);
  scale.multiplier = word & 0x1ffffu;
  scale.shift = (word >> 17) & 0x1fu;
  return scale;
}

// Whether `count` times `size` words from `base` on lie in a core's memory
RIFFLE_FUNCTION bool fits(std::uint32_t base, std::uint32_t count, std::uint32_t size) {
  RIFFLE_INLINE
  return base <= kMapWords && static_cast<std::uint64_t>(count) * size <= kMapWords - base;
}

}  // namespace riffle
#endif
