// A word of the activation memory: one phase of one channel, a lattice of lanes; and reading it a lattice step away.
//
// Reference  riffle.isa.layout, riffle.isa.emulator.tap_steps
#ifndef RIFFLE_LATTICE_HPP
#define RIFFLE_LATTICE_HPP

#include <cstdint>

#include "pragmas.hpp"

namespace riffle {

template <unsigned Rows, unsigned Columns>
struct Word {
  static_assert(Rows >= 1 && Rows <= 8 && Columns >= 1 && Columns <= 8, "a lattice has 1 to 8 rows and columns");
  std::int8_t lane[Rows * Columns];
};

// Lane (y, x) takes lane (y + dy, x + dx), or `fill` beyond the lattice; dy, dx in -1..1.
// Resources: a choice of one in nine for each bit of a word; no shifter.
template <unsigned Rows, unsigned Columns>
RIFFLE_FUNCTION Word<Rows, Columns> stepped(const Word<Rows, Columns>& word, std::int32_t dy, std::int32_t dx,
                                            std::int8_t fill) {
  RIFFLE_INLINE
  Word<Rows, Columns> result = word;
  if (dy == 0 && dx == 0) return result;
Row:
  for (int y = 0; y < static_cast<int>(Rows); y++) {
    RIFFLE_UNROLL
  Column:
    for (int x = 0; x < static_cast<int>(Columns); x++) {
      RIFFLE_UNROLL
      const int from_y = y + dy, from_x = x + dx;
      const bool inside = from_y >= 0 && from_y < static_cast<int>(Rows) && from_x >= 0 &&
                          from_x < static_cast<int>(Columns);
      result.lane[y * Columns + x] = inside ? word.lane[from_y * Columns + from_x] : fill;
    }
  }
  return result;
}

}  // namespace riffle
#endif
