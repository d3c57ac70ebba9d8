// depthwise - depthwise 3x3 convolution, or average pool, between two block RAMs
//
// Ports      source, target: 32-bit block RAM ports (map.hpp says what lies there); control: AXI4-Lite with ap_ctrl_hs,
//            interrupt and the arguments, which riffle::Depthwise explains
// Returns    0, or 1 where the sizes contradict each other or the memories: nothing is then written
// Reference  riffle.graph.reference.convolution with groups = channels
#include "../include/riffle/depthwise.hpp"

extern "C" std::uint32_t depthwise(const std::uint32_t source[riffle::kMapWords],
                                   std::uint32_t target[riffle::kMapWords], std::uint32_t maps, std::uint32_t weights,
                                   std::uint32_t scales, std::uint32_t result, std::uint32_t channels,
                                   std::uint32_t height, std::uint32_t width, std::uint32_t stride,
                                   std::int32_t fill, std::int32_t zero_point) {
  RIFFLE_BRAM(source)
  RIFFLE_BRAM(target)
  RIFFLE_REGISTER(maps)
  RIFFLE_REGISTER(weights)
  RIFFLE_REGISTER(scales)
  RIFFLE_REGISTER(result)
  RIFFLE_REGISTER(channels)
  RIFFLE_REGISTER(height)
  RIFFLE_REGISTER(width)
  RIFFLE_REGISTER(stride)
  RIFFLE_REGISTER(fill)
  RIFFLE_REGISTER(zero_point)
  RIFFLE_REGISTER(return)
  const riffle::Depthwise layer = {maps, weights, scales, result, channels, height, width, stride, fill, zero_point};
  if (!riffle::possible(layer)) return 1;
  riffle::depthwise(source, target, layer);
  return 0;
}
