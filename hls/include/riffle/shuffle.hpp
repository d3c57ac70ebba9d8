// Channel shuffle as an address map: channel c goes to (c mod modulus) * low + (c div modulus) * high. It moves no
// data.
//
// ShuffleMap   where everything is known at compile time; folds to wiring, or to the index of a write
// ShuffleWalk  at run time, channel after channel; two adders and a comparison, no division
// Reference    riffle.graph.integer_graph.Shuffle
#ifndef RIFFLE_SHUFFLE_HPP
#define RIFFLE_SHUFFLE_HPP

#include <cstdint>

#include "pragmas.hpp"

namespace riffle {

template <unsigned Channels, unsigned Modulus, unsigned Low, unsigned High>
struct ShuffleMap {
  static_assert(Modulus > 0 && Channels % Modulus == 0, "the modulus of a shuffle must divide the number of channels");
  static_assert((Low == 1 && High == Modulus) || (High == 1 && Low == Channels / Modulus),
                "a shuffle must be a permutation: steps 1 and modulus, or channels / modulus and 1");

  // Where channel c is written
  static constexpr unsigned position(unsigned c) { return c % Modulus * Low + c / Modulus * High; }
  // Which channel lies at a position
  static constexpr unsigned channel(unsigned p) { return Low == 1 ? p : p % Low * Modulus + p / Low; }
};

// As the ShuffleNet paper has it: reshape (groups, n), transpose, flatten
template <unsigned Channels, unsigned Groups>
struct PaperShuffle : ShuffleMap<Channels, Channels / Groups, Groups, 1> {
  static_assert(Channels % Groups == 0, "groups must divide the number of channels");
};

// Its inverse, which the published V1 code of the authors uses: reshape (n, groups), transpose, flatten
template <unsigned Channels, unsigned Groups>
struct InverseShuffle : ShuffleMap<Channels, Groups, Channels / Groups, 1> {
  static_assert(Channels % Groups == 0, "groups must divide the number of channels");
};

// Three numbers say it at run time. No shuffle: 1, 1, 1
struct Shuffle {
  std::uint32_t modulus, low, high;
};

// Whether each of so many channels gets a place of its own among as many
RIFFLE_FUNCTION bool permutes(const Shuffle& s, std::uint32_t channels) {
  RIFFLE_INLINE
  const bool identity = s.low == 1 && s.high == s.modulus;
  const bool transposed = s.high == 1 && static_cast<std::uint64_t>(s.low) * s.modulus == channels;
  return s.modulus > 0 && (identity || transposed);
}

struct ShuffleWalk {  // of the channel that comes next; begins with zeros for channel 0
  std::uint32_t position, row, remainder;

  RIFFLE_FUNCTION void next(const Shuffle& shuffle) {
    RIFFLE_INLINE
    remainder++;
    if (remainder == shuffle.modulus) {
      remainder = 0;
      row += shuffle.high;
      position = row;
    } else {
      position += shuffle.low;
    }
  }
};

}  // namespace riffle
#endif
