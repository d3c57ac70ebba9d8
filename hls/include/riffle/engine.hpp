// The engine: runs a program of descriptors on the activation memory.
//
// Computes   docs/architecture.md, "What a descriptor executes"
// Contract   `in` and `out` are read and write port of the same memory; a cycle writes one word, to one bank or, where
//            channels are duplicated, to two. A pair reads what pairs before it have written, but nothing that itself,
//            or a pair of the same group with the same input, writes
// Timing     per pair and phase: taps * blocks iterations, then 10 to requantise (raw: 8, pools: 4), one after the other
// Reference  riffle.isa.emulator.execute: the same memory, the same error codes in the same order
#ifndef RIFFLE_ENGINE_HPP
#define RIFFLE_ENGINE_HPP

#include "lattice_array.hpp"
#include "shuffle.hpp"

namespace riffle {

constexpr unsigned kDrainLanes = 10;  // so many lanes of a channel are requantised at once, each with a DSP of its own

// Two output channels: which input they see, where they go
struct Pair {
  std::uint32_t block;        // first block of the input
  std::uint32_t position[2];
  std::uint32_t channels;     // 2, or 1 for the last of an odd group
};

// Words of a pair and phase to where they belong.
// `scale` of a channel, `sum` of its lanes; with residual `out`'s old word is read through `in`
template <unsigned Rows, unsigned Columns, unsigned Depth>
RIFFLE_FUNCTION void drain(const Word<Rows, Columns> in[kBanks][Depth], Word<Rows, Columns> out[kBanks][Depth],
                           const Descriptor& d, const Pair& pair, std::uint32_t phase, const Scale scale[2],
                           const Sum sum[2][Rows * Columns]) {
  const std::uint32_t log2phases = 2 * (d.log2s - d.stride2);
Channel:
  for (unsigned c = 0; c < 2; c++) {
    const std::uint32_t p = pair.position[c], per_block = d.duplicate ? 2 : kBanks, bank = p % per_block;
    const std::uint32_t address = d.out_base + ((p / per_block) << log2phases) + phase;
    const Word<Rows, Columns> before = d.residual ? in[bank][address] : Word<Rows, Columns>();
    Word<Rows, Columns> word;
  Pass:
    for (unsigned first = 0; first < Rows * Columns; first += kDrainLanes) {
      RIFFLE_PIPELINE(1)
    Lane:
      for (unsigned i = 0; i < kDrainLanes; i++) {
        RIFFLE_UNROLL
        const unsigned l = first + i;
        if (l < Rows * Columns) {
          word.lane[l] = scaled(sum[c][l], scale[c], d.residual ? before.lane[l] : d.zero_point);
        }
      }
    }
  Bank:
    for (unsigned k = 0; k < kBanks; k++) {
      RIFFLE_UNROLL
      if (c < pair.channels && (k == bank || (d.duplicate && k == bank + 2))) out[k][address] = word;
    }
  }
}

// Sums as they are: byte k of each goes to bank k
template <unsigned Rows, unsigned Columns, unsigned Depth>
RIFFLE_FUNCTION void drain_raw(Word<Rows, Columns> out[kBanks][Depth], const Descriptor& d, const Pair& pair,
                               std::uint32_t phase, const Sum sum[2][Rows * Columns]) {
Channel:
  for (unsigned c = 0; c < 2; c++) {
    const std::uint32_t address = d.out_base + (pair.position[c] << 2 * (d.log2s - d.stride2)) + phase;
  Bank:
    for (unsigned k = 0; k < kBanks; k++) {
      RIFFLE_PIPELINE(1)
      Word<Rows, Columns> word;
    Lane:
      for (unsigned l = 0; l < Rows * Columns; l++) {
        RIFFLE_UNROLL
        word.lane[l] = static_cast<std::int8_t>(static_cast<std::int32_t>(sum[c][l]) >> (8 * k));
      }
      if (c < pair.channels) out[k][address] = word;
    }
  }
}

// Highest address that a phase of a pair writes
RIFFLE_FUNCTION std::uint32_t highest_write(const Descriptor& d, const Pair& pair, std::uint32_t phase) {
  RIFFLE_INLINE
  const std::uint32_t second = pair.channels == 2 ? pair.position[1] : pair.position[0];
  const std::uint32_t position = second > pair.position[0] ? second : pair.position[0];
  const std::uint32_t per_block = d.raw ? 1 : d.duplicate ? 2 : kBanks;
  return d.out_base + ((position / per_block) << 2 * (d.log2s - d.stride2)) + phase;
}

// Whether all that a phase of a pair reads and writes lies in the memory
template <unsigned Depth>
RIFFLE_FUNCTION bool within(const Descriptor& d, const Pair& pair, std::uint32_t py, std::uint32_t px,
                            std::uint32_t phase, Run& run) {
  RIFFLE_INLINE
  const std::uint32_t read = highest_read(d, pair.block, py, px), written = highest_write(d, pair, phase);
  if (read >= Depth) return fail(run, Error::ReadRange, read);
  if (written >= Depth) return fail(run, Error::WriteRange, written);
  return true;
}

// The mean of four channels into one lane of a vector
template <unsigned Rows, unsigned Columns, unsigned Depth>
RIFFLE_FUNCTION void average(const Word<Rows, Columns> in[kBanks][Depth], Word<Rows, Columns> out[kBanks][Depth],
                             const Descriptor& d, const Pair& pair, const Scale& scale, std::uint32_t lane) {
  std::int32_t sum[kBanks];
  RIFFLE_REGISTERS(sum)
  total<Rows, Columns, Depth>(in, d, pair.block, scale.bias, sum);
  const std::uint32_t address = d.out_base + pair.position[0] / kBanks;
  const std::uint32_t place = (lane + static_cast<std::uint32_t>(d.fill)) % kLanesMax;
Bank:
  for (unsigned k = 0; k < kBanks; k++) {
    RIFFLE_PIPELINE(1)
    Word<Rows, Columns> word = in[k][address];
    if (place < Rows * Columns) word.lane[place] = scaled(sum[k], scale, d.zero_point);
    out[k][address] = word;
  }
}

// All phases of a pair; false where the run ends
template <unsigned Rows, unsigned Columns, unsigned Depth>
RIFFLE_FUNCTION bool run_phases(const Word<Rows, Columns> in[kBanks][Depth], Word<Rows, Columns> out[kBanks][Depth],
                                const Descriptor& d, const Pair& pair, const Scale scale[2],
                                const Packed weight[kPairWeightsMax][kBanks], Stop stop, Run& run) {
  const std::uint32_t phases = 1u << (d.log2s - d.stride2);
  const bool conv = is(d, Opcode::Conv);
  const std::uint32_t slots = conv ? taps_of(d) * d.blocks : 9;
  constexpr std::uint32_t kPasses = (Rows * Columns + kDrainLanes - 1) / kDrainLanes;
  const std::uint32_t drain_slots = !conv ? kBanks : d.raw ? 2 * kBanks : 2 * kPasses;
Row:
  for (std::uint32_t py = 0; py < phases; py++) {
    RIFFLE_TRIPS(1, 32)
  Phase:
    for (std::uint32_t px = 0; px < phases; px++) {
      RIFFLE_TRIPS(1, 32)
      if (!alive(run, stop)) return false;
      const std::uint32_t phase = py * phases + px;
      if (!within<Depth>(d, pair, py, px, phase, run)) return false;
      if (conv) {
        Sum sum[2][Rows * Columns];
        RIFFLE_REGISTERS(sum)
        convolve<Rows, Columns, Depth>(in, d, pair.block, py, px, scale, weight, sum);
        if (d.raw) {
          drain_raw<Rows, Columns, Depth>(out, d, pair, phase, sum);
        } else {
          drain<Rows, Columns, Depth>(in, out, d, pair, phase, scale, sum);
        }
      } else {
        Word<Rows, Columns> best[kBanks];
        RIFFLE_REGISTERS(best)
        maximum<Rows, Columns, Depth>(in, d, pair.block, py, px, best);
      Bank:
        for (unsigned k = 0; k < kBanks; k++) {
          RIFFLE_PIPELINE(1)
          out[k][d.out_base + ((pair.position[0] / kBanks) << 2 * (d.log2s - d.stride2)) + phase] = best[k];
        }
      }
      run.fed += slots;
      run.cycles += slots + drain_slots;
    }
  }
  return true;
}

template <unsigned Rows, unsigned Columns, unsigned Depth>
RIFFLE_FUNCTION bool run_descriptor(const Word<Rows, Columns> in[kBanks][Depth], Word<Rows, Columns> out[kBanks][Depth],
                                    const Descriptor& d, std::uint32_t lane, WeightStream& stream,
                                    StreamEnd stream_end, Stop stop, Run& run) {
  if (!known(d)) return fail(run, Error::UnknownOpcode, d.opcode);
  if (contradicts(d)) return fail(run, Error::BadDescriptor, 0);
  const bool conv = is(d, Opcode::Conv), averaging = is(d, Opcode::GlobalAverage);
  const Shuffle shuffle = {d.modulus, d.step_low, d.step_high};
  ShuffleWalk place = {d.position, d.row, d.remainder};
  Packed weight[kPairWeightsMax][kBanks];
  RIFFLE_SPLIT(weight, 2)
Group:
  for (std::uint32_t g = 0; g < d.groups; g++) {
    RIFFLE_TRIPS(1, 8)
    std::uint32_t channel = d.in_channel + g * d.group_step;
  Pairs:
    for (std::uint32_t o = 0; o < d.group_outputs; o += 2) {
      RIFFLE_TRIPS(1, 500)
      Pair pair;
      pair.block = channel / kBanks;
      pair.channels = o + 1 < d.group_outputs ? 2 : 1;
      pair.position[0] = place.position;
      place.next(shuffle);
      pair.position[1] = place.position;
      if (pair.channels == 2) place.next(shuffle);
      Scale scale[2] = {{0, 0, kShiftMin}, {0, 0, kShiftMin}};
      const std::uint32_t count = conv ? taps_of(d) * d.blocks : 0;
      if (!is(d, Opcode::Maxpool) && !load_pair(stream, stream_end, stop, run, count, scale, weight)) {
        return false;
      }
      if (averaging) {
        if (!alive(run, stop) || !within<Depth>(d, pair, 0, 0, 0, run)) return false;
        average<Rows, Columns, Depth>(in, out, d, pair, scale[0], lane);
        run.fed += d.blocks;
        run.cycles += d.blocks + kBanks;
      } else if (!run_phases<Rows, Columns, Depth>(in, out, d, pair, scale, weight, stop, run)) {
        return false;
      }
      channel += d.pair_step;
    }
  }
  return true;
}

// Descriptors first .. first + length - 1; `run` says how it ended, `log` what each descriptor took
template <unsigned Rows, unsigned Columns, unsigned Depth>
RIFFLE_FUNCTION void run_program(const std::uint32_t program[kDescriptors * kDescriptorWords],
                                 std::uint32_t log[kDescriptors * kLogWords],
                                 const Word<Rows, Columns> in[kBanks][Depth],
                                 Word<Rows, Columns> out[kBanks][Depth], std::uint32_t first, std::uint32_t length,
                                 std::uint32_t lane, WeightStream& stream, StreamEnd stream_end, Stop stop,
                                 volatile std::uint32_t* current, Run& run) {
  run.index = first;
  *current = first;
  if (length == 0 || first + length > kDescriptors) {
    fail(run, Error::BadProgram, 0);
    return;
  }
Descriptor:
  for (std::uint32_t i = first; i < first + length; i++) {
    RIFFLE_TRIPS(1, 256)
    std::uint32_t word[kDescriptorWords];
  Fetch:
    for (unsigned w = 0; w < kDescriptorWords; w++) {
      RIFFLE_PIPELINE(1)
      word[w] = program[i * kDescriptorWords + w];
    }
    run.index = i;
    *current = i;
    const Run before = run;
    if (!run_descriptor<Rows, Columns, Depth>(in, out, unpack(word), lane, stream, stream_end, stop, run)) {
      return;
    }
    log[i * kLogWords] = run.cycles - before.cycles;
    log[i * kLogWords + 1] = run.fed - before.fed;
    log[i * kLogWords + 2] = run.starved - before.starved;
    log[i * kLogWords + 3] = 0;  // draining is not told apart
  }
  if (!stream.empty() || !*stream_end) fail(run, Error::StreamLeft, 0);
}

}  // namespace riffle
#endif
