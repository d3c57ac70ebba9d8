// The engine's array: one slot reads a word of each bank and multiplies every lane with the weights of two channels.
//
// Reference  riffle.isa.emulator: gather, convolution, maximum, average
#ifndef RIFFLE_LATTICE_ARRAY_HPP
#define RIFFLE_LATTICE_ARRAY_HPP

#include "engine_run.hpp"
#include "lattice.hpp"

namespace riffle {

typedef Int<25> Sum;  // kAccumulatorBits

// Where a slot reads: address and lattice step, for banks 0, 1 and for banks 2, 3
struct Place {
  std::uint32_t address;
  std::int32_t dy, dx;
};

RIFFLE_FUNCTION Place place_of(const Descriptor& d, std::uint32_t block, std::uint32_t tap, std::uint32_t py,
                               std::uint32_t px) {
  RIFFLE_INLINE
  const std::int32_t ty = tap < 3 ? 0 : tap < 6 ? 1 : 2, tx = static_cast<std::int32_t>(tap) - 3 * ty;
  const std::int32_t qy = static_cast<std::int32_t>(py << d.stride2) + ty - 1;
  const std::int32_t qx = static_cast<std::int32_t>(px << d.stride2) + tx - 1;
  const std::int32_t mask = (1 << d.log2s) - 1;
  Place place;
  const std::int32_t phase = ((qy & mask) << d.log2s) | (qx & mask);
  place.address = d.in_base + (block << (2 * d.log2s)) + static_cast<std::uint32_t>(phase);
  place.dy = qy >> d.log2s;
  place.dx = qx >> d.log2s;
  return place;
}

// Highest phase on an axis that the taps of an output phase see
RIFFLE_FUNCTION std::uint32_t highest_phase(const Descriptor& d, std::uint32_t out) {
  RIFFLE_INLINE
  const std::uint32_t last = (1u << d.log2s) - 1, centre = out << d.stride2;
  if (!d.taps9 && !d.taps4) return centre;
  return centre == last || (d.taps9 && centre == 0) ? last : centre + 1;
}

// Highest address that a phase of a pair reads, from its first block on
RIFFLE_FUNCTION std::uint32_t highest_read(const Descriptor& d, std::uint32_t block, std::uint32_t py,
                                           std::uint32_t px) {
  RIFFLE_INLINE
  return d.in_base + ((block + d.blocks - 1) << (2 * d.log2s)) + (highest_phase(d, py) << d.log2s) +
         highest_phase(d, px);
}

// Words of all banks for one slot
template <unsigned Rows, unsigned Columns, unsigned Depth>
RIFFLE_FUNCTION void read_slot(const Word<Rows, Columns> in[kBanks][Depth], const Descriptor& d, std::uint32_t block,
                               std::uint32_t tap, std::uint32_t py, std::uint32_t px,
                               Word<Rows, Columns> word[kBanks]) {
  RIFFLE_INLINE
Bank:
  for (unsigned k = 0; k < kBanks; k++) {
    RIFFLE_UNROLL
    const std::uint32_t seen = d.taps4 ? (tap < 2 ? tap + 4 : tap + 5) : !d.taps9 ? 4 : d.paired && k >= 2 ? tap + 4 : tap;
    const Place place = place_of(d, block, seen, py, px);
    word[k] = stepped(in[k][place.address], place.dy, place.dx, static_cast<std::int8_t>(d.fill));
  }
}

// Sums of one phase of a pair.
// Timing: taps * blocks iterations, II = 1. Resources: 4 * Rows * Columns DSPs, each two products of 8 x 8 bits.
template <unsigned Rows, unsigned Columns, unsigned Depth>
RIFFLE_FUNCTION void convolve(const Word<Rows, Columns> in[kBanks][Depth], const Descriptor& d,
                              std::uint32_t first_block, std::uint32_t py, std::uint32_t px, const Scale scale[2],
                              const Packed weight[kPairWeightsMax][kBanks], Sum sum[2][Rows * Columns]) {
Begin:
  for (unsigned l = 0; l < Rows * Columns; l++) {
    RIFFLE_UNROLL
    sum[0][l] = scale[0].bias;
    sum[1][l] = scale[1].bias;
  }
  const std::uint32_t slots = taps_of(d) * d.blocks;
  std::uint32_t tap = 0, block = 0;
Slot:
  for (std::uint32_t i = 0; i < slots; i++) {
    RIFFLE_TRIPS(1, 1008)
    RIFFLE_PIPELINE(1)
    Word<Rows, Columns> word[kBanks];
    RIFFLE_REGISTERS(word)
    read_slot<Rows, Columns, Depth>(in, d, first_block + block, tap, py, px, word);
  Lane:
    for (unsigned l = 0; l < Rows * Columns; l++) {
      RIFFLE_UNROLL
      Int<34> both = 0;
    Bank:
      for (unsigned k = 0; k < kBanks; k++) {
        RIFFLE_UNROLL
        both += product<25, 8>(weight[i][k], word[k].lane[l]);
      }
      // the lower product's sum of four stays within 17 bits; where it is negative it has borrowed from the upper one
      const Int<34> sign = static_cast<Int<34> >(1) << (kPackedShift - 1);
      const Int<34> lower = ((both & (2 * sign - 1)) ^ sign) - sign;
      sum[0][l] += static_cast<Sum>((both - lower) >> kPackedShift);
      sum[1][l] += static_cast<Sum>(lower);
    }
    block = block + 1 == d.blocks ? 0 : block + 1;
    tap += block == 0;
  }
}

// Maximum of the nine taps of one phase, all banks
template <unsigned Rows, unsigned Columns, unsigned Depth>
RIFFLE_FUNCTION void maximum(const Word<Rows, Columns> in[kBanks][Depth], const Descriptor& d, std::uint32_t block,
                             std::uint32_t py, std::uint32_t px, Word<Rows, Columns> best[kBanks]) {
Tap:
  for (std::uint32_t t = 0; t < 9; t++) {
    RIFFLE_PIPELINE(1)
    Word<Rows, Columns> word[kBanks];
    RIFFLE_REGISTERS(word)
    read_slot<Rows, Columns, Depth>(in, d, block, t, py, px, word);
  Bank:
    for (unsigned k = 0; k < kBanks; k++) {
      RIFFLE_UNROLL
    Lane:
      for (unsigned l = 0; l < Rows * Columns; l++) {
        RIFFLE_UNROLL
        if (t == 0 || word[k].lane[l] > best[k].lane[l]) best[k].lane[l] = word[k].lane[l];
      }
    }
  }
}

// Sums over all lanes of a pair's blocks, which are the phases of four channels
template <unsigned Rows, unsigned Columns, unsigned Depth>
RIFFLE_FUNCTION void total(const Word<Rows, Columns> in[kBanks][Depth], const Descriptor& d, std::uint32_t block,
                           std::int32_t bias, std::int32_t sum[kBanks]) {
Begin:
  for (unsigned k = 0; k < kBanks; k++) {
    RIFFLE_UNROLL
    sum[k] = bias;
  }
Block:
  for (std::uint32_t b = 0; b < d.blocks; b++) {
    RIFFLE_TRIPS(1, 1024)
    RIFFLE_PIPELINE(1)
  Bank:
    for (unsigned k = 0; k < kBanks; k++) {
      RIFFLE_UNROLL
      const Word<Rows, Columns> word = in[k][d.in_base + block + b];
    Lane:
      for (unsigned l = 0; l < Rows * Columns; l++) {
        RIFFLE_UNROLL
        sum[k] += word.lane[l];
      }
    }
  }
}

}  // namespace riffle
#endif
