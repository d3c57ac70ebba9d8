// One run of the engine: what it has counted, how it ends, and its way to the weight stream.
#ifndef RIFFLE_ENGINE_RUN_HPP
#define RIFFLE_ENGINE_RUN_HPP

#include "descriptor_rules.hpp"
#include "requantise.hpp"
#include "stream.hpp"

namespace riffle {

// Counters are iterations of pipelined loops: clock cycles where each of them has II = 1, but for filling pipelines
struct Run {
  Error error;
  std::uint32_t index, detail;          // of the descriptor; what the error is about
  std::uint32_t cycles, fed, starved;   // in all; with the array fed; waiting for weights
  std::uint32_t watchdog;               // stop with this many cycles
};

// What comes from outside while the engine runs: the error code to stop with, 0 to go on; and whether no weight will
// come that is not in the stream
typedef const volatile std::uint8_t* Stop;
typedef const volatile bool* StreamEnd;

RIFFLE_FUNCTION bool failed(const Run& run) { return run.error != Error::None; }

RIFFLE_FUNCTION bool fail(Run& run, Error error, std::uint32_t detail) {
  RIFFLE_INLINE
  run.error = error;
  run.detail = detail;
  return false;
}

// Whether the run may go on
RIFFLE_FUNCTION bool alive(Run& run, Stop stop) {
  RIFFLE_INLINE
  const std::uint8_t code = *stop;
  if (code != 0) return fail(run, static_cast<Error>(code), 0);
  if (run.cycles >= run.watchdog) return fail(run, Error::Watchdog, 0);
  return true;
}

// The next stream word; false where the run has ended in waiting
RIFFLE_FUNCTION bool take(WeightStream& stream, StreamEnd stream_end, Stop stop, Run& run, StreamWord& word) {
  RIFFLE_INLINE
Wait:
  for (; stream.empty(); run.starved++, run.cycles++) {
    RIFFLE_TRIPS(0, 16)
    if (*stream_end && stream.empty()) return fail(run, Error::StreamEnd, 0);
    if (!alive(run, stop)) return false;
  }
  word = stream.read();
  return true;
}

// Two weights in one factor, 2^17 apart: one DSP multiplies both with an activation (unpacked by split,
// lattice_array.hpp)
typedef Int<25> Packed;
constexpr int kPackedShift = 17;

// Header and weights of the next pair
RIFFLE_FUNCTION bool load_pair(WeightStream& stream, StreamEnd stream_end, Stop stop, Run& run,
                               std::uint32_t count, Scale scale[2], Packed weight[kPairWeightsMax][kBanks]) {
  StreamWord word;
  if (!take(stream, stream_end, stop, run, word)) return false;
  const std::uint32_t found = field<kCountLsb, kCountBits>(word);
  if (field<kTagLsb, kTagBits>(word) != kStreamTag || found != count) return fail(run, Error::StreamHeader, found);
  scale[0].bias = signed_field<kBias0Lsb, kBias0Bits>(word);
  scale[0].multiplier = field<kMultiplier0Lsb, kMultiplier0Bits>(word);
  scale[0].shift = field<kShift0Lsb, kShift0Bits>(word) + kShiftMin;
  scale[1].bias = signed_field<kBias1Lsb, kBias1Bits>(word);
  scale[1].multiplier = field<kMultiplier1Lsb, kMultiplier1Bits>(word);
  scale[1].shift = field<kShift1Lsb, kShift1Bits>(word) + kShiftMin;
Weight:
  for (std::uint32_t i = 0; i < count; i++) {
    RIFFLE_TRIPS(0, 1008)
    RIFFLE_PIPELINE(1)
    if (i % 2 == 0 && !take(stream, stream_end, stop, run, word)) return false;
    const std::uint64_t eight = half_of(word, i % 2);
  Bank:
    for (unsigned k = 0; k < kBanks; k++) {
      RIFFLE_UNROLL
      const std::int32_t first = static_cast<std::int8_t>(eight >> (16 * k));
      const std::int32_t second = static_cast<std::int8_t>(eight >> (16 * k + 8));
      weight[i][k] = first * (1 << kPackedShift) + second;
    }
  }
  run.cycles += count;
  return true;
}

}  // namespace riffle
#endif
