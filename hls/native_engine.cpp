// The HLS engine as a C function over plain memory, for the host (host/riffle/backends/hls_engine.py) and the tests.
#include "kernels/engine.cpp"

extern "C" {

// memory: int8 [banks][depth][lanes], changed in place; words: the weight stream, two halves each.
// result: error, info, current, cycles, fed, starved
void riffle_native_engine(const std::uint32_t* program, std::uint32_t* log, std::int8_t* memory,
                          const std::uint64_t* words, std::uint64_t count, std::uint32_t first, std::uint32_t length,
                          std::uint32_t lane, std::uint32_t watchdog, const volatile std::uint8_t* stop,
                          std::uint32_t* result) {
  static_assert(sizeof(Word) == RIFFLE_ROWS * RIFFLE_COLUMNS, "lanes must lie side by side");
#if defined(RIFFLE_VENDOR_TYPES)
  riffle::WeightStream stream;
  for (std::uint64_t i = 0; i < count; i++) {
    riffle::StreamWord word = words[2 * i + 1];
    stream.write((word << 64) | words[2 * i]);
  }
#else
  static_assert(sizeof(riffle::StreamWord) == riffle::kStreamBytes, "a stream word has 16 bytes");
  const riffle::StreamWord* begin = reinterpret_cast<const riffle::StreamWord*>(words);
  riffle::WeightStream stream(begin, begin + count);
#endif
  typedef Word Bank[RIFFLE_DEPTH];
  Bank* banks = reinterpret_cast<Bank*>(memory);
  const bool end = true;
  riffle_engine(program, log, banks, banks, stream, &end, stop, first, length, lane, watchdog, &result[0], &result[1],
                &result[2], &result[3], &result[4], &result[5]);
}

}  // extern "C"
