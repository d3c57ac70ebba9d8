// channel_shuffle - channel shuffle of maps between two block RAMs, as a remapping of addresses
//
// Ports      source, target: 32-bit block RAM ports (map.hpp says what lies there); control: AXI4-Lite with ap_ctrl_hs,
//            interrupt and the arguments, which riffle::ChannelCopy explains
// Returns    0, or 1 where the sizes contradict each other or the memories: nothing is then written
// Reference  riffle.graph.integer_graph.Shuffle
#include "../include/riffle/channel_copy.hpp"

extern "C" std::uint32_t channel_shuffle(const std::uint32_t source[riffle::kMapWords],
                                         std::uint32_t target[riffle::kMapWords], std::uint32_t maps,
                                         std::uint32_t result, std::uint32_t channels, std::uint32_t words,
                                         std::uint32_t modulus, std::uint32_t step_low, std::uint32_t step_high) {
  RIFFLE_BRAM(source)
  RIFFLE_BRAM(target)
  RIFFLE_REGISTER(maps)
  RIFFLE_REGISTER(result)
  RIFFLE_REGISTER(channels)
  RIFFLE_REGISTER(words)
  RIFFLE_REGISTER(modulus)
  RIFFLE_REGISTER(step_low)
  RIFFLE_REGISTER(step_high)
  RIFFLE_REGISTER(return)
  const riffle::ChannelCopy copy = {maps, result, channels, words, {modulus, step_low, step_high}};
  if (!riffle::possible(copy)) return 1;
  riffle::channel_copy(source, target, copy);
  return 0;
}
